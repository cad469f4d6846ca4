// The main module of `make serve`: the Worker, which answers before it has read what it refuses, and is then patient. workerd closes a
// connection of whose body something is left, and a proxy that is still sending makes 502 of an answer such as 401 or 413. On
// the platform that is the edge's to bear.
import worker from "./entry.mjs";

export * from "./entry.mjs";

/** Eight times what anything takes: whoever sends more finds the connection closed. */
const MOST_BYTES = 64 << 20;
const PATIENCE_MS = 10_000;

export default {
  ...worker,
  async fetch(request, env, ctx) {
    const response = await worker.fetch(request, env, ctx);
    if (request.body !== null && !request.bodyUsed) await passed(request.body);
    return response;
  },
};

async function passed(body) {
  const reader = body.getReader();
  const late = setTimeout(() => reader.cancel().catch(() => {}), PATIENCE_MS);
  try {
    for (let bytes = 0, part; bytes < MOST_BYTES && !(part = await reader.read()).done; ) bytes += part.value.length;
  } catch {
    // Whoever broke off is not waiting for an answer.
  } finally {
    clearTimeout(late);
  }
}
