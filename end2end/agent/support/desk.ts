import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mergeTests } from "@playwright/test";
import { type Env, Server, WEBHOOK_SECRET } from "../../support/server";
import { test as pages } from "../../support/test";
import { API_KEY, type Agent, type AgentOptions, type Tenant } from "./agent";
import { CARD_TYPE, type Issuer } from "./issuer";
import { freePort } from "../../support/ports";
import { type Registry } from "./registry";
import { test as agents } from "./test";

/** In which form the desk asks for the card. */
export type Format = "anoncreds" | "dif";

type Options = {
  format: Format;
  /** The agent serves the desk as one of its tenants. */
  tenant: boolean;
  /** What the desk's agent knows the school's keys by; the school's own registry unless a test has another. */
  registryOfDesk: Registry | undefined;
  /** Further flags of the desk's agent. */
  flags: string[];
};

/** The desk's agent, and where it tells the desk what happens. */
export type Verifier = { agent: Agent; tenant?: Tenant; port: number };

type Fixtures = Options & { verifier: Verifier };

const SAMPLE = readFileSync(join(import.meta.dirname, "../../../registration.toml"), "utf8");

/** The student registration, for a card of this issuer. */
function deskFile(format: Format, { schemaId, credDefId, did, contexts }: Issuer): string {
  const [schema, definition] = ["schema_id", "cred_def_id"].map((field) => new RegExp(`^${field} = .*$`, "m"));
  if (format === "anoncreds") {
    return SAMPLE.replace(schema, `schema_id = "${schemaId}"`).replace(definition, `cred_def_id = "${credDefId}"`);
  }
  const [common, own] = contexts;
  const explained = `contexts = ["${common}", '${JSON.stringify(own)}']`;
  const card = `format = "dif"\ntype = "${CARD_TYPE}"\nissuer_did = "${did}"\n${explained}`;
  return SAMPLE.replace(schema, "").replace(definition, card);
}

/** A test with a browser before Vestibule, and with an agent behind it. */
export const test = mergeTests(pages, agents).extend<Fixtures>({
  format: ["anoncreds", { option: true }],
  tenant: [false, { option: true }],
  registryOfDesk: [undefined, { option: true }],
  flags: [[], { option: true }],

  verifier: async ({ school, start, tenant, registryOfDesk, flags }, use) => {
    // The agent has to know where the desk is, and the desk where the agent is.
    const port = await freePort();
    const webhook = { url: `http://127.0.0.1:${port}/api/webhooks/acapy`, key: WEBHOOK_SECRET };
    const registry = (registryOfDesk ?? school.registry).folder;
    const options: AgentOptions = { label: "The agent of the desk", role: "verifier", registry, flags };
    const agent = await start(tenant ? { ...options, tenants: true } : { ...options, webhook });
    await use({ agent, port, tenant: tenant ? await agent.tenant("The desk", webhook) : undefined });
  },

  server: async ({ env, format, verifier, school }, use, testInfo) => {
    const folder = await mkdtemp(join(tmpdir(), "vestibule-desk-"));
    const file = join(folder, "registration.toml");
    await writeFile(file, deskFile(format, school.issuer));
    const { agent, tenant, port } = verifier;
    const account: Env = { PLATFORM: "acapy", ACAPY_ADMIN_URL: agent.admin.url, DESK_FILE: file };
    if (tenant) account.ACAPY_TENANT_TOKEN = tenant.token;
    else account.ACAPY_ADMIN_KEY = API_KEY;
    const server = await Server.start({ ...account, ...env }, `${port}`);
    await use(server);
    await server.remove();
    await rm(folder, { recursive: true, force: true });
    if (testInfo.errors.length > 0) console.error(`The server's log of "${testInfo.title}":\n${server.log}`);
  },
});

export { expect } from "@playwright/test";
