// Where the service does not go, whoever asks. As it is configured by itself: no private networks.
import { afterAll, expect, test } from "vitest";
import { Receiver } from "./receiver.ts";
import { eventually, settles, startServer } from "./server.ts";
import { pointers } from "./traffic.ts";

const receiver = await new Receiver().start();
const server = await startServer({ queue: { batchTimeout: 0 } });
afterAll(async () => {
  await server.stop();
  receiver.stop();
});

const create = (url: string) => server.api("/api/webhooks", { name: "x", url, events: ["link.created"] });

test("no address of a private network is taken, however it is spelt", async () => {
  for (const host of [
    "127.0.0.1",
    "127.1",
    "0.0.0.0",
    "169.254.169.254",
    "[::1]",
    "[::]",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[fd00::1]",
    "[fe80::1]",
    "[64:ff9b::7f00:1]",
    "localhost",
    "LOCALHOST.",
    "127.0.0.1.",
    "a.localhost",
    "metadata.google.internal",
    "metadata.google.internal.",
    "printer.local",
    "intranet",
    "１２７.0.0.1",
    "%31%32%37.0.0.1",
  ]) {
    const { status, body } = await create(`https://${host}/hook`);
    expect([status, pointers(body)], host).toEqual([400, ["/url"]]);
  }
});

test("nor one that is not encrypted, or that names a user", async () => {
  for (const url of ["http://hooks.example/", "https://user:word@hooks.example/", "https://hooks.example@127.0.0.1/", "file:///etc/passwd", "//hooks.example/", "gopher://x/"]) {
    const { status, body } = await create(url);
    expect([status, pointers(body)], url).toEqual([400, ["/url"]]);
  }
  const made = await create("https://hooks.example/");
  expect(made.status).toBe(201);
  const patched = await server.api(`/api/webhooks/${made.body.id}`, { url: "https://127.0.0.1/" }, "PATCH");
  expect([patched.status, pointers(patched.body)]).toEqual([400, ["/url"]]);
});

test("an address that got into the database is judged again at each try", async () => {
  const made = await create("https://hooks.example/");
  await server.sql("UPDATE catalog SET record = json_set(record, '$.url', ?) WHERE id = ?", [receiver.url("/inside"), made.body.id]);
  const tested = await server.api(`/api/webhooks/${made.body.id}/test`, {});
  expect(tested.body).toMatchObject({ delivered: false, status: null, error: "not sent: the address is not https" });
  await server.api("/api/links", { token: "inside", url: "https://example.com/" });
  const log = async () => (await server.api(`/api/deliveries?webhook_id=${made.body.id}`)).body.data;
  await eventually(async () => (await log()).length);
  await settles(async () => expect(await log()).toMatchObject([{ state: "waiting", error: "not sent: the address is not https" }]));
  expect(receiver.heard).toEqual([]);
});
