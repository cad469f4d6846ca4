import { randomUUID } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterAll, expect, test } from "vitest";
import { Receiver } from "./receiver.ts";
import { eventually, settles, startServer } from "./server.ts";
import { CHROME, GOOGLEBOT, click, pointers, post } from "./traffic.ts";

const receiver = await new Receiver().start();
const server = await startServer({ queue: { batchTimeout: 0 }, config: { webhook_private: true, fold_at_segments: 1 } });
afterAll(async () => {
  await server.stop();
  receiver.stop();
});

/** A webhook that listens at a path of the receiver. */
async function subscribe(path: string, fields: Record<string, unknown>) {
  const { status, body } = await server.api("/api/webhooks", { name: path, url: receiver.url(path), ...fields });
  expect(status, JSON.stringify(body)).toBe(201);
  return body;
}

const log = async (webhook: string, query = "") => (await server.api(`/api/deliveries?webhook_id=${webhook}${query}`)).body.data;

/** What fell due later is due now. */
async function hurry(): Promise<void> {
  await server.sql("UPDATE deliveries SET due_ms = 0 WHERE state = 'waiting'");
  await server.sql("DELETE FROM failing");
  await server.scheduled();
}

test("a webhook's secret is shown once, and what it signs convinces the reference library", async () => {
  const made = await subscribe("/links", { events: ["link.created", "link.updated", "link.deleted"] });
  expect(made.secret).toMatch(/^whsec_[\w+/]{43}=$/);
  const read = await server.api(`/api/webhooks/${made.id}`);
  expect(read.body).toEqual(Object.fromEntries(Object.entries(made).filter(([name]) => name !== "secret")));
  expect(JSON.stringify((await server.api("/api/audit?entity=webhook")).body)).not.toContain("whsec_");

  const link = await server.api("/api/links", { token: "told", url: "https://example.com/", title: "Told", password: "s3cret" });
  expect(link.status).toBe(201);
  const heard = await eventually(() => receiver.at("/links")[0]);
  const message = new Webhook(made.secret).verify(heard.body, heard.headers) as any;
  expect(message).toMatchObject({ type: "link.created", data: { actor: "admin", link: { token: "told", name: "told", title: "Told", url: "https://example.com/" } } });
  expect(Date.parse(message.timestamp)).toBeGreaterThan(Date.now() - 60_000);
  expect(heard.headers["content-type"]).toBe("application/json");
  expect(heard.body).not.toContain("s3cret");
  expect(() => new Webhook(made.secret).verify(`${heard.body} `, heard.headers)).toThrow();

  await server.api("/api/links/told", { title: "Changed" }, "PATCH");
  await server.api("/api/links/told", undefined, "DELETE");
  await settles(() => {
    const types = receiver.at("/links").map(({ body }) => JSON.parse(body).type);
    expect(types.sort()).toEqual(["link.created", "link.deleted", "link.updated"]);
  });
  const changed = receiver.at("/links").map(({ body }) => JSON.parse(body)).find(({ type }) => type === "link.updated");
  expect(changed.data.changes).toMatchObject({ title: ["Told", "Changed"] });
  await settles(async () => expect((await log(made.id)).map((entry: any) => [entry.state, entry.status])).toEqual([["delivered", 204], ["delivered", 204], ["delivered", 204]]));

  // For a day both secrets sign.
  const rotated = await server.api(`/api/webhooks/${made.id}/rotate`, {});
  expect([rotated.status, rotated.body.secret_version, rotated.body.secret === made.secret]).toEqual([200, 2, false]);
  const tested = await server.api(`/api/webhooks/${made.id}/test`, {});
  expect(tested.body).toMatchObject({ delivered: true, status: 204, error: null });
  const both = receiver.at("/links").at(-1)!;
  for (const secret of [made.secret, rotated.body.secret]) {
    expect(new Webhook(secret).verify(both.body, both.headers)).toMatchObject({ type: "webhook.test", data: { webhook_id: made.id } });
  }
});

