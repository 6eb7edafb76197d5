import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./ports";
import { Proxy } from "./proxy";

export type Env = Record<string, string>;

/** What `PUT /sandbox/behaviour` takes. What is left out goes back to its default. */
export type Behaviour = {
  webhook?: "envelope" | "gateway" | "flat" | "any";
  invitationUrl?: "short" | "long" | "legacy" | "object" | "redirect";
  recordId?: boolean;
  outOfBandId?: "everywhere" | "tags" | "nowhere";
  /** How often an event is sent: one of these, by chance. */
  copies?: number[];
  /** Milliseconds by which each copy is late, by chance. */
  delay?: [least: number, most: number];
  /** Milliseconds between the steps of the wallet and the agent. */
  pace?: number;
  seed?: number;
  /** Milliseconds by which answers of the API come after their effect. */
  answerDelay?: number;
  /** What the next calls of the API meet. */
  faults?: ("none" | "refused" | "unauthorized" | "tooMany" | "error" | "lost" | "hang" | "nonsense")[];
  down?: boolean;
};

/** Long enough for the sandbox to stay where it is for the rest of a test. */
export const FOREVER = 3_600_000;

const ROOT = join(import.meta.dirname, "../..");
// Another build can be tested as well: VESTIBULE names its binary, LEPTOS_SITE_ROOT its site.
const BINARY = process.env.VESTIBULE ?? join(ROOT, "target/release/vestibule");
const PASSED_ON = ["PATH", "HOME", "LEPTOS_SITE_ROOT"];

export const WEBHOOK_SECRET = "made-up-for-the-tests";
export const ADMIN_TOKEN = "made-up-for-the-staff-of-the-tests";

/** A server process of the test's own, with its own database. */
export class Server {
  /** Its address, as it said when it started; without a slash at the end. */
  url = "";
  log = "";
  /** Where it listens. */
  port = "0";
  private process?: ChildProcess;

  private constructor(
    private readonly folder: string,
    private readonly env: Env,
    /** Ends TLS before it, where the tests run behind TLS. */
    readonly proxy?: Proxy,
  ) {}

  /** Starts one, on a free port unless others have to know it before. */
  static async start(env: Env = {}, port = "0"): Promise<Server> {
    const folder = await mkdtemp(join(tmpdir(), "vestibule-e2e-"));
    if (!Proxy.isWanted) return new Server(folder, env).run(port);
    // Each has to know where the other is.
    const own = port === "0" ? await freePort() : Number(port);
    const proxy = await Proxy.start(own);
    const behind = { PUBLIC_URL: proxy.url, TRUSTED_PROXIES: "127.0.0.1" };
    const server = new Server(folder, { ...behind, ...env }, proxy);
    // Whoever called us knows nothing yet that it could stop.
    return server.run(`${own}`).catch(async (error) => {
      await server.remove();
      throw error;
    });
  }

  private async run(port: string): Promise<this> {
    this.port = port;
    // Nothing of the developer's own environment: a SECRET_KEY or PUBLIC_URL set there would make other tests of these.
    const inherited = PASSED_ON.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
    const process_ = spawn(BINARY, [], {
      cwd: ROOT,
      env: {
        ...Object.fromEntries(inherited),
        DATABASE_URL: `sqlite://${join(this.folder, "v.db")}`,
        RATE_SESSIONS: "off",
        WEBHOOK_SECRET,
        ADMIN_TOKEN,
        ...this.env,
        PORT: port,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.process = process_;
    const before = this.log.length;
    this.url = await new Promise((open, fail) => {
      const heard = (chunk: Buffer) => {
        this.log += chunk.toString();
        const greeting = /Vestibule is open at (\S+)\//.exec(this.log.slice(before));
        if (greeting) open(greeting[1]);
      };
      process_.stdout.on("data", heard);
      process_.stderr.on("data", heard);
      process_.once("error", fail);
      process_.once("exit", (code) => fail(new Error(`the server did not start (exit status ${code}):\n${this.log}`)));
    });
    if (port === "0") this.port = new URL(this.url).port;
    return this;
  }

  /** Ends it at once, wherever it is: it cannot finish or say goodbye. */
  async kill(): Promise<void> {
    await this.end("SIGKILL");
    this.log += "--- killed\n";
  }

  /** Ends it as an operator does: it finishes what it is at, and says goodbye to its sockets. */
  async stop(): Promise<void> {
    await this.end("SIGTERM");
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const running = this.process;
    this.process = undefined;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const gone = once(running, "exit");
    running.kill(signal);
    await gone;
  }

  /** Starts it again at the same address, with the same database. */
  async restart(): Promise<void> {
    await this.run(this.port);
  }

  /** Ends it and removes what it stored. */
  async remove(): Promise<void> {
    await this.kill();
    await this.proxy?.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Changes how the sandbox's platform and wallet behave. */
  async behave(behaviour: Behaviour): Promise<void> {
    const answer = await fetch(`${this.url}/sandbox/behaviour`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(behaviour),
    });
    if (!answer.ok) throw new Error(`the sandbox does not take ${JSON.stringify(behaviour)}: ${answer.status}`);
  }

  /** How many sockets each session has. */
  async sockets(): Promise<{ sessionId: string; clients: number }[]> {
    const answer = await fetch(`${this.url}/api/admin/websocket-stats`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    if (!answer.ok) throw new Error(`the server does not tell its sockets: ${answer.status}`);
    return (await answer.json()).sessionCounts;
  }

  /** Delivers a webhook as the platform would. */
  async deliver(body: object): Promise<void> {
    const answer = await fetch(`${this.url}/api/webhooks/confirmd`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-api-key": WEBHOOK_SECRET },
      body: JSON.stringify(body),
    });
    if (answer.status !== 200) throw new Error(`the webhook was refused: ${answer.status} ${await answer.text()}`);
  }
}
