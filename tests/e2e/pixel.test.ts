import { afterAll, expect, test } from "vitest";
import { settles, startServer } from "./server.ts";
import { CHROME, click, raw, report, totals } from "./traffic.ts";

const server = await startServer({ queue: { batchTimeout: 0 } });
afterAll(() => server.stop());

async function show(path: string, headers: Record<string, string> = {}, method = "GET") {
  const response = await server.fetch(path, { method, headers: { "user-agent": CHROME, ...headers } });
  const bytes = new Uint8Array(await response.arrayBuffer());
  expect([response.status, response.headers.get("content-type")], path).toEqual([200, "image/gif"]);
  expect(response.headers.get("cache-control")).toContain("no-store");
  if (method === "GET") {
    expect(bytes.length).toBe(43);
    expect(new TextDecoder().decode(bytes.subarray(0, 6))).toBe("GIF89a");
    expect([...bytes.subarray(6, 10)]).toEqual([1, 0, 1, 0]); // one by one
  }
  return response.headers.get("x-clicktrail");
}

test("the image is the same under each of its names", async () => {
  expect(await show("/1x1.gif?cid=names&eid=name-1")).toBe("recorded");
  expect(await show("/1%C3%971.gif?cid=names&eid=name-2")).toBe("recorded");
  expect(await show("/1%c3%971.gif?cid=names&eid=name-3")).toBe("recorded");
  expect(await show("/1×1.gif?cid=names&eid=name-4")).toBe("recorded");
  const answer = await raw(server, "GET /1×1.gif?cid=names&eid=name-5");
  expect(answer.split("\r\n")[0]).toBe("HTTP/1.1 200 OK");
  expect(answer).toContain("GIF89a");
  await settles(async () => expect(await totals(server, "campaign_id=names")).toMatchObject({ impressions: 5, clicks: 0 }));
});

test("the header says what became of it", async () => {
  expect(await show("/1x1.gif?cid=said&eid=once")).toBe("recorded");
  expect(await show("/1x1.gif?cid=said&eid=once")).toBe("duplicate");
  expect(await show(`/1x1.gif?cid=said&eid=${"x".repeat(129)}`)).toBe("rejected; reason=invalid eid");
  expect(await show("/1x1.gif?cid=said&t=1&u=javascript:alert(1)")).toBe("rejected; reason=invalid t u");
  expect(await show("/1x1.gif?cid=said&et=purchase")).toBe("rejected; reason=invalid et");
  expect(await show("/1x1.gif?cid=%ff%fe%00&v=%")).toMatch(/^rejected; reason=invalid /);
  await settles(async () => {
    const { kinds } = await totals(server, "campaign_id=said");
    expect(kinds.impression).toEqual({ events: 1, humans: 1, bots: 0, duplicates: 1 });
  });
});

test("a pixel says what happened, to whom and where", async () => {
  const query = new URLSearchParams({
    et: "conversion", eid: "order-7", cid: "shop", sid: "s", uid: "u", aid: "a", el: "buy", u: "https://shop.example/thanks",
    r: "https://news.example/", v: "19.99", cur: "eur", utm_source: "mail", sub1: "x",
  });
  expect(await show(`/1x1.gif?${query}`)).toBe("recorded");
  await settles(async () => {
    expect(await totals(server, "campaign_id=shop")).toMatchObject({ conversions: 1, impressions: 0, revenue: 19.99, currency: "EUR" });
  });
  for (const [dimension, value] of [["utm_source", "mail"], ["element_id", "buy"], ["referrer", "news.example"], ["sub1", "x"]]) {
    expect((await report(server, `campaign_id=shop&${dimension}=${value}`)).totals.conversions, dimension).toBe(1);
  }
});

test("a click and an impression make a rate", async () => {
  for (let n = 0; n < 4; n++) await show(`/1x1.gif?cid=rate&eid=rate-${n}`);
  await click(server, { campaign_id: "rate" });
  await settles(async () => expect(await totals(server, "campaign_id=rate")).toMatchObject({ clicks: 1, impressions: 4, ctr: 0.25 }));
});

test("without an id, a page and its visitor are one impression at a time", async () => {
  const visitor = (n: number) => ({ "cf-connecting-ip": `198.51.100.${n}`, referer: "https://shop.example/" });
  const all = await Promise.all([1, 2, 3].map((n) => show("/1x1.gif?cid=quiet", visitor(n))));
  expect(all).toEqual(["recorded", "recorded", "recorded"]);
  await settles(async () => expect((await totals(server, "campaign_id=quiet")).impressions).toBe(3));
});

test("whatever the method, there is an image, and HEAD is no person's", async () => {
  await show("/1x1.gif?cid=head&eid=head-1", {}, "HEAD");
  await show("/1x1.gif?cid=head&eid=head-2");
  await settles(async () => {
    const { kinds } = await totals(server, "campaign_id=head");
    expect(kinds.impression).toEqual({ events: 2, humans: 1, bots: 1, duplicates: 0 });
  });
});