test("every click that is counted is told once, in batches, and to a sink line by line", async () => {
  const made = await subscribe("/clicks", { events: ["click.recorded", "conversion.recorded"], campaign_id: "exact" });
  await subscribe("/sink", { kind: "http_sink", campaign_id: "exact", include_bots: true });
  // What is made is in force within five seconds.
  await eventually(async () => (await click(server, { campaign_id: "exact" }), receiver.at("/clicks").length && receiver.at("/sink").length));
  const ids = Array.from({ length: 40 }, () => randomUUID());
  await Promise.all(ids.map((event_id) => click(server, { event_id, campaign_id: "exact", link: "told" })));
  await click(server, { event_id: ids[0], campaign_id: "exact" });
  await click(server, { campaign_id: "another" });
  await click(server, { campaign_id: "exact" }, { "user-agent": GOOGLEBOT });
  await post(server, "/events/conversion", { event_id: randomUUID(), event_time: Date.now(), page_url: "https://shop.example/", campaign_id: "exact", value: 12.5, currency: "EUR" });
  const messages = () => receiver.at("/clicks").map(({ body, headers }) => new Webhook(made.secret).verify(body, headers) as any);
  await settles(() => {
    const clicks = messages().flatMap(({ data }) => data.clicks ?? []);
    expect(new Set(clicks.map((told: any) => told.campaign_id))).toEqual(new Set(["exact"]));
    expect(clicks.map((told: any) => told.event_id).filter((id: string) => ids.includes(id)).sort()).toEqual([...ids].sort());
    expect(messages().filter(({ type }) => type === "conversion.recorded")).toHaveLength(1);
  });
  const [one] = messages().find(({ data }) => data.clicks)!.data.clicks;
  expect(one).toMatchObject({ kind: "click", campaign_id: "exact", country: "US", browser: "Chrome", os: "Windows", verdict: "human", page_url: "https://shop.example/shoes" });
  expect(messages().find(({ type }) => type === "conversion.recorded")!.data.conversion).toMatchObject({ value_micros: 12_500_000, currency: "EUR" });
  await settles(() => {
    const lines = receiver.at("/sink").flatMap(({ body }) => body.trimEnd().split("\n").map((line) => JSON.parse(line)));
    expect(lines.filter(({ event_id }) => ids.includes(event_id))).toHaveLength(40);
    expect(lines.filter(({ verdict }) => verdict === "bot")).toHaveLength(1);
    expect(receiver.at("/sink")[0].headers["content-type"]).toBe("application/x-ndjson");
  });
});

test("what a receiver does not take is tried again with the same id, is dead in the end, and can be replayed", async () => {
  const made = await subscribe("/flaky", { events: ["link.created"] });
  receiver.answers.set("/flaky", [{ status: 500, body: "boom" }]);
  await server.api("/api/links", { token: "flaky", url: "https://example.com/" });
  await settles(async () => expect(await log(made.id)).toMatchObject([{ state: "waiting", attempts: 1, status: 500, error: "boom" }]));
  const [waiting] = await log(made.id);
  expect(Date.parse(waiting.next_try_at)).toBeGreaterThan(Date.now() - 10_000);
  await hurry();
  await settles(async () => expect(await log(made.id)).toMatchObject([{ state: "delivered", attempts: 2, status: 204, error: null }]));
  const [first, second] = receiver.at("/flaky");
  expect([second.headers["webhook-id"], second.body]).toEqual([first.headers["webhook-id"], first.body]);
  expect(new Webhook(made.secret).verify(second.body, second.headers)).toMatchObject({ type: "link.created" });

  receiver.answers.set("/flaky", [{ status: 503 }]);
  await server.api("/api/links", { token: "doomed", url: "https://example.com/" });
  await settles(async () => expect(await log(made.id, "&state=waiting")).toHaveLength(1));
  receiver.answers.set("/flaky", Array.from({ length: 9 }, () => ({ status: 503 })));
  await server.sql("UPDATE deliveries SET expires_ms = 1 WHERE state = 'waiting'");
  await hurry();
  await settles(async () => expect(await log(made.id, "&state=dead")).toHaveLength(1));
  const [dead] = await log(made.id, "&state=dead");
  expect((await server.api(`/api/deliveries/${dead.id}`)).body.body).toContain("doomed");
  receiver.answers.delete("/flaky");
  expect((await server.api(`/api/deliveries/${dead.id}/replay`, {})).body).toEqual({ replayed: 1 });
  await settles(async () => expect(await log(made.id, "&state=delivered")).toHaveLength(2));
  expect((await server.api(`/api/deliveries/${dead.id}/replay`, {})).status).toBe(404);
  expect((await server.api(`/api/webhooks/${made.id}/replay`, {})).body).toEqual({ replayed: 0 });
});

test("a redirect is not followed", async () => {
  const made = await subscribe("/moved", { events: ["link.created"] });
  receiver.answers.set("/moved", Array.from({ length: 9 }, () => ({ status: 307, headers: { location: receiver.url("/stolen") } })));
  expect((await server.api(`/api/webhooks/${made.id}/test`, {})).body).toMatchObject({ delivered: false, status: 307, error: "redirects are not followed" });
  await server.api("/api/links", { token: "moved", url: "https://example.com/" });
  await settles(async () => expect(await log(made.id)).toMatchObject([{ state: "waiting", status: 307 }]));
  expect(receiver.at("/stolen")).toEqual([]);
});

