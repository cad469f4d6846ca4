// The tour of README.md, every command of it, as a newcomer would paste it.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { startServer } from "./server.ts";

const server = await startServer({ queue: { batchTimeout: 1 } });
afterAll(() => server.stop());

test("each command of the tour works, twice over, and what it did is counted", async () => {
  for (let i = 0; i < 2; i++) {
    const { stdout } = await promisify(execFile)("bash", [join(import.meta.dirname, "../../dev/tour.sh"), server.url, server.token]);
    expect(stdout).toContain("everything was counted");
    expect(stdout).toContain('"status":"duplicate"');
  }
});
