import type { BrowserContext } from "@playwright/test";

/** Collects what goes wrong inside the pages, so that no test passes over it. */
export class Faults {
  private readonly found: string[] = [];
  private readonly allowed: RegExp[] = [];

  watch(context: BrowserContext): void {
    context.on("weberror", (error) => this.found.push(`uncaught: ${error.error().stack ?? error.error()}`));
    context.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.found.push(`console: ${message.text()} (${message.location().url})`);
    });
  }

  /** For tests that break something on purpose, or open what is not there: the browser reports that too. */
  allow(...expected: RegExp[]): void {
    this.allowed.push(...expected);
  }

  unexpected(): string[] {
    return this.found.filter((fault) => !this.allowed.some((allowed) => allowed.test(fault)));
  }
}

/** What Chromium says of a page that came with this status. */
export const statusOf = (status: number) => new RegExp(`Failed to load resource: .* status of ${status} `);

/** What Chromium says some seconds after it fetched what it is then not allowed to run: without JavaScript. */
export const FETCHED_IN_VAIN = /was preloaded using link preload but not used/;

/** What Chromium says of sockets and requests while the server is away, also behind a proxy that is there. */
export const SERVER_AWAY = [
  /WebSocket connection to .* failed/,
  /net::ERR_(CONNECTION|EMPTY_RESPONSE|SOCKET)/,
  statusOf(502),
];
