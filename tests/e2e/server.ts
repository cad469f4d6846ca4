// The product as its users meet it: the built wasm in workerd behind HTTP, started and stopped by a test.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { conforms } from "./openapi.ts";

const root = join(import.meta.dirname, "../..");

export interface ServerOptions {
  /** Laid over `vars.CONFIG` of wrangler.toml. */
  config?: Record<string, unknown>;
  /** Laid over the `cf` object of every request. */
  cf?: Record<string, unknown>;
  /** The folder of the embedded state; without it a fresh one, removed by `stop`. */
  state?: string;
  port?: number;
  /** Also open the Worker's own socket, `server.direct`. */
  direct?: boolean;
  queue?: { batchSize?: number; batchTimeout?: number; retries?: number };
  /** R2 answers with errors. */
  bucketsDown?: boolean;
  /** Keep what is written to Analytics Engine, for `server.points()`. */
  points?: boolean;
  /** Create the link `/r/demo`. */
  demo?: boolean;
  /** Turn rate limits on, with other numbers for those named. */
  limits?: Record<string, number>;
  /** Another `ADMIN_TOKEN`. */
  adminToken?: string;
  /** As it is served to visitors from elsewhere, behind a proxy. */
  public?: boolean;
  /** Run the cron triggers on the minute; without it only `server.scheduled()` runs them. */
  cron?: boolean;
}

interface Ready {
  url: string;
  direct?: string;
  token: string;
  workerd?: number;
}

export async function startServer(options: ServerOptions = {}): Promise<Server> {
  if (!existsSync(join(root, "build/index_bg.wasm"))) throw new Error("there is no wasm to serve: run `make build`");
  const server = new Server(options);
  await server.start();
  return server;
}

export class Server {
  url = "";
  direct: string | undefined;
  token = "";
  workerd: number | undefined;
  /** What the Worker and Miniflare printed: warnings and errors. */
  log = "";

  readonly #options: ServerOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), "clicktrail-"));
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();
  #child: ChildProcessWithoutNullStreams | undefined;

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  get state(): string {
    return this.#options.state ?? join(this.#folder, "state");
  }

