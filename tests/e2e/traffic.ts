// What visitors and customers do, and what they are told of it.
import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import type { Server } from "./server.ts";

export const CHROME =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36";
/** The browser of somebody of this name, of another build than others': one visitor more. */
export const chromeOf = (name: string) => {
  const build = [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9_973, 7);
  return CHROME.replace("120.0.0.0", `120.0.${build}.0`);
};
export const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1";
export const GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

export type Fields = Record<string, unknown>;

/** An event that nothing is wrong with, but for what `fields` makes of it; a field that is undefined is left out. */
export function anEvent(fields: Fields = {}): Fields {
  return { event_id: randomUUID(), event_time: Date.now(), page_url: "https://shop.example/shoes", ...fields };
}

export interface Answer {
  status: number;
  headers: Headers;
  body: any;
}

/** Posts what is given: bytes and text as they are, anything else as JSON. */
export async function post(server: Server, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const raw = typeof body === "string" || body instanceof Uint8Array;
  const response = await server.fetch(path, {
    method: "POST",
    headers: { "user-agent": CHROME, "content-type": "application/json", ...headers },
    body: raw ? (body as BodyInit) : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text.startsWith("{") ? JSON.parse(text) : text };
}

export function click(server: Server, fields: Fields = {}, headers: Record<string, string> = {}): Promise<Answer> {
  return post(server, "/events/click", anEvent(fields), headers);
}

/**
 * A request byte for byte, which `fetch` would correct or would insist on sending to its end, and the answer, which may
 * come before that.
 */
export function raw(server: Server, line: string, headers: Record<string, string | number> = {}, body: string[] = []): Promise<string> {
  const { hostname, port, host } = new URL(server.url);
  const head = Object.entries({ host, "user-agent": CHROME, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let answer = "";
    socket.setEncoding("latin1").on("error", reject);
    socket.on("data", (text) => {
      answer += text;
      const [, length] = /^content-length: (\d+)\r\n[^]*?\r\n\r\n/im.exec(answer) ?? [];
      if (length === undefined || answer.length < answer.indexOf("\r\n\r\n") + 4 + Number(length)) return; // more is to come
      socket.destroy();
      resolve(answer);
    });
    socket.write(`${line} HTTP/1.1\r\n${head.join("")}\r\n`);
    for (const part of body) socket.write(part);
  });
}

/** The pointers of a problem, in order. */
export const pointers = (problem: { errors?: { pointer: string }[] }) => (problem.errors ?? []).map((error) => error.pointer);

/** `/stats/clicks`, whole. */
export async function report(server: Server, query: string): Promise<any> {
  const { status, body } = await server.api(`/stats/clicks?${query}`);
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body;
}

export async function totals(server: Server, query: string): Promise<any> {
  return (await report(server, query)).totals;
}

export async function integrity(server: Server): Promise<any> {
  const { status, body } = await server.api("/stats/integrity");
  if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`);
  return body;
}

/** Headers of a visitor in that place; the simulator takes them for the platform's own. */
export function from(country: string, continent: string, place: Fields = {}): Record<string, string> {
  return { "mf-cf-blob": JSON.stringify({ country, continent, ...place }) };
}

/** Each of these, a hundred at a time: more connections at once than a busy machine accepts would be reset. */
export async function crowd<Item, Answer>(items: Item[], one: (item: Item) => Promise<Answer>): Promise<Answer[]> {
  const answers: Answer[] = new Array(items.length);
  const left = items.entries();
  const next = async () => {
    for (const [place, item] of left) answers[place] = await one(item);
  };
  await Promise.all(Array.from({ length: 100 }, next));
  return answers;
}
