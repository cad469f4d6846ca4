// Sends events in order, a bounded number at a time, each until the target has it.
import { Agent as HttpAgent, request as httpRequest } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";

/** An event that is not taken within this is given up, and the replay fails. */
const PATIENCE_MS = 60_000;

/**
 * What became of the events: `ids` have been acknowledged; `answers` counts the acknowledgements by kind, agent and
 * hour, the first of an id apart from the later ones; `retries` may have been recorded without telling us.
 */
export async function send(events, { target, token, speed, connections, resend, progress }) {
  const post = poster(new URL(target), token, connections);
  const began = performance.now();
  const sent = { requests: 0, ids: 0, retries: 0, lost: 0, events: [], duplicates: new Map(), refusals: new Map() };
  const acknowledged = new Set();
  const firstMs = events[0].atMs;
  let done = 0;

  function* inOrder() {
    for (const event of events) {
      yield event;
      if (resend > 0 && event.line % resend === 0) yield event;
    }
  }

  async function deliver(event) {
    const body = JSON.stringify({
      event_id: event.eventId,
      event_time: event.atMs,
      page_url: event.pageUrl,
      referrer: event.referrer || undefined,
      campaign_id: event.campaign,
      sub1: event.agent,
    });
    const end = performance.now() + PATIENCE_MS;
    for (let pause = 100; ; pause = Math.min(2 * pause, 5_000)) {
      sent.requests += 1;
      const answer = await post(`/events/${event.kind}`, event, body).catch((error) => ({ status: 0, text: error.code ?? error.message }));
      if (answer.status === 200) {
        const { status } = JSON.parse(answer.text);
        if (!acknowledged.has(event.eventId)) {
          acknowledged.add(event.eventId);
          sent.events.push(event);
        }
        if (status === "duplicate") sent.duplicates.set(event.kind, (sent.duplicates.get(event.kind) ?? 0) + 1);
        return;
      }
      const again = answer.status === 0 || answer.status === 429 || answer.status >= 500;
      if (again && performance.now() < end) {
        sent.retries += 1;
        await sleep(Math.max(pause, 1_000 * Number(answer.retryAfter ?? 0)));
        continue;
      }
      sent.lost += again ? 1 : 0;
      const why = `${answer.status} ${answer.text.slice(0, 300)}`;
      sent.refusals.set(why, (sent.refusals.get(why) ?? 0) + 1);
      return;
    }
  }

  const queue = inOrder();
  async function connection() {
    for (const event of queue) {
      const dueMs = speed > 0 ? (event.atMs - firstMs) / speed : 0;
      const early = dueMs - (performance.now() - began);
      if (early > 0) await sleep(early);
      await deliver(event);
      progress(Math.min(++done, events.length));
    }
  }
  await Promise.all(Array.from({ length: connections }, connection));
  sent.ids = acknowledged.size;
  return sent;
}

/** A function that posts and gives `{status, text}`, over connections that stay open. */
function poster(target, token, connections) {
  const secure = target.protocol === "https:";
  const agent = new (secure ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: connections });
  const open = secure ? httpsRequest : httpRequest;
  return (path, { userAgent, address }, body) =>
    new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${token}`,
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
        "x-clicktrail-address": address,
      };
      if (userAgent !== "") headers["user-agent"] = userAgent;
      const request = open(new URL(path, target), { method: "POST", agent, headers, timeout: PATIENCE_MS }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk) => (text += chunk));
        response.on("error", reject);
        response.on("end", () => resolve({ status: response.statusCode, text, retryAfter: response.headers["retry-after"] }));
      });
      request.on("timeout", () => request.destroy(new Error("no answer")));
      request.on("error", reject);
      request.end(body);
    });
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
