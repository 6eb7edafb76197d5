import { once } from "node:events";
import { type IncomingMessage, type Server as HttpServer, createServer, request as ask } from "node:http";
import { createServer as createTlsServer, request as askTls } from "node:https";
import { type AddressInfo, type Socket, connect } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { certificate } from "./proxy";
import type { Server } from "./server";

/** A call of the API for the state, as it passed. */
export type Poll = { ifNoneMatch?: string; status: number };

/**
 * A reverse proxy before a server, such as networks have that know nothing of WebSockets. Real connections on both sides:
 * what a browser makes of a refused upgrade or of a line that went dead is what it makes of them anywhere. Before a server
 * that is reached by https it ends TLS, and begins it anew, as the proxies of some offices do.
 */
export class Gateway {
  /** Every call for the state. */
  readonly polls: Poll[] = [];
  /** How many upgrades were asked for. */
  upgrades = 0;
  private refusing = false;
  private storable = false;
  private cookieless = false;
  private readonly tunnels = new Set<{ near: Duplex; far: Socket }>();

  private constructor(
    private readonly http: HttpServer,
    private readonly server: Server,
    private readonly isSecure: boolean,
  ) {}

  static async start(server: Server): Promise<Gateway> {
    const isSecure = server.url.startsWith("https:");
    const http = isSecure ? createTlsServer(certificate()) : createServer();
    const gateway = new Gateway(http, server, isSecure);
    http.on("request", (request, answer) => {
      const { hostname, port } = new URL(server.url);
      const onwards = (isSecure ? askTls : ask)({ hostname, port, method: request.method, path: request.url, headers: gateway.headers(request) });
      onwards.on("response", (answered) => {
        if (request.url?.startsWith("/api/connections/session")) {
          gateway.polls.push({ ifNoneMatch: request.headers["if-none-match"], status: answered.statusCode ?? 0 });
        }
        if (gateway.storable) delete answered.headers["cache-control"];
        if (gateway.cookieless) delete answered.headers["set-cookie"];
        answer.writeHead(answered.statusCode ?? 502, answered.headers);
        answered.pipe(answer);
      });
      onwards.on("error", () => answer.destroy());
      request.pipe(onwards);
    });
    http.on("upgrade", (request, near) => gateway.upgrade(request, near));
    http.listen(0, "localhost");
    await once(http, "listening");
    return gateway;
  }

  /** From now on browsers behind it are like those that keep no cookie. */
  dropCookies(): void {
    this.cookieless = true;
  }

  /** Its address, without a slash at the end. */
  get url(): string {
    return `${this.isSecure ? "https" : "http"}://localhost:${(this.http.address() as AddressInfo).port}`;
  }

  private headers(request: IncomingMessage): Record<string, string | string[]> {
    const own = { host: new URL(this.server.url).host };
    const origin = request.headers.origin === this.url ? { origin: this.server.url } : {};
    return { ...(request.headers as Record<string, string>), ...own, ...origin };
  }

  private upgrade(request: IncomingMessage, near: Duplex): void {
    this.upgrades++;
    near.on("error", () => near.destroy());
    if (this.refusing) {
      near.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
      return;
    }
    const { hostname, port } = new URL(this.server.url);
    const far = this.isSecure
      ? connectTls({ port: Number(port), host: hostname, servername: hostname })
      : connect(Number(port), hostname);
    far.once(this.isSecure ? "secureConnect" : "connect", () => {
      const lines = Object.entries(this.headers(request)).map(([name, value]) => `${name}: ${value}`);
      far.write([`GET ${request.url} HTTP/1.1`, ...lines, "", ""].join("\r\n"));
      near.pipe(far).pipe(near);
    });
    far.on("error", () => near.destroy());
    far.on("close", () => near.destroy());
    near.on("close", () => far.destroy());
    this.tunnels.add({ near, far });
  }

  /** Takes the word out of every answer that it may not be stored. */
  letStore(): void {
    this.storable = true;
  }

  /** From now on no socket is let through; those that are open go on. */
  refuseUpgrades(): void {
    this.refusing = true;
  }

  allowUpgrades(): void {
    this.refusing = false;
  }

  /** Breaks off the sockets that are open. */
  cut(): void {
    for (const { near } of this.tunnels) near.destroy();
    this.tunnels.clear();
  }

  /** The sockets that are open go dead: nothing comes through any more, and neither side is told. */
  goDead(): void {
    for (const { near, far } of this.tunnels) {
      near.unpipe();
      far.unpipe();
      // What is sent goes nowhere, as into a cable that was pulled out.
      near.resume();
      far.resume();
    }
  }

  async stop(): Promise<void> {
    this.cut();
    this.http.closeAllConnections();
    this.http.close();
  }
}
