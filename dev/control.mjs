// What a test may ask of a running serve.mjs: one JSON object a line on stdin, `{"id", "do", ...}`, answered on stdout.
// When stdin ends the asker is gone, and the server with it: a test run that is killed leaves no workerd behind.
import { createInterface } from "node:readline";

export function listen(mf, worker, points, answer, stop) {
  const acts = {
    /** Forgets a Durable Object's memory, as an eviction would; its storage stays. */
    async evict({ className, name }) {
      await mf.unsafeEvictDurableObject(worker, className, { name });
    },
    async scheduled({ cron, time = Date.now() }) {
      return await (await mf.getWorker(worker)).scheduled({ cron, scheduledTime: new Date(time) });
    },
    /** Rows of a statement on D1. A table renamed away is a database that is down. */
    async sql({ binding, sql, params }) {
      const statement = (await mf.getD1Database(binding, worker)).prepare(sql);
      return (await statement.bind(...params).all()).results;
    },
    /** The objects of a bucket: names and bytes. */
    async objects({ binding }) {
      const bucket = await mf.getR2Bucket(binding, worker);
      const { objects } = await bucket.list();
      const bytes = async (name) => Buffer.from(await (await bucket.get(name)).arrayBuffer()).toString("base64");
      return Promise.all(objects.map(async ({ key }) => ({ name: key, base64: await bytes(key) })));
    },
    /** Puts an object into a bucket. */
    async put({ binding, name, base64 }) {
      await (await mf.getR2Bucket(binding, worker)).put(name, Buffer.from(base64, "base64"));
    },
    /** What was written to Analytics Engine so far. */
    async points() {
      return points;
    },
    /** Puts bytes into a queue, as a gate does, or as nothing should. */
    async send({ binding, base64 }) {
      const queue = await mf.getQueueProducer(binding, worker);
      await queue.send(Buffer.from(base64, "base64"), { contentType: "bytes" });
    },
  };
  const lines = createInterface({ input: process.stdin });
  lines.on("line", async (line) => {
    const { id, do: act, ...request } = JSON.parse(line);
    try {
      answer({ id, result: (await acts[act](request)) ?? null });
    } catch (error) {
      answer({ id, error: String(error?.message ?? error) });
    }
  });
  lines.on("close", stop);
}
