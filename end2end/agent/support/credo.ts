import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { until } from "../../support/patience";
import { freePort } from "../../support/ports";

/** In milliseconds. */
const LONGEST_START = 60_000;
const PATIENCE = 30_000;

const ROOT = join(import.meta.dirname, "../../..");
const PROGRAM = join(import.meta.dirname, "../credo/wallet.mjs");
const ASKAR = join(ROOT, ".tools/agent/venv/askar/aries_askar");

/** What the wallet tells by itself; see ../credo/wallet.mjs. */
export type CredoEvent = {
  event: "ready" | "connection" | "proof" | "card";
  /** Of the connection, or of the exchange. */
  id: string;
  connectionId?: string;
  state: string;
  theirLabel?: string;
};

type Answer = { id: number; done?: Record<string, string>; failed?: string };

/** A wallet of another make, in a process of its own: Credo, the framework inside the ConfirmD wallet. */
export class CredoWallet {
  /** All that it told, in order. */
  readonly events: CredoEvent[] = [];
  log = "";
  private readonly answers: Answer[] = [];
  private asked = 0;
  private readonly process: ChildProcess;

  private constructor(
    private readonly folder: string,
    label: string,
    port: number,
  ) {
    this.process = spawn(process.execPath, [PROGRAM, label, `${port}`], {
      env: { PATH: process.env.PATH, HOME: folder, LIB_ARIES_ASKAR_PATH: ASKAR },
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.process.on("error", (error) => (this.log += `${error}\n`));
    // It may have ended before it was told something; what was meant to be said is missed when the answer is.
    this.process.stdin?.on("error", (error) => (this.log += `${error}\n`));
    this.process.stderr?.on("data", (chunk: Buffer) => (this.log += chunk));
    createInterface({ input: this.process.stdout! }).on("line", (line) => this.hear(line));
  }

  static async start(label: string): Promise<CredoWallet> {
    const installed = [join(PROGRAM, "../node_modules/.installed"), ASKAR].every((path) => existsSync(path));
    if (!installed) throw new Error("Credo is not installed: scripts/tools agent");
    const folder = await mkdtemp(join(tmpdir(), "vestibule-credo-"));
    const wallet = new CredoWallet(folder, label, await freePort());
    try {
      await wallet.waitFor("ready", () => true, LONGEST_START);
    } catch (error) {
      await wallet.remove();
      throw error;
    }
    return wallet;
  }

  private get runs(): boolean {
    return this.process.pid !== undefined && this.process.exitCode === null && this.process.signalCode === null;
  }

  private hear(line: string): void {
    this.log += `${line}\n`;
    try {
      const said: CredoEvent | Answer = JSON.parse(line);
      if ("event" in said) this.events.push(said);
      else this.answers.push(said);
    } catch {
      // A library that writes to the standard output; it is in the log.
    }
  }

  private async act(what: string, more: object = {}): Promise<Record<string, string>> {
    const id = ++this.asked;
    this.process.stdin?.write(`${JSON.stringify({ id, do: what, ...more })}\n`);
    const { done, failed } = await this.until(`the wallet can ${what}`, PATIENCE, () =>
      this.answers.find((answer) => answer.id === id),
    );
    if (!done) throw new Error(`the wallet cannot ${what}: ${failed}`);
    return done;
  }

  /** `until`, which ends with the wallet: it says nothing more then. */
  private async until<T>(what: string, patience: number, look: () => T | undefined): Promise<T> {
    return until(what, patience, async () => {
      const seen = look();
      if (seen === undefined && !this.runs) throw new Error(`${what}: the wallet ended\n${this.log}`);
      return seen;
    });
  }

  /** Accepts an invitation, which is a message or an address that holds or leads to one; gives back the connection's id, if it makes one. */
  async receive(invitation: string | object): Promise<string | undefined> {
    return (await this.act("receive", { invitation })).connectionId;
  }

  /** A new did:key of the wallet's own, which a JSON-LD card can be about. */
  async did(): Promise<string> {
    return (await this.act("did")).did;
  }

  /** Waits for an event such as this, which may have been told before. */
  async waitFor(
    event: CredoEvent["event"],
    such: (event: CredoEvent) => boolean,
    patience = PATIENCE,
  ): Promise<CredoEvent> {
    return this.until(`the wallet tells of the ${event}`, patience, () =>
      this.events.find((one) => one.event === event && such(one)),
    );
  }

  async waitForConnection(connectionId: string): Promise<CredoEvent> {
    return this.waitFor("connection", ({ id, state }) => id === connectionId && state === "completed");
  }

  /** Waits for a request that has come over this connection; gives back the exchange's id. */
  async waitForRequest(connectionId: string): Promise<string> {
    const such = (one: CredoEvent) => one.connectionId === connectionId && one.state === "request-received";
    return (await this.waitFor("proof", such)).id;
  }

  /** Shares what is asked, from a JSON-LD card. */
  async present(proofId: string): Promise<void> {
    await this.act("present", { proofId });
  }

  async decline(proofId: string, reason: string): Promise<void> {
    await this.act("decline", { proofId, reason });
  }

  /** Ends it at once; it has stored nothing. */
  async remove(): Promise<void> {
    if (this.runs) {
      const gone = once(this.process, "exit");
      this.process.kill("SIGKILL");
      await gone;
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}
