import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Admin } from "./admin";
import { until } from "../../support/patience";
import { freePort } from "../../support/ports";

/** What a test may say of an agent. Nothing is verified, presented or declined by itself, whatever it says. */
export type AgentOptions = {
  /** What other wallets call it. */
  label: string;
  /** A holder takes invitations and the credentials that it is offered; an issuer lets everybody connect and hands out what it offered. */
  role: "verifier" | "holder" | "issuer";
  /** The folder of the AnonCreds registry; without one there are no AnonCreds. */
  registry?: string;
  /** Where it posts what happens, and the `x-api-key` it posts it with. */
  webhook?: Webhook;
  /** Serves tenants: the agent itself only makes them. */
  tenants?: boolean;
  /** 32 characters from which its local DID is made; without it there is none. */
  seed?: string;
  /** Further flags of `aca-py start`, such as `--debug-webhooks`. */
  flags?: string[];
};

export type Webhook = { url: string; key: string };

const ROOT = join(import.meta.dirname, "../../..");
const PROGRAM = join(ROOT, ".tools/agent/venv/bin/aca-py");
export const API_KEY = "made-up-for-the-agents-of-the-tests";
const WALLET_KEY = "made-up-for-the-wallets-of-the-tests";

/** In milliseconds; on a machine with nothing else to do it takes three seconds. */
const LONGEST_START = 90_000;
const LONGEST_GOODBYE = 10_000;

const FLAGS = {
  verifier: [],
  holder: ["--auto-accept-invites", "--auto-respond-credential-offer", "--auto-store-credential"],
  issuer: ["--auto-accept-requests", "--auto-respond-credential-request"],
};

/** The agents that run: none of them outlives the process that tests, whatever becomes of the test. */
const running = new Set<ChildProcess>();
process.once("exit", () => running.forEach((agent) => agent.kill("SIGKILL")));

/** A process of ACA-Py, with a store, a home and ports of its own, on the loopback address alone. */
export class Agent {
  readonly admin: Admin;
  private process?: ChildProcess;

  private constructor(
    private readonly folder: string,
    private readonly options: AgentOptions,
    private readonly ports: { admin: number; didcomm: number },
  ) {
    this.admin = new Admin(`http://127.0.0.1:${ports.admin}`, { "x-api-key": API_KEY });
  }

  static async start(options: AgentOptions): Promise<Agent> {
    if (!existsSync(PROGRAM)) throw new Error("ACA-Py is not installed: scripts/tools agent");
    const folder = await mkdtemp(join(tmpdir(), "vestibule-agent-"));
    const agent = new Agent(folder, options, { admin: await freePort(), didcomm: await freePort() });
    try {
      await agent.run();
    } catch (error) {
      await agent.remove();
      throw error;
    }
    return agent;
  }

  get label(): string {
    return this.options.label;
  }

  /** What it complained of since it was started first; with the flags `--log-level debug` all that it did. */
  get log(): string {
    return readFileSync(join(this.folder, "log"), "utf8");
  }

  call: Admin["call"] = (method, path, body) => this.admin.call(method, path, body);

  private async run(): Promise<void> {
    const log = await open(join(this.folder, "log"), "a");
    const agent = spawn(PROGRAM, ["start", ...this.flags()], {
      cwd: this.folder,
      // Nothing of the developer's own: an agent reads every ACAPY_ variable there is, and keeps its store at HOME.
      env: {
        PATH: process.env.PATH,
        HOME: this.folder,
        // For the plugin; compiled files of it would lie about in the repository.
        PYTHONPATH: join(import.meta.dirname, ".."),
        PYTHONDONTWRITEBYTECODE: "1",
        PYTHONUNBUFFERED: "1",
      },
      stdio: ["ignore", log.fd, log.fd],
    });
    this.process = agent;
    running.add(agent);
    let ended: string | undefined;
    agent.once("error", (error) => (ended = String(error)));
    agent.once("exit", (status, signal) => {
      running.delete(agent);
      ended = `it ended with ${signal ?? status}`;
    });
    await log.close();
    await until(`${this.label} starts`, LONGEST_START, async () => {
      if (ended !== undefined) throw new Error(`${this.label} did not start: ${ended}`);
      return (await this.isReady()) || undefined;
    }).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.log}`);
    });
  }

  private async isReady(): Promise<boolean> {
    try {
      return (await this.call("GET", "/status/ready")).ready;
    } catch {
      return false;
    }
  }

  private flags(): string[] {
    const { label, role, registry, webhook, tenants, seed, flags = [] } = this.options;
    const { admin, didcomm } = this.ports;
    return [
      ...["--label", label],
      ...["--admin", "127.0.0.1", `${admin}`, "--admin-api-key", API_KEY],
      ...["--inbound-transport", "http", "127.0.0.1", `${didcomm}`, "--endpoint", `http://127.0.0.1:${didcomm}`],
      ...["--outbound-transport", "http"],
      ...["--wallet-type", "askar-anoncreds", "--wallet-name", "agent", "--wallet-key", WALLET_KEY, "--auto-provision"],
      ...["--no-ledger", "--log-level", "warning"],
      ...FLAGS[role],
      ...(registry ? ["--plugin", "registry", "-o", `registry.folder=${registry}`] : []),
      ...(webhook ? ["--webhook-url", `${webhook.url}#${webhook.key}`] : []),
      ...(tenants ? ["--multitenant", "--multitenant-admin", "--jwt-secret", WALLET_KEY] : []),
      ...(seed ? ["--wallet-local-did", "--seed", seed] : []),
      ...flags,
    ];
  }

  /** Makes a tenant, whose webhooks go to an address of its own, or nowhere. */
  async tenant(label: string, webhook?: Webhook): Promise<Tenant> {
    const made = await this.call("POST", "/multitenancy/wallet", {
      label,
      wallet_name: label,
      wallet_key: WALLET_KEY,
      wallet_type: "askar-anoncreds",
      key_management_mode: "managed",
      wallet_dispatch_type: "default",
      wallet_webhook_urls: webhook ? [`${webhook.url}#${webhook.key}`] : [],
    });
    const headers = { "x-api-key": API_KEY, authorization: `Bearer ${made.token}` };
    return new Tenant(this.admin.url, headers, made.wallet_id, made.token);
  }

  /** Ends it at once, wherever it is: it cannot finish or say goodbye. */
  async kill(): Promise<void> {
    await this.end("SIGKILL");
  }

  /** Ends it as an operator does. */
  async stop(): Promise<void> {
    await this.end("SIGTERM");
  }

  /** Starts it again at the same addresses, with the same store. */
  async restart(): Promise<void> {
    await this.kill();
    await this.run();
  }

  /** Ends it and removes what it stored. */
  async remove(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const agent = this.process;
    this.process = undefined;
    if (!agent?.pid || agent.exitCode !== null || agent.signalCode !== null) return;
    const gone = once(agent, "exit");
    agent.kill(signal);
    const late = setTimeout(() => agent.kill("SIGKILL"), LONGEST_GOODBYE);
    await gone;
    clearTimeout(late);
  }
}

/** One of the wallets that an agent serves. */
export class Tenant extends Admin {
  constructor(
    url: string,
    headers: Record<string, string>,
    /** What its webhooks name in `x-wallet-id`. */
    readonly walletId: string,
    readonly token: string,
  ) {
    super(url, headers);
  }
}
