import { expect, test } from "vitest";
import { startServer } from "./server.ts";

test("a started server says that it is healthy", async () => {
  await using server = await startServer();
  expect((await server.fetch("/healthz")).status).toBe(200);
});
