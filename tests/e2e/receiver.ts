// Somebody else's server: hears what it is told, and answers as a test wants.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Heard {
  path: string;
  method: string;
  headers: Record<string, string>;
  body: string;
}

export class Receiver {
  heard: Heard[] = [];
  /** What the next requests to a path are answered, in turn; 204 where nothing is said. */
  readonly answers = new Map<string, { status: number; headers?: Record<string, string>; body?: string }[]>();
  readonly #server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text) => (body += text));
    request.on("end", () => {
      const path = request.url ?? "";
      this.heard.push({ path, method: request.method ?? "", headers: request.headers as Record<string, string>, body });
      const { status, headers, body: text } = this.answers.get(path)?.shift() ?? { status: 204 };
      response.writeHead(status, headers).end(text);
    });
  });

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  /** What was heard at a path, oldest first. */
  at(path: string): Heard[] {
    return this.heard.filter((heard) => heard.path === path);
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
