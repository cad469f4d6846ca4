import { afterAll, expect, test } from "vitest";
import { settles, startServer } from "./server.ts";
import { anEvent, CHROME, from, GOOGLEBOT, pointers, post, report, totals } from "./traffic.ts";

const server = await startServer({ queue: { batchTimeout: 0 }, config: { place_header: "x-visitor-place" } });
afterAll(() => server.stop());

const of = (groups: { value: string; events: number }[], value: string) => groups.find((group) => group.value === value)?.events ?? 0;

test("quality says what machines did, what came twice, whose clocks were off and what led nowhere", async () => {
  const hour = 3_600_000;
  const now = Date.now();
  const twice = anEvent({ campaign_id: "q" });
  await post(server, "/events/page", twice);
  await post(server, "/events/page", twice);
  await post(server, "/events/page", anEvent({ campaign_id: "q", sent_at: now }));
  await post(server, "/events/page", anEvent({ campaign_id: "q", event_time: now + 2 * hour - 1_000, sent_at: now + 2 * hour }));
  await post(server, "/events/page", anEvent({ campaign_id: "q", event_time: now - 40 * 60_000, sent_at: now - 30 * 60_000 }));
  await server.api("/api/links", { token: "gone", url: "https://shop.example/", campaign_id: "q", archived: true });
  await server.fetch("/r/gone", { headers: { "user-agent": CHROME } });
  await server.fetch("/r/gone", { headers: { "user-agent": GOOGLEBOT } });
  await settles(async () => {
    const { status, body } = await server.api("/stats/quality?campaign_id=q");
    expect(status).toBe(200);
    expect(body).toMatchObject({ hits: 7, admitted: 6, duplicates: 1, duplicate_rate: 0.1429, bots: 1, failed: 2 });
    expect([of(body.verdicts, "human"), of(body.verdicts, "bot"), of(body.bot_reasons, "ua_list")]).toEqual([5, 1, 1]);
    expect(body.failed_reasons).toEqual([{ value: "archived", events: 2 }]);
    expect([of(body.time_sources, "client"), of(body.time_sources, "corrected"), of(body.time_sources, "received")]).toEqual([2, 2, 2]);
    expect(body.skew.filter(({ events }: any) => events > 0)).toEqual([
      { value: "behind_1m", events: 1 },
      { value: "within_5s", events: 1 },
      { value: "ahead_1h", events: 1 },
    ]);
    expect(body.skew).toHaveLength(9);
  });
});

test("quality is of everything, a campaign or a link", async () => {
  for (const query of ["group_by=country", "country=DE", "include_bot=1"]) {
    const { status, body } = await server.api(`/stats/quality?${query}`);
    expect([status, pointers(body)], query).toEqual([400, [`/${query.split("=")[0]}`]]);
  }
  expect((await server.api("/stats/quality?link=nobody")).body).toMatchObject({ hits: 0, duplicate_rate: null });
});

test("a front end that is configured for it says where a visitor is", async () => {
  await server.api("/api/links", { token: "placed", url: "https://shop.example/" });
  const place = "country=AT&continent=EU&regionCode=9&city=Wien%0AX&timezone=Europe/Vienna&asn=64500";
  await server.fetch("/r/placed", { headers: { "user-agent": CHROME, "x-visitor-place": place } });
  await server.fetch("/r/placed", { headers: { "user-agent": CHROME, "cf-connecting-ip": "198.51.100.9", ...from("US", "NA", { timezone: "America/Chicago" }) } });
  await settles(async () => {
    const groups = async (dimension: string) => (await report(server, `link=placed&group_by=${dimension}`)).groups.map((group: any) => group.value).sort();
    expect(await groups("country")).toEqual(["AT", "US"]);
    expect(await groups("time_zone")).toEqual(["America/Chicago", "Europe/Vienna"]);
    expect(await groups("city")).toContain("WienX (AT)");
    expect(await totals(server, "link=placed&country=EU")).toMatchObject({ clicks: 1 });
    expect(await totals(server, "link=placed&country=-EU")).toMatchObject({ clicks: 1 });
  });
});
