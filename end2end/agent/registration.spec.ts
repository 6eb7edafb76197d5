import type { DeskPage } from "../support/desk-page";
import { SERVER_AWAY } from "../support/faults";
import { EMAIL, FormPage, PHONE } from "../support/form-page";
import type { Agent } from "./support/agent";
import { type Verifier, expect, test } from "./support/desk";
import { type Exchange, Holder, messageOf } from "./support/holder";
import { until } from "../support/patience";
import { Registry } from "./support/registry";

// The whole way with software that we did not write: Vestibule, a real agent behind it, a real wallet, and a browser whose
// screen the wallet's camera looks at.

/** For what another program has to do first. In milliseconds. */
const PATIENCE = 60_000;

/** Begins at the first page, and reads the code from the screen. */
async function readCode(desk: DeskPage): Promise<string> {
  await desk.beginLive();
  const code = await desk.decodeCode();
  expect(code, "the short link").toBe(await desk.link());
  return code ?? "";
}

/** Takes the code with the wallet and waits for the question, which has the code that the page shows too. */
async function takeCode(desk: DeskPage, wallet: Holder, link: string): Promise<Exchange> {
  const connection = await wallet.receive(link);
  const matching = await desk.expectMatchingCode();
  const request = await wallet.waitForRequest(connection);
  expect((request as Exchange & { pres_request: { comment: string } }).pres_request.comment).toContain(matching);
  return request;
}

/** On to the form, with exactly what is on the card, and to the number. */
async function register(desk: DeskPage): Promise<void> {
  await desk.expectStage("verified");
  await desk.expectApplication();
  const form = new FormPage(desk.page);
  await form.fill(EMAIL, PHONE);
  await form.register.click();
  await form.expectNumber();
}

/** The exchanges that the desk's agent keeps, with what was shared in them. */
async function kept({ agent, tenant }: Verifier): Promise<unknown[]> {
  return (await (tenant ?? agent).call("GET", "/present-proof-2.0/records")).results;
}

async function expectNothingKept(verifier: Verifier): Promise<void> {
  await expect.poll(async () => await kept(verifier), { timeout: PATIENCE }).toEqual([]);
}

/** The state of the only exchange at the desk's agent. */
async function waitForExchange(agent: Agent, state: string): Promise<void> {
  await until(`the exchange is ${state}`, PATIENCE, async () => {
    const { results } = await agent.call("GET", "/present-proof-2.0/records");
    return results.find((exchange: Exchange) => exchange.state === state);
  });
}

for (const format of ["anoncreds", "dif"] as const) {
  test.describe(`in the format ${format}`, () => {
    test.use({ format });

    test("a student is registered with exactly what is on the card", async ({ school, verifier, desk }) => {
      const request = await takeCode(desk, school.student, await readCode(desk));
      await school.student.present(request);
      await register(desk);
      await expectNothingKept(verifier);
    });

    test("who declines is asked again, and may share then", async ({ school, verifier, desk }) => {
      const request = await takeCode(desk, school.student, await readCode(desk));
      await school.student.decline(request, "not today");
      await desk.expectStage("declined");
      await expectNothingKept(verifier);
      await desk.askAgain.click();
      await desk.expectMatchingCode();
      await school.student.present(await school.student.waitForRequest(request.connection_id));
      await register(desk);
    });
  });
}

test.describe("with a wallet that has no such card", () => {
  test.use({ format: "dif" });

  test("it says so, and the page says how to get one", async ({ school, start, desk }) => {
    const wallet = new Holder(await start({ label: "Empty phone", role: "holder", registry: school.registry.folder }));
    const request = await takeCode(desk, wallet, await readCode(desk));
    await expect(wallet.present(request)).rejects.toThrow();
    await desk.expectStage("declined");
    await expect(desk.noCard).toBeVisible();
  });
});

test.describe("as a tenant of an agent", () => {
  test.use({ tenant: true });

  test("a student is registered with exactly what is on the card", async ({ school, verifier, desk }) => {
    await school.student.present(await takeCode(desk, school.student, await readCode(desk)));
    await register(desk);
    await expectNothingKept(verifier);
  });
});

test.describe("with an agent that tells everything", () => {
  test.use({ flags: ["--debug-webhooks"] });

  test("a student is registered, and the log tells nothing of the card", async ({ school, server, desk }) => {
    await school.student.present(await takeCode(desk, school.student, await readCode(desk)));
    await register(desk);
    expect(server.log).not.toContain("Okonkwo");
  });
});

