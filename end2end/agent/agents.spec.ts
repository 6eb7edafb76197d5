import { CARD } from "../support/sample";
import type { Agent } from "./support/agent";
import type { Exchange } from "./support/holder";
import { CARD_TYPE } from "./support/issuer";
import { type School, expect, test } from "./support/test";
import { Verifier } from "./support/verifier";

// What the other files build on: real agents and wallets among themselves, without Vestibule.

const NAMES = Object.keys(CARD);

/** The attributes that a presentation in the AnonCreds format reveals, by their names. */
function revealed({ by_format }: Exchange): Record<string, string> {
  const { revealed_attr_groups, revealed_attrs, self_attested_attrs } = by_format.pres?.anoncreds.requested_proof;
  expect({ ...revealed_attrs, ...self_attested_attrs }, "all is revealed in the group").toEqual({});
  const values: Record<string, { raw: string }> = revealed_attr_groups.card.values;
  return Object.fromEntries(Object.entries(values).map(([name, { raw }]) => [name, raw]));
}

/** Connects the student's wallet with a verifier; gives back the connection's id on either side. */
async function connect({ student }: School, verifier: Verifier): Promise<{ theirs: string; ours: string }> {
  const invitation = await verifier.invite();
  const theirs = (await student.receive(invitation.invitation_url)) ?? "";
  const { connection_id, connection_protocol } = await verifier.waitForConnection(invitation);
  expect(connection_protocol).toBe("didexchange/1.1");
  expect((await student.waitForConnection(theirs)).state).toBe("active");
  return { theirs, ours: connection_id };
}

/** Asks for the whole card, which is shared, verifies, and reveals exactly that. */
async function expectWholeCard(school: School, verifier: Verifier): Promise<{ theirs: string; ours: string }> {
  const connected = await connect(school, verifier);
  const asked = await verifier.askForAnonCreds(connected.ours, school.issuer.credDefId, NAMES);
  await school.student.present(await school.student.waitForRequest(connected.theirs));
  const answered = await verifier.waitForEnd(asked);
  expect(answered).toMatchObject({ state: "done", verified: "true" });
  expect(revealed(answered)).toEqual(CARD);
  return connected;
}

test.describe("with a verifier", () => {
  let agent: Agent;
  let verifier: Verifier;

  test.beforeEach(async ({ school, start }) => {
    agent = await start({ label: "The registration desk", role: "verifier", registry: school.registry.folder });
    verifier = new Verifier(agent);
  });

  test("a card is shared, verifies, and reveals exactly what was asked", async ({ school }) => {
    const { ours, theirs } = await expectWholeCard(school, verifier);
    const some = await verifier.askForAnonCreds(ours, school.issuer.credDefId, ["surname", "graduation_year"]);
    await school.student.present(await school.student.waitForRequest(theirs));
    expect(revealed(await verifier.waitForEnd(some))).toEqual({
      surname: CARD.surname,
      graduation_year: CARD.graduation_year,
    });
  });

  test("a JSON-LD card is shared and verifies", async ({ school }) => {
    const { ours, theirs } = await connect(school, verifier);
    const asked = await verifier.askForJsonLd(ours, CARD_TYPE, school.issuer.did, NAMES);
    await school.student.present(await school.student.waitForRequest(theirs));
    const answered = await verifier.waitForEnd(asked);
    expect(answered).toMatchObject({ state: "done", verified: "true" });
    const [card] = answered.by_format.pres?.dif.verifiableCredential;
    expect(card.issuer).toBe(school.issuer.did);
    expect(card.credentialSubject).toEqual({ id: expect.stringMatching(/^did:key:/), ...CARD });
  });

  test("a request that is declined is abandoned, in the holder's words", async ({ school }) => {
    const { ours, theirs } = await connect(school, verifier);
    const asked = await verifier.askForAnonCreds(ours, school.issuer.credDefId, NAMES);
    await school.student.decline(await school.student.waitForRequest(theirs), "not today");
    const ended = await verifier.waitForEnd(asked);
    expect(ended).toMatchObject({ state: "abandoned", error_msg: "abandoned: not today" });
    expect(ended.verified).toBeUndefined();
  });

  test("a verifier that is killed and comes back knows its connections, and asks over them", async ({ school }) => {
    const { ours, theirs } = await connect(school, verifier);
    const asked = await verifier.askForAnonCreds(ours, school.issuer.credDefId, NAMES);
    // Not before: the call is answered when the request is on its way, and one that is still there dies with the agent.
    const request = await school.student.waitForRequest(theirs);
    await agent.kill();
    await agent.restart();
    const { rfc23_state } = await agent.call("GET", `/connections/${ours}`);
    expect(rfc23_state).toBe("completed");
    await school.student.present(request);
    expect(await verifier.waitForEnd(asked), "asked before, answered after").toMatchObject({ verified: "true" });
    const again = await verifier.askForAnonCreds(ours, school.issuer.credDefId, NAMES);
    await school.student.present(await school.student.waitForRequest(theirs));
    expect(await verifier.waitForEnd(again)).toMatchObject({ verified: "true" });
  });

  test("a Credo wallet connects, and shares a JSON-LD card that verifies", async ({ school, startCredo }) => {
    const wallet = await startCredo("Blue phone");
    await school.issuer.issueJsonLd(await school.issuer.connect(wallet), await wallet.did());
    const invitation = await verifier.invite();
    const theirs = (await wallet.receive(invitation.invitation_url)) ?? "";
    const { connection_id, their_label } = await verifier.waitForConnection(invitation);
    expect(their_label).toBe("Blue phone");
    await wallet.waitForConnection(theirs);
    const asked = await verifier.askForJsonLd(connection_id, CARD_TYPE, school.issuer.did, NAMES);
    await wallet.present(await wallet.waitForRequest(theirs));
    expect(await verifier.waitForEnd(asked)).toMatchObject({ state: "done", verified: "true" });
  });
});

test("a card that does not verify is shared nevertheless, and found out", async ({ school, start }) => {
  const registry = await school.registry.copy();
  try {
    await registry.changeKey(school.issuer.credDefId);
    const agent = await start({ label: "The desk with another key", role: "verifier", registry: registry.folder });
    const verifier = new Verifier(agent);
    const { ours, theirs } = await connect(school, verifier);
    const asked = await verifier.askForAnonCreds(ours, school.issuer.credDefId, NAMES);
    await school.student.present(await school.student.waitForRequest(theirs));
    expect(await verifier.waitForEnd(asked)).toMatchObject({ state: "done", verified: "false" });
  } finally {
    await registry.remove();
  }
});

test("a tenant of an agent asks as an agent does", async ({ school, start }) => {
  const agent = await start({ label: "Many desks", role: "verifier", registry: school.registry.folder, tenants: true });
  const tenant = await agent.tenant("One of the desks");
  await expectWholeCard(school, new Verifier(tenant));
});