test("a webhook that fails for days, or says that it is gone, is told nothing any more, and others hear of it", async () => {
  await subscribe("/notices", { events: ["webhook.disabled"] });
  const failing = await subscribe("/failing", { events: ["link.created"] });
  const gone = await subscribe("/gone", { events: ["link.created"] });
  receiver.answers.set("/failing", Array.from({ length: 9 }, () => ({ status: 500 })));
  receiver.answers.set("/gone", [{ status: 410 }]);
  await server.api("/api/links", { token: "disabling", url: "https://example.com/" });
  await settles(async () => expect(await log(failing.id)).toMatchObject([{ attempts: 1, status: 500 }]));
  await server.sql("UPDATE failing SET since_ms = 0, failures = 9, held_ms = 0 WHERE owner = ?", [failing.id]);
  await server.sql("UPDATE deliveries SET due_ms = 0 WHERE state = 'waiting'");
  await server.scheduled();
  for (const { id } of [failing, gone]) {
    await settles(async () => expect((await server.api(`/api/webhooks/${id}`)).body.status).toBe("disabled"));
  }
  await server.scheduled();
  await settles(() => {
    const told = receiver.at("/notices").map(({ body }) => JSON.parse(body).data.webhook.id);
    expect(told.sort()).toEqual([failing.id, gone.id].sort());
  });
  expect((await server.api(`/api/audit?entity=webhook&entity_id=${gone.id}`)).body.data[0]).toMatchObject({ action: "disabled", actor: "system" });
  const back = await server.api(`/api/webhooks/${gone.id}`, { status: "active" }, "PATCH");
  expect(back.body.status).toBe("active");
});

test("a link's end is told: its time, and the last of its clicks", async () => {
  await subscribe("/ends", { events: ["link.expired", "link.limit_reached"] });
  await server.api("/api/links", { token: "short-lived", url: "https://example.com/", expires_at: Date.now() + 3_600_000 });
  await server.sql("UPDATE links SET record = json_set(record, '$.expires_at_ms', CAST(? AS INTEGER)) WHERE token = 'short-lived'", [Date.now()]);
  await server.scheduled();
  const ends = () => receiver.at("/ends").map(({ body }) => [JSON.parse(body).type, JSON.parse(body).data.link.token]);
  await settles(() => expect(ends()).toEqual([["link.expired", "short-lived"]]));

  await server.api("/api/links", { token: "two-only", url: "https://example.com/", max_clicks: 1 });
  const follow = (ip: number) => server.fetch("/r/two-only", { headers: { "user-agent": CHROME, "cf-connecting-ip": `192.0.2.${ip}` } });
  for (const ip of [1, 2, 3]) await follow(ip);
  await settles(() => expect(ends()).toHaveLength(2));
  expect(ends()[1]).toEqual(["link.limit_reached", "two-only"]);
});

test("what is wrong with a webhook is named, and only an admin's key may touch one", async () => {
  const refused = await server.api("/api/webhooks", { name: "x", url: "ftp://a.example/", events: ["link.gone"], secret_version: 9 });
  expect([refused.status, pointers(refused.body).sort()]).toEqual([400, ["/events", "/secret_version", "/url"]]);
  expect(pointers((await server.api("/api/webhooks", { name: "x", url: "https://a.example/" })).body)).toEqual(["/events"]);
  const sink = { name: "x", url: "https://a.example/", kind: "http_sink", events: ["link.created"] };
  expect(pointers((await server.api("/api/webhooks", sink)).body)).toEqual(["/events"]);
  expect(pointers((await server.api("/api/deliveries?state=lost")).body)).toEqual(["/state"]);
  const { body: key } = await server.api("/api/keys", { name: "links", scopes: ["links:write", "links:read"] });
  const headers = { authorization: `Bearer ${key.key}` };
  for (const path of ["/api/webhooks", "/api/deliveries", "/api/deliveries/x"]) {
    expect((await server.fetch(path, { headers })).status).toBe(403);
  }
  expect((await server.fetch("/api/webhooks/x/test", { method: "POST", headers })).status).toBe(403);
  expect((await server.api("/api/webhooks/none/test", {})).status).toBe(404);
  expect((await server.api("/api/webhooks/none/test")).status).toBe(405);
});

test("a PUT keeps what is the service's own", async () => {
  const put = (body: object) => server.api("/api/webhooks/put", body, "PUT");
  const made = await put({ name: "put", url: receiver.url("/put"), events: ["link.created"] });
  expect([made.status, typeof made.body.secret]).toEqual([201, "string"]);
  await server.api("/api/webhooks/put/rotate", {});
  const again = await put({ name: "put again", url: receiver.url("/put"), events: ["link.created"] });
  expect([again.status, again.body.secret_version, again.body.secret]).toEqual([200, 2, undefined]);
  await server.api("/api/webhooks/put", undefined, "DELETE");
});
