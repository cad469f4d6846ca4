// nginx and Caddy with the blocks of docs/self-hosting.md as they stand there: other ports and a certificate of the test's own are
// all that is put in their place.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type RequestOptions, request } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./server.ts";

export type Program = "nginx" | "caddy";

export const installed = (program: string, flag = "version") => spawnSync(program, [flag]).status === 0;

const manual = readFileSync(join(import.meta.dirname, "../../docs/self-hosting.md"), "utf8");
const block = (program: Program) => new RegExp(`^\`\`\`${program}\n([^]*?)^\`\`\``, "m").exec(manual)![1]!;

/** `text` with one thing in the place of another, which has to be there. */
function put(text: string, what: string, instead: string): string {
  if (!text.includes(what)) throw new Error(`the manual has no ${what}`);
  return text.replaceAll(what, instead);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

export interface Answered {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

export class Proxy {
  readonly url: string;
  readonly #port: number;
  readonly #folder: string;
  readonly #child: ChildProcess;
  log = "";

  constructor(port: number, folder: string, child: ChildProcess) {
    this.url = `https://clk.example:${port}`;
    this.#port = port;
    this.#folder = folder;
    this.#child = child;
    child.stderr!.setEncoding("utf8").on("data", (text: string) => (this.log += text));
  }

  /** As a visitor of clk.example asks, the path as it is. */
  ask(path: string, options: RequestOptions = {}, body: string | Uint8Array = ""): Promise<Answered> {
    const headers = { host: `clk.example:${this.#port}`, ...(options.headers as object) };
    return new Promise((resolve, reject) => {
      const sent = request({ ...options, host: "127.0.0.1", port: this.#port, path, servername: "clk.example", rejectUnauthorized: false, headers }, async (response) => {
        let text = "";
        for await (const part of response.setEncoding("utf8")) text += part;
        resolve({ status: response.statusCode!, headers: response.headers, text });
      });
      sent.on("error", reject).end(body);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null) {
      const gone = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      await gone;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The proxy of the manual before `upstream`, a URL. */
export async function startProxy(program: Program, upstream: string): Promise<Proxy> {
  const folder = mkdtempSync(join(tmpdir(), `clicktrail-${program}-`));
  const [port, plain] = [await freePort(), await freePort()];
  const site = put(block(program), "127.0.0.1:8787", new URL(upstream).host);
  const file = join(folder, "configuration");
  writeFileSync(file, program === "caddy" ? caddy(site, port, plain) : nginx(site, port, plain, folder));
  const [command, ...args] =
    program === "caddy" ? ["caddy", "run", "--adapter", "caddyfile", "--config", file] : ["nginx", "-p", folder, "-e", "stderr", "-c", file];
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const proxy = new Proxy(port, folder, spawn(command!, args, { env, stdio: ["ignore", "ignore", "pipe"] }));
  await eventually(() => proxy.ask("/healthz").catch(() => undefined)).catch((error) => {
    throw new Error(`${program} does not answer: ${error}\n${proxy.log}`);
  });
  return proxy;
}

function caddy(site: string, port: number, plain: number): string {
  return `{
  admin off
  local_certs
  skip_install_trust
  https_port ${port}
  http_port ${plain}
}
${site}`;
}

function nginx(site: string, port: number, plain: number, folder: string): string {
  const [certificate, key] = [join(folder, "certificate.pem"), join(folder, "key.pem")];
  const asked = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=clk.example"];
  if (spawnSync("openssl", asked).status !== 0) throw new Error("openssl made no certificate");
  let own = put(site, "listen 443 ", `listen 127.0.0.1:${port} `);
  own = put(own, "listen 80;", `listen 127.0.0.1:${plain};`);
  own = put(own, "/etc/letsencrypt/live/clk.example/fullchain.pem", certificate);
  own = put(own, "/etc/letsencrypt/live/clk.example/privkey.pem", key);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${folder}/${name};`);
  return `daemon off; master_process off; pid ${folder}/pid;
events {}
http { access_log off; ${temporary.join(" ")}
${own}}`;
}
