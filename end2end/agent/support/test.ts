import { test as base, expect } from "@playwright/test";
import { Agent, type AgentOptions } from "./agent";
import { CredoWallet } from "./credo";
import { Holder } from "./holder";
import { Issuer, newDid } from "./issuer";
import { Registry } from "./registry";

/** The school, and a made-up student who has its card in both formats. They are there for all tests of a file. */
export type School = {
  /** What the school and the student know it by; a verifier that is given it knows the school's keys. */
  registry: Registry;
  issuer: Issuer;
  student: Holder;
  agents: Agent[];
};

type Fixtures = {
  /** Starts an agent that is gone after the test. */
  start: (options: AgentOptions) => Promise<Agent>;
  /** Starts a Credo wallet that is gone after the test. */
  startCredo: (label: string) => Promise<CredoWallet>;
};

export const test = base.extend<Fixtures, { school: School }>({
  school: [
    async ({}, use) => {
      const registry = await Registry.create();
      const agents: Agent[] = [];
      const start = async (options: AgentOptions) => {
        const agent = await Agent.start({ registry: registry.folder, ...options });
        agents.push(agent);
        return agent;
      };
      try {
        // One after the other: at the same time they take two cores as long, and one that fails would leave the other.
        const school = await start({ label: "Unity State University", role: "issuer" });
        const wallet = await start({ label: "Green phone", role: "holder" });
        const issuer = await Issuer.register(school);
        const student = new Holder(wallet);
        const connection = await issuer.connect(student);
        await issuer.issueAnonCreds(connection);
        await issuer.issueJsonLd(connection, await newDid(wallet));
        await use({ registry, issuer, student, agents });
      } finally {
        for (const agent of agents) await agent.remove();
        await registry.remove();
      }
    },
    { scope: "worker", timeout: 240_000 },
  ],

  start: async ({ school }, use, testInfo) => {
    const agents: Agent[] = [];
    await use(async (options) => {
      const agent = await Agent.start(options);
      agents.push(agent);
      return agent;
    });
    if (testInfo.errors.length > 0) {
      for (const { label, log } of [...school.agents, ...agents]) console.error(`The log of ${label}:\n${log}`);
    }
    for (const agent of agents) await agent.remove();
  },

  startCredo: async ({}, use, testInfo) => {
    const wallets: CredoWallet[] = [];
    await use(async (label) => {
      const wallet = await CredoWallet.start(label);
      wallets.push(wallet);
      return wallet;
    });
    if (testInfo.errors.length > 0) for (const { log } of wallets) console.error(`The log of Credo's wallet:\n${log}`);
    for (const wallet of wallets) await wallet.remove();
  },
});

export { expect };