test.describe("with invitations that carry a lasting DID", () => {
  test.use({ env: { ACAPY_INVITATION_DID: "did:peer:4" } });

  test("a wallet that was here before goes over the connection it has", async ({ school, verifier, desk }) => {
    const first = await takeCode(desk, school.student, await readCode(desk));
    await school.student.present(first);
    await register(desk);
    const before = (await verifier.agent.call("GET", "/connections?state=active")).results.length;
    await desk.page.context().clearCookies();
    const link = await readCode(desk);
    await school.student.receive(link);
    await desk.expectMatchingCode();
    await school.student.present(await school.student.waitForRequest(first.connection_id));
    await register(desk);
    expect((await verifier.agent.call("GET", "/connections?state=active")).results).toHaveLength(before);
  });
});

test.describe("with codes that live for seconds", () => {
  test.use({ env: { SESSION_TTL: "5s" } });

  test("an invitation whose time is over leads nowhere, and a new code does", async ({ school, verifier, desk }) => {
    const link = await readCode(desk);
    const message = await messageOf(link);
    const id = (message as { "@id": string })["@id"];
    const invitations = async () => (await verifier.agent.call("GET", `/connections?invitation_msg_id=${id}`)).results;
    expect(await invitations()).toHaveLength(1);
    await desk.expectStage("expired");
    await expect.poll(invitations, { timeout: PATIENCE }).toEqual([]);
    await expect(messageOf(link), "behind the code").rejects.toThrow("410");
    // A wallet that has the message already finds nobody either.
    await school.student.receive(message);
    await desk.tryAgain.click();
    await desk.expectStage("waiting");
    await desk.linkAfter(link);
    await takeCode(desk, school.student, (await desk.decodeCode()) ?? "");
  });
});

test.describe("with another key of the school in the desk's registry", () => {
  test.use({
    registryOfDesk: async ({ school }, use) => {
      const registry: Registry = await school.registry.copy();
      await registry.changeKey(school.issuer.credDefId);
      await use(registry);
      await registry.remove();
    },
  });

  test("a card that does not verify registers nobody", async ({ school, verifier, desk }) => {
    await school.student.present(await takeCode(desk, school.student, await readCode(desk)));
    await desk.expectStage("invalid");
    await expect(desk.onwards).toBeHidden();
    await expectNothingKept(verifier);
  });
});

test("an agent that is killed half-way goes on when it is back", async ({ school, verifier, desk }) => {
  const { agent } = verifier;
  const request = await takeCode(desk, school.student, await readCode(desk));
  await agent.kill();
  await school.student.present(request);
  await agent.restart();
  await expect(desk.live).toHaveAttribute("data-stage", "verified", { timeout: PATIENCE });
  await register(desk);
  await expectNothingKept(verifier);
});

test("an agent that is down shows no code, and says so", async ({ verifier, page }) => {
  await verifier.agent.kill();
  await page.goto("/register");
  await page.getByRole("button", { name: "I agree, show me the code" }).click();
  await expect(page.getByText("The wallet platform does not answer")).toBeVisible();
  await verifier.agent.restart();
});

test("what happens while the desk is down is found out when it is back", async ({
  school,
  verifier,
  server,
  desk,
  faults,
}) => {
  faults.allow(...SERVER_AWAY);
  const { agent } = verifier;
  const link = await readCode(desk);
  const message = await messageOf(link);
  await server.kill();
  const connection = await school.student.receive(message);
  await until("the wallet is connected", PATIENCE, async () => {
    const { results } = await agent.call("GET", "/connections?state=active");
    return results.length > 0 || undefined;
  });
  await server.restart();
  await expect(desk.live).toHaveAttribute("data-stage", "requested", { timeout: PATIENCE });
  const request = await school.student.waitForRequest(connection);
  await server.kill();
  await school.student.present(request);
  await waitForExchange(agent, "presentation-received");
  await server.restart();
  await expect(desk.live).toHaveAttribute("data-stage", "verified", { timeout: PATIENCE });
  await register(desk);
  await expectNothingKept(verifier);
});

test.describe("with a wallet of another make", () => {
  test.use({ format: "dif" });

  test("Credo takes the code from the screen, shares its card, and is registered", async ({
    school,
    startCredo,
    verifier,
    desk,
  }) => {
    const wallet = await startCredo("Blue phone");
    await school.issuer.issueJsonLd(await school.issuer.connect(wallet), await wallet.did());
    const connection = (await wallet.receive(await readCode(desk))) ?? "";
    await wallet.waitForConnection(connection);
    await desk.expectMatchingCode();
    await wallet.present(await wallet.waitForRequest(connection));
    await register(desk);
    await expectNothingKept(verifier);
  });

  test("Credo declines", async ({ startCredo, desk }) => {
    const wallet = await startCredo("Blue phone");
    const connection = (await wallet.receive(await readCode(desk))) ?? "";
    await wallet.decline(await wallet.waitForRequest(connection), "not today");
    await desk.expectStage("declined");
  });
});
