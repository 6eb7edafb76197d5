import { type BrowserContext, type BrowserContextOptions, test as base, expect } from "@playwright/test";
import { DeskPage } from "./desk-page";
import { FETCHED_IN_VAIN, Faults } from "./faults";
import { Gateway } from "./gateway";
import { type Env, Server } from "./server";
import { WalletPage } from "./wallet-page";

type Fixtures = {
  /** Environment variables of the test's server, beside those that all of them have. */
  env: Env;
  /** The test's own server. */
  server: Server;
  /** A gateway before the server, for those who go by its address. */
  gateway: Gateway;
  /** What went wrong inside the pages; a test with anything in it fails. */
  faults: Faults;
  /** A further browser with cookies of its own, such as another person's, or the phone with the wallet. */
  device: (options?: BrowserContextOptions) => Promise<BrowserContext>;
  /** The desk in the test's browser. */
  desk: DeskPage;
  /** The simulated wallet, on a device of its own. */
  wallet: WalletPage;
};

export const test = base.extend<Fixtures>({
  env: [{}, { option: true }],

  server: async ({ env }, use, testInfo) => {
    const server = await Server.start(env);
    await use(server);
    await server.remove();
    if (testInfo.errors.length > 0) console.error(`The server's log of "${testInfo.title}":\n${server.log}`);
  },

  gateway: async ({ server, context }, use) => {
    const gateway = await Gateway.start(server);
    await use(gateway);
    // Before it: a page that looks for news just then would complain.
    await context.close();
    await gateway.stop();
  },

  baseURL: async ({ server }, use) => use(server.url),

  // Depends on the server so that browsers are gone before it is: their complaints about that are no faults.
  faults: async ({ server: _ }, use) => {
    const faults = new Faults();
    await use(faults);
    expect(faults.unexpected(), "what went wrong inside the pages").toEqual([]);
  },

  context: async ({ context, faults, javaScriptEnabled }, use) => {
    if (javaScriptEnabled === false) faults.allow(FETCHED_IN_VAIN);
    faults.watch(context);
    await use(context);
    await context.close();
  },

  device: async ({ browser, baseURL, faults }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (options) => {
      const context = await browser.newContext({ baseURL, reducedMotion: "reduce", ...options });
      contexts.push(context);
      if (options?.javaScriptEnabled === false) faults.allow(FETCHED_IN_VAIN);
      faults.watch(context);
      return context;
    });
    for (const context of contexts) await context.close();
  },

  desk: async ({ page }, use) => use(new DeskPage(page)),

  wallet: async ({ device }, use) => use(new WalletPage(await (await device()).newPage())),
});

export { expect };
