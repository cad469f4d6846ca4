// What is told of visitors by what they do, by what their devices say when asked, and by how long they had to wait.
import { afterAll, expect, test } from "vitest";
import { settles, startServer } from "./server.ts";
import { CHROME, from, pointers, report, totals } from "./traffic.ts";

const server = await startServer({ queue: { batchTimeout: 0 }, config: { burst_clicks: 3 } });
afterAll(() => server.stop());

const url = "https://shop.example/landing";
const ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36";
const BRANDS = '"Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"';

async function link(token: string, fields: Record<string, unknown> = {}): Promise<any> {
  const { status, body } = await server.api("/api/links", { token, url, ...fields });
  expect([status, body]).toMatchObject([201, {}]);
  return body;
}

/** A visitor with an address of its own. */
const visitor = (number: number) => ({ "user-agent": CHROME, "accept-language": "en", "cf-connecting-ip": `198.51.100.${number}` });

const follow = (path: string, headers: Record<string, string>) => server.fetch(`/r/${path}`, { headers });

const reasons = async (query: string) => {
  const { groups } = await report(server, `${query}&group_by=bot_reason&include_bots=true`);
  return Object.fromEntries(groups.map((group: any) => [group.value, group.clicks]));
};

test("who follows a honeypot is a bot, and is doubted from then on", async () => {
  expect(await link("trap", { honeypot: true })).toMatchObject({ honeypot: true });
  expect(await link("bait")).toMatchObject({ honeypot: false });
  const { status, body } = await server.api("/api/links", { url, honeypot: "yes" });
  expect([status, pointers(body)]).toEqual([400, ["/honeypot"]]);

  const answer = await follow("trap", visitor(1));
  expect([answer.status, answer.headers.get("location")], "it is not told").toEqual([302, url]);
  await settles(async () => expect(await totals(server, "link=trap")).toMatchObject({ clicks: 0, bots: 1 }));
  expect(await reasons("link=trap")).toEqual({ honeypot: 1 });

  await follow("bait", visitor(1));
  await follow("bait", visitor(2));
  await follow("bait?eid=hosted", { ...visitor(1), ...from("DE", "EU", { asn: 24940 }) });
  await settles(async () => expect(await totals(server, "link=bait")).toMatchObject({ clicks: 2, bots: 1 }));
  expect(await reasons("link=bait")).toMatchObject({ honeypot: 2, datacenter_asn: 1 });
  expect(await totals(server, "link=bait&verdict=suspect")).toMatchObject({ clicks: 1 });
  expect(await totals(server, "link=bait&verdict=human")).toMatchObject({ clicks: 1 });
});

test("many redirects at once are a burst, and people at their pace are none", async () => {
  await link("rush");
  for (let click = 0; click < 12; click++) {
    await follow(`rush?eid=rush-${click}`, visitor(3));
    if (click < 3) await follow(`rush?eid=calm-${click}`, visitor(4 + click));
  }
  await settles(async () => expect(await totals(server, "link=rush")).toMatchObject({ raw: 15 }));
  const { burst } = await reasons("link=rush");
  expect(burst).toBeGreaterThan(0);
  expect(burst, "the first ones nobody could know").toBeLessThanOrEqual(9);
  expect(await totals(server, "link=rush&verdict=suspect"), "a doubt, and no verdict").toMatchObject({ clicks: burst, bots: 0 });
});

test("a browser is asked for its device's model once, and the reports have it", async () => {
  await link("hinted");
  const hints = { "sec-ch-ua": BRANDS, "sec-ch-ua-mobile": "?1", "sec-ch-ua-platform": '"Android"' };
  const asks = async (headers: Record<string, string>) =>
    (await follow("hinted", { "user-agent": ANDROID, "accept-language": "en", ...headers })).headers.get("accept-ch");
  expect(await asks({ "cf-connecting-ip": "198.51.100.20" })).toBeNull();
  expect(await asks({ ...hints, "cf-connecting-ip": "198.51.100.21" })).toBe("Sec-CH-UA-Model, Sec-CH-UA-Platform-Version");
  const told = { ...hints, "sec-ch-ua-model": '"SM-S911B"', "sec-ch-ua-platform-version": '"15.0.0"' };
  expect(await asks({ ...told, "cf-connecting-ip": "198.51.100.22" })).toBeNull();
  await settles(async () => expect(await totals(server, "link=hinted")).toMatchObject({ clicks: 3 }));
  const groups = async (dimension: string) =>
    Object.fromEntries((await report(server, `link=hinted&group_by=${dimension}`)).groups.map((group: any) => [group.value, group.clicks]));
  expect(await groups("device_model")).toMatchObject({ "SM-S911B": 1 });
  expect(await groups("brand")).toMatchObject({ Samsung: 1 });
  const archived = await server.fetch("/api/export/events?format=ndjson&link=hinted", { headers: { authorization: `Bearer ${server.token}` } });
  expect(await archived.text()).toMatch(/"os_version":"15".*"ua_model":"\\"SM-S911B\\"","ua_platform_version":"\\"15.0.0\\"","device_model":"SM-S911B"/);
});

test("quality says how long redirects took, those that led nowhere too", async () => {
  await link("timed");
  await follow("timed", visitor(30));
  await follow("no-such-link", visitor(30));
  await settles(async () => {
    const { latency } = (await server.api("/stats/quality?link=timed")).body;
    expect(latency.redirects).toBe(1);
    expect(latency.p50_ms).toBeGreaterThanOrEqual(0);
    expect(latency.p99_ms).toBeGreaterThanOrEqual(latency.p50_ms);
    expect(latency.buckets).toHaveLength(15);
    expect((await server.api("/stats/quality")).body.latency.redirects).toBeGreaterThan(15);
  });
  expect((await server.api("/stats/quality?link=nobody")).body.latency).toMatchObject({ redirects: 0, p50_ms: null, p99_ms: null });
});
