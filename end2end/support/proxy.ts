import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { until } from "./patience";
import { freePort } from "./ports";

const ROOT = join(import.meta.dirname, "../..");

/** The folder with the certificate of localhost, when the tests run behind TLS (scripts/tls). */
const CERTIFICATES = process.env.CERTIFICATES;

/** In milliseconds; it takes a tenth of a second. */
const LONGEST_START = 20_000;

/** The certificate and its key, for those who serve TLS themselves. */
export function certificate(): { cert: Buffer; key: Buffer } {
  const read = (name: string) => readFileSync(join(CERTIFICATES ?? "", name));
  return { cert: read("fullchain.pem"), key: read("privkey.pem") };
}

/** nginx, ending TLS before servers, with the configuration of deploy/nginx in which only addresses and paths are others. */
export class Proxy {
  private constructor(
    /** Its address, without a slash at the end. */
    readonly url: string,
    /** Its address without TLS. */
    readonly plain: string,
    private readonly folder: string,
    private readonly process: ChildProcess,
  ) {}

  /** Whether every server of these tests stands behind one. */
  static get isWanted(): boolean {
    return CERTIFICATES !== undefined;
  }

  /** Starts one before servers on these ports, which need not be there yet. */
  static async start(...servers: number[]): Promise<Proxy> {
    const certificates = CERTIFICATES ?? "";
    const folder = await mkdtemp(join(certificates, "nginx-"));
    const [https, http] = [await freePort(), await freePort()];
    execFileSync(join(ROOT, "scripts/nginx-conf"), [folder, certificates, `${https}`, `${http}`, ...servers.map(String)]);
    const log = join(folder, "error.log");
    const nginx = spawn("nginx", ["-p", folder, "-e", log, "-c", join(folder, "nginx.conf")], { stdio: "ignore" });
    const proxy = new Proxy(`https://localhost:${https}`, `http://localhost:${http}`, folder, nginx);
    let failure: Error | undefined;
    nginx.once("error", (error) => (failure = error));
    await until("nginx listens", LONGEST_START, async () => {
      if (failure) throw failure;
      if (nginx.exitCode !== null) throw new Error(`nginx did not start:\n${await readFile(log, "utf8")}`);
      return listens(https);
    });
    return proxy;
  }

  /** What it wrote of the calls that are over. */
  async accessLog(): Promise<string> {
    return readFile(join(this.folder, "access.log"), "utf8");
  }

  async stop(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const gone = once(this.process, "exit");
      this.process.kill("SIGTERM");
      await gone;
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** `true`, or nothing yet. */
function listens(port: number): Promise<true | undefined> {
  return new Promise((tell) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      tell(true);
    });
    socket.once("error", () => tell(undefined));
  });
}