  async start(): Promise<void> {
    const { config, cf, queue, direct, demo, cron, points, limits, adminToken, bucketsDown, public: isPublic } = this.#options;
    const temporary = join(this.#folder, "tmp");
    mkdirSync(temporary, { recursive: true });
    const port = this.url === "" ? (this.#options.port ?? 0) : Number(new URL(this.url).port);
    const args = ["dev/serve.mjs", "--json", "--state", this.state, "--port", String(port)];
    if (config) args.push("--config", JSON.stringify(config));
    if (cf) args.push("--cf", JSON.stringify(cf));
    if (queue?.batchSize !== undefined) args.push("--queue-batch-size", String(queue.batchSize));
    if (queue?.batchTimeout !== undefined) args.push("--queue-batch-timeout", String(queue.batchTimeout));
    if (queue?.retries !== undefined) args.push("--queue-retries", String(queue.retries));
    if (direct) args.push("--direct-port", "0");
    if (limits) args.push("--limits", JSON.stringify(limits));
    if (adminToken) args.push("--admin-token", adminToken);
    if (isPublic) args.push("--public");
    if (points) args.push("--points");
    if (bucketsDown) args.push("--buckets-down");
    if (!demo) args.push("--no-demo");
    if (!cron) args.push("--no-cron");

    const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, TMPDIR: temporary } });
    this.#child = child;
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.log += text));
    const ready = await new Promise<Ready>((resolve, reject) => {
      createInterface({ input: child.stdout }).on("line", (line) => this.#heard(line, resolve));
      child.once("error", reject);
      child.once("exit", (code) => {
        reject(new Error(`the server ended with ${code} before it was ready:\n${this.log}`));
        for (const { reject } of this.#asked.values()) reject(new Error(`the server ended with ${code}`));
        this.#asked.clear();
      });
    });
    ({ url: this.url, direct: this.direct, token: this.token, workerd: this.workerd } = ready);
  }

  #heard(line: string, ready: (ready: Ready) => void): void {
    if (!line.startsWith("{")) {
      this.log += `${line}\n`;
      return;
    }
    const message = JSON.parse(line);
    if (message.ready) return ready(message);
    const asked = this.#asked.get(message.id);
    this.#asked.delete(message.id);
    if (message.error === undefined) asked?.resolve(message.result);
    else asked?.reject(new Error(message.error));
  }

  #nextId = 0;
  #ask(act: string, request: object): Promise<unknown> {
    const id = this.#nextId++;
    const asked = Promise.withResolvers<unknown>();
    this.#asked.set(id, asked);
    this.#child?.stdin.write(`${JSON.stringify({ id, do: act, ...request })}\n`);
    return asked.promise;
  }

  /** A visitor's request: redirects are not followed. An answer that docs/openapi.json does not know is an error. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const response = await fetch(this.url + path, { redirect: "manual", ...init });
    await conforms(init.method ?? "GET", this.url + path, response);
    return response;
  }

  /** A request with the admin's key; `body` is sent as JSON, with POST unless `method` says otherwise. */
  async api<T = any>(path: string, body?: unknown, method = body === undefined ? "GET" : "POST"): Promise<{ status: number; body: T }> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.token}` };
    if (body !== undefined) headers["content-type"] = "application/json";
    const response = await this.fetch(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    const text = await response.text();
    return { status: response.status, body: (text === "" ? undefined : JSON.parse(text)) as T };
  }

  /** A Durable Object loses its memory, as after ten idle seconds; its storage stays. */
  async evict(className: string, name: string): Promise<void> {
    await this.#ask("evict", { className, name });
  }

  async scheduled(cron = "* * * * *"): Promise<void> {
    await this.#ask("scheduled", { cron });
  }

  /** The minute's tick at the full hour. */
  async everyHour(): Promise<void> {
    await this.#ask("scheduled", { cron: "* * * * *", time: Math.floor(Date.now() / 3_600_000) * 3_600_000 });
  }

  /** Rows of a statement on D1. To take the database down, rename a table away; to bring it back, rename it again. */
  async sql<Row = Record<string, unknown>>(sql: string, params: unknown[] = [], binding = "DB"): Promise<Row[]> {
    return (await this.#ask("sql", { sql, params, binding })) as Row[];
  }

  /** Puts a message into a queue, whatever its bytes. */
  async send(bytes: Uint8Array, binding = "EVENTS"): Promise<void> {
    await this.#ask("send", { binding, base64: Buffer.from(bytes).toString("base64") });
  }

  /** The objects of a bucket, with their bytes. */
  async objects(binding = "ARCHIVE"): Promise<{ name: string; bytes: Buffer }[]> {
    const objects = (await this.#ask("objects", { binding })) as { name: string; base64: string }[];
    return objects.map(({ name, base64 }) => ({ name, bytes: Buffer.from(base64, "base64") }));
  }

  /** Puts an object into a bucket. */
  async put(name: string, bytes: Uint8Array, binding = "ARCHIVE"): Promise<void> {
    await this.#ask("put", { binding, name, base64: Buffer.from(bytes).toString("base64") });
  }

  /** What was written to Analytics Engine so far, if the server was started with `points`. */
  async points(): Promise<{ indexes: string[]; blobs: string[]; doubles: number[] }[]> {
    return (await this.#ask("points", {})) as { indexes: string[]; blobs: string[]; doubles: number[] }[];
  }

  /** The files of a class's objects: each object has a database, which may be opened beside workerd. */
  objectFiles(className: string): string[] {
    const folder = join(this.state, "v3/do");
    const names = existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: "utf8" }) : [];
    return names
      .filter((name) => name.endsWith(".sqlite") && !name.endsWith("metadata.sqlite") && name.split("/")[0].endsWith(className))
      .map((name) => join(folder, name));
  }

  /** What a power cut does: nothing is told, nothing is flushed. The state stays. */
  async kill9(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    // node first: it would start another workerd
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    if (this.workerd !== undefined) process.kill(this.workerd, "SIGKILL");
    await gone;
    await eventually(() => refused(this.url));
  }

  /** Starts again on the same state and port; what still runs is killed first. */
  async restart(): Promise<void> {
    await this.kill9();
    await this.start();
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function refused(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    socket.once("connect", () => (socket.destroy(), resolve(false)));
    socket.once("error", () => resolve(true));
  });
}

/**
 * Asks until `condition` gives something truthy, and gives that. An assertion that throws counts as "not yet": when the
 * deadline passes it is the error that the test reports.
 */
export async function eventually<T>(condition: () => T | Promise<T>, deadlineMs = 20_000): Promise<NonNullable<T>> {
  const end = performance.now() + deadlineMs;
  for (let pause = 10; ; pause = Math.min(pause * 1.5, 250)) {
    let missed: unknown;
    try {
      const value = await condition();
      if (value) return value;
      missed = new Error(`still ${JSON.stringify(value)} after ${deadlineMs} ms: ${condition}`);
    } catch (error) {
      missed = error;
    }
    if (performance.now() > end) throw missed;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** Repeats assertions until they hold. */
export async function settles(assertions: () => void | Promise<void>, deadlineMs?: number): Promise<void> {
  await eventually(async () => (await assertions(), true), deadlineMs);
}
