// `/metrics` as Prometheus reads it, and what is logged.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { settles, startServer } from "./server.ts";
import { anEvent, CHROME, click, GOOGLEBOT, integrity, post } from "./traffic.ts";

const python = execFileSync(join(import.meta.dirname, "../../dev/prometheus.sh"), { encoding: "utf8" }).trim();
const server = await startServer({ config: { log_sample: 3, gate_regions: false }, queue: { batchTimeout: 0 } });
afterAll(() => server.stop());

type Sample = [name: string, labels: Record<string, string>, value: number];
interface Family {
  name: string;
  type: string;
  unit: string;
  documentation: string;
  samples: Sample[];
}

/** What Prometheus' own client library makes of the text; it refuses what is not OpenMetrics. */
function parsed(text: string): Family[] {
  const script = `
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read
print(json.dumps([{"name": f.name, "type": f.type, "unit": f.unit, "documentation": f.documentation,
  "samples": [[s.name, s.labels, s.value] for s in f.samples]} for f in read(sys.stdin.read())]))`;
  return JSON.parse(execFileSync(python, ["-c", script], { input: text, encoding: "utf8" }));
}

const scrape = async () => {
  const response = await server.fetch("/metrics", { headers: { authorization: `Bearer ${server.token}` } });
  return { response, text: await response.text() };
};
const sum = (families: Family[], name: string, labels: Record<string, string> = {}) =>
  families
    .flatMap(({ samples }) => samples)
    .filter(([of, said]) => of === name && Object.entries(labels).every(([key, value]) => said[key] === value))
    .reduce((sum, [, , value]) => sum + value, 0);

test.skipIf(python === "")("Prometheus reads what there is", async () => {
  for (let n = 0; n < 5; n++) expect((await click(server, { campaign_id: "m" })).body.status).toBe("accepted");
  await click(server, { campaign_id: "m" }, { "user-agent": GOOGLEBOT });
  const twice = anEvent();
  for (let n = 0; n < 2; n++) await post(server, "/events/page", twice);
  await server.api("/api/alerts/busy", { name: "Busy", metric: "clicks", condition: "above", threshold: 1_000_000 }, "PUT");
  await settles(async () => expect(await integrity(server)).toMatchObject({ admitted: 7, applied: 7, duplicates_applied: 1 }));

  const { response, text } = await scrape();
  expect(response.headers.get("content-type")).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
  expect(text.endsWith("\n# EOF\n")).toBe(true);
  const families = parsed(text);
  expect(families.every(({ name, documentation }) => name.startsWith("clicktrail_") && documentation !== "")).toBe(true);
  const of = (name: string, labels = {}) => sum(families, `clicktrail_${name}`, labels);
  expect([of("events_admitted_total"), of("events_applied_total"), of("events_duplicate_total")]).toEqual([7, 7, 1]);
  expect([of("events_in_flight"), of("events_lost"), of("events_dead_lettered"), of("dead_letters")]).toEqual([0, 0, 0, 0]);
  expect([of("hits_total", { kind: "click", verdict: "human" }), of("hits_total", { kind: "click", verdict: "bot" })]).toEqual([5, 1]);
  expect([of("hits_total", { kind: "page", verdict: "human" }), of("hits_total", { kind: "page", verdict: "duplicate" })]).toEqual([1, 1]);
  expect(of("gate_up")).toBeGreaterThan(0);
  expect(of("database_size_bytes")).toBeGreaterThan(4_096);
  expect(of("archive_batches_total")).toBeGreaterThan(0);
  expect(of("build_info")).toBe(1);
  const units = families.filter(({ unit }) => unit !== "").map(({ name, unit }) => [name, unit]);
  expect(units.every(([name, unit]) => name.endsWith(`_${unit}`))).toBe(true);
  expect(units.map(([name]) => name)).toContain("clicktrail_database_size_bytes");
  const manual = readFileSync(join(import.meta.dirname, "../../docs/operations.md"), "utf8").matchAll(/clicktrail_[a-z_]+[a-z]/g);
  const named = [...new Set([...manual].map(([name]) => name.replace(/_total$/, "")))];
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((name) => !families.some((family) => family.name === name))).toEqual([]);
  const alerts = families.find(({ name }) => name === "clicktrail_alert_firing")?.samples;
  expect(alerts?.map(([, labels, value]) => [labels.metric, value])).toContainEqual(["clicks", 0]);
});

test("for ten seconds an isolate answers the same, whoever asks how often", async () => {
  const first = await scrape();
  await click(server);
  const asOf = (text: string) => /clicktrail_as_of_seconds (\d+)/.exec(text)?.[1];
  const second = await scrape();
  // The ten seconds may have been over in between; what is said then is newer by as much.
  expect(asOf(second.text) === asOf(first.text) || Number(asOf(second.text)) >= Number(asOf(first.text)) + 10).toBe(true);
});

test("a key for reports is enough, and one without that scope is not", async () => {
  const { body: reads } = await server.api("/api/keys", { name: "prometheus", scopes: ["stats:read"] });
  const { body: writes } = await server.api("/api/keys", { name: "tag", scopes: ["events:write"] });
  const ask = async (key?: string) => (await server.fetch("/metrics", key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } })).status;
  expect([await ask(reads.key), await ask(writes.key), await ask()]).toEqual([200, 403, 401]);
  expect((await server.fetch("/metrics", { method: "POST", headers: { authorization: `Bearer ${server.token}` } })).status).toBe(405);
});

test("a failure is one line of JSON that says what, where and why", async () => {
  await server.sql("ALTER TABLE applied RENAME TO applied_away");
  const address = "198.51.100.77";
  await click(server, {}, { "cf-connecting-ip": address, "user-agent": CHROME });
  const lines = () =>
    server.log
      .split("\n")
      .filter((line) => /^\[(warn|error)\] \{/.test(line))
      .map((line) => JSON.parse(line.replace(/^\[\w+\] /, "")));
  await settles(() => expect(lines()).toContainEqual(expect.objectContaining({ level: "error", part: "consumer", event: "batch_not_applied", reason: expect.stringContaining("applied") })));
  const { status } = await server.api("/stats/integrity");
  expect(status).toBe(503);
  await server.sql("ALTER TABLE applied_away RENAME TO applied");
  for (const line of lines()) expect(Object.keys(line).sort().filter((name) => name !== "id")).toEqual(["event", "level", "part", "reason"]);
  expect(server.log).not.toContain(address);
  expect(server.log).not.toContain(server.token + '"');
});
