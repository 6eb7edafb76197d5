import { type Page, type WebSocketRoute, expect } from "@playwright/test";
import { CARD } from "./sample";

/** A message of the live protocol (design, section 4). */
export type Frame = {
  type: string;
  sessionId: string;
  attempt: number;
  version: number;
  stage: string;
  opened: boolean;
  theirLabel?: string;
  [field: string]: unknown;
};

const GOOD_WAY = ["waiting", "scanned", "connected", "requested", "presented", "verified", "submitted"];

const FIELDS = [
  "attempt",
  "delayed",
  "eventType",
  "expiresAt",
  "opened",
  "remainingMs",
  "sessionId",
  "stage",
  "status",
  "theirLabel",
  "timestamp",
  "type",
  "version",
];

/** Records every message that the server pushes to this page; call it before the page is opened. */
export function recordFrames(page: Page): Frame[] {
  const frames: Frame[] = [];
  page.on("websocket", (socket) => {
    socket.on("framereceived", ({ payload }) => frames.push(JSON.parse(payload.toString())));
  });
  return frames;
}

/** What holds for every socket: a welcome, then newer and newer states of one session, with nothing personal in them. */
export function expectOneStory(frames: Frame[]): void {
  expect(frames[0]?.type, "the first message is the welcome").toBe("connected");
  for (const [place, frame] of frames.entries()) {
    expect(FIELDS, "only documented fields are sent").toEqual(expect.arrayContaining(Object.keys(frame)));
    expect(frame.sessionId).toBe(frames[0].sessionId);
    // The times are left out: a year of graduation may well be the present one.
    const { timestamp: _, expiresAt: __, ...rest } = frame;
    for (const value of Object.values(CARD)) expect(JSON.stringify(rest)).not.toContain(value);
    if (place === 0) continue;
    expect(frame.type).toBe("status_update");
    expect(frame.version, "versions rise").toBeGreaterThan(frames[place - 1].version);
    const [before, after] = [frames[place - 1], frame].map(({ stage }) => GOOD_WAY.indexOf(stage));
    expect(after, `${frame.stage} comes no sooner than ${frames[place - 1].stage}`).toBeGreaterThanOrEqual(before);
  }
}

/** A page's line to the server, which a test can hold back or cut. Lay it before the page is opened. */
export class Line {
  /** What reached the page. */
  readonly delivered: Frame[] = [];
  /** What the server said while it was held back. */
  readonly held: Frame[] = [];
  private state: "open" | "holding" | "cut" = "open";
  private readonly sockets = new Set<WebSocketRoute>();

  static async lay(page: Page): Promise<Line> {
    const line = new Line();
    await page.routeWebSocket(/\/ws\/connections/, (socket) => line.connect(socket));
    return line;
  }

  private connect(socket: WebSocketRoute): void {
    if (this.state === "cut") {
      socket.close({ code: 1011, reason: "cut by the test" });
      return;
    }
    this.sockets.add(socket);
    const server = socket.connectToServer();
    server.onMessage((message) => {
      const frame: Frame = JSON.parse(message.toString());
      if (this.state === "holding" && frame.type === "status_update") {
        this.held.push(frame);
        return;
      }
      this.delivered.push(frame);
      socket.send(message);
    });
  }

  /** From now on the page gets no news, while its socket stays open. */
  hold(): void {
    this.state = "holding";
  }

  /** Closes what is open, and from now on every new socket at once. */
  async cut(): Promise<void> {
    this.state = "cut";
    for (const socket of this.sockets) await socket.close({ code: 1011, reason: "cut by the test" });
    this.sockets.clear();
  }

  /** New sockets go through again. What was held back stays lost. */
  mend(): void {
    this.state = "open";
  }
}
