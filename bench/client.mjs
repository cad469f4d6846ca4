// The load: HTTP/1.1 over raw sockets that stay open, one request at a time on each.
import { connect } from "node:net";

export class Connection {
  #socket;
  #received = "";
  #answer;
  #sent = 0;
  closed = false;

  static async to(origin) {
    const { hostname, port } = new URL(origin);
    const connection = new Connection();
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    connection.#socket = socket;
    socket.setEncoding("latin1");
    socket.on("data", (text) => connection.#take(text));
    socket.on("error", (error) => connection.#answer?.reject(error));
    socket.on("close", () => {
      connection.closed = true;
      connection.#answer?.reject(new Error(`the connection was closed ${Math.round(performance.now() - connection.#sent)} ms after a request`));
    });
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
    return connection;
  }

  /** Sends a request and gives the answer's `{status, body}`. */
  send(bytes) {
    return new Promise((resolve, reject) => {
      this.#answer = { resolve, reject };
      this.#sent = performance.now();
      this.#socket.write(bytes);
    });
  }

  #take(text) {
    this.#received += text;
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.#received.slice(0, end);
    const rest = this.#received.slice(end + 4);
    const length = /^content-length: (\d+)/im.exec(head)?.[1];
    if (length !== undefined ? rest.length < Number(length) : /^transfer-encoding: chunked/im.test(head) && !rest.endsWith("0\r\n\r\n")) return;
    this.#received = "";
    const { resolve } = this.#answer;
    this.#answer = undefined;
    resolve({ status: Number(head.slice(9, 12)), body: rest });
  }

  close() {
    this.#answer = undefined;
    this.#socket.destroy();
  }
}

/** What came of a load: how many answers of each status, and how long each took, ms. */
class Outcome {
  requests = 0;
  statuses = new Map();
  latencies = [];

  add({ status }, ms) {
    this.requests += 1;
    this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1);
    this.latencies.push(ms);
  }

  /** The latency that a share of the answers did not exceed. */
  quantile(share) {
    const sorted = this.latencies.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  }
}

/** Each connection sends as soon as it was answered, until the time is over or so many were sent. */
export async function closedLoop(origin, { connections, seconds = Infinity, requests = Infinity, next }) {
  const outcome = new Outcome();
  let left = requests;
  const end = performance.now() + seconds * 1_000;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const connection = await Connection.to(origin);
      for (let now = performance.now(); now < end && left-- > 0; now = performance.now()) {
        outcome.add(await connection.send(next()), performance.now() - now);
      }
      connection.close();
    }),
  );
  return outcome;
}

/** Requests at a fixed rate, whoever is late: latency counts from the moment at which a request was due. */
export async function openLoop(origin, { rate, seconds, next, outcome = new Outcome() }) {
  const idle = [];
  const open = [];
  const underWay = new Set();
  const began = performance.now();
  const total = rate * seconds;
  async function one(dueMs) {
    // The one that has rested longest: workerd closes what rests for seconds.
    let connection = idle.shift();
    while (connection?.closed) connection = idle.shift();
    if (connection === undefined) {
      connection = await Connection.to(origin);
      open.push(connection);
    }
    const request = next();
    outcome.add(await connection.send(request), performance.now() - dueMs, request);
    idle.push(connection);
  }
  for (let sent = 0; sent < total; ) {
    for (const due = Math.min(total, ((performance.now() - began) / 1_000) * rate); sent < due; sent++) {
      const request = one(began + (sent / rate) * 1_000)
        .catch((error) => {
          if (outcome.failed === undefined) throw error;
          outcome.failed(error);
        })
        .finally(() => underWay.delete(request));
      underWay.add(request);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.all(underWay);
  for (const connection of open) connection.close();
  return outcome;
}
