// A wallet of another make: Credo, which is the framework inside the ConfirmD wallet. ../support/credo.ts starts it:
//
//   node wallet.mjs LABEL PORT     PORT is where it takes messages; its store is in memory
//
// It is told what to do by lines of JSON on its standard input, `{"id", "do", ...}`, one at a time:
//
//   {"do": "receive", "invitation": message or address}   accepts it       → {"connectionId"} or {}
//   {"do": "did"}                                         a new did:key    → {"did"}
//   {"do": "present", "proofId"}                          shares what is asked, from a JSON-LD card that it was issued
//   {"do": "decline", "proofId", "reason"}                says no
//
// and answers each with `{"id", "done": {...}}` or `{"id", "failed": "why"}`. In between it tells what happens:
//
//   {"event": "ready"}
//   {"event": "connection", "id", "state", "theirLabel"}      every state of a connection, by its RFC 23 name
//   {"event": "proof", "id", "connectionId", "state"}         every state of a proof exchange
//   {"event": "card", "id", "connectionId", "state"}          every state of a credential exchange; offers are accepted
//
// When its standard input ends, it ends too: it cannot outlive the test.

import { createInterface } from "node:readline";
import { AskarModule } from "@credo-ts/askar";
import {
  Agent,
  AutoAcceptCredential,
  AutoAcceptProof,
  ConnectionEventTypes,
  ConnectionsModule,
  ConsoleLogger,
  CredentialEventTypes,
  CredentialsModule,
  DifPresentationExchangeProofFormatService,
  HttpOutboundTransport,
  JsonLdCredentialFormatService,
  KeyType,
  LogLevel,
  OutOfBandInvitation,
  ProofEventTypes,
  ProofsModule,
  V2CredentialProtocol,
  V2ProofProtocol,
} from "@credo-ts/core";
import { HttpInboundTransport, agentDependencies } from "@credo-ts/node";
import { ariesAskar } from "@hyperledger/aries-askar-nodejs";

const [label, port] = process.argv.slice(2);

const agent = new Agent({
  config: {
    label,
    // Warnings and errors, which it writes to the standard error.
    logger: new ConsoleLogger(LogLevel.warn),
    endpoints: [`http://127.0.0.1:${port}`],
    walletConfig: {
      id: label,
      key: "made-up-for-the-wallets-of-the-tests",
      storage: { type: "sqlite", inMemory: true },
    },
  },
  dependencies: agentDependencies,
  modules: {
    askar: new AskarModule({ ariesAskar }),
    connections: new ConnectionsModule({ autoAcceptConnections: true }),
    credentials: new CredentialsModule({
      autoAcceptCredentials: AutoAcceptCredential.Always,
      credentialProtocols: [new V2CredentialProtocol({ credentialFormats: [new JsonLdCredentialFormatService()] })],
    }),
    proofs: new ProofsModule({
      autoAcceptProofs: AutoAcceptProof.Never,
      proofProtocols: [new V2ProofProtocol({ proofFormats: [new DifPresentationExchangeProofFormatService()] })],
    }),
  },
});

const inbound = new HttpInboundTransport({ port: Number(port) });
// By itself it would listen on every address of the machine.
const listen = inbound.app.listen.bind(inbound.app);
inbound.app.listen = (port) => listen(port, "127.0.0.1");
agent.registerInboundTransport(inbound);
agent.registerOutboundTransport(new HttpOutboundTransport());

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

agent.events.on(ConnectionEventTypes.ConnectionStateChanged, ({ payload: { connectionRecord } }) => {
  const { id, state, theirLabel } = connectionRecord;
  say({ event: "connection", id, state, theirLabel });
});
agent.events.on(ProofEventTypes.ProofStateChanged, ({ payload: { proofRecord } }) => {
  const { id, connectionId, state } = proofRecord;
  say({ event: "proof", id, connectionId, state });
});
agent.events.on(CredentialEventTypes.CredentialStateChanged, ({ payload: { credentialRecord } }) => {
  const { id, connectionId, state } = credentialRecord;
  say({ event: "card", id, connectionId, state });
});

const acts = {
  async receive({ invitation }) {
    const { connectionRecord } =
      typeof invitation === "string"
        ? await agent.oob.receiveInvitationFromUrl(invitation)
        : await agent.oob.receiveInvitation(OutOfBandInvitation.fromJson(invitation));
    return { connectionId: connectionRecord?.id };
  },
  async did() {
    const { didState } = await agent.dids.create({ method: "key", options: { keyType: KeyType.Ed25519 } });
    return { did: didState.did };
  },
  async present({ proofId }) {
    const { proofFormats } = await agent.proofs.selectCredentialsForRequest({ proofRecordId: proofId });
    await agent.proofs.acceptRequest({ proofRecordId: proofId, proofFormats });
  },
  async decline({ proofId, reason }) {
    await agent.proofs.declineRequest({
      proofRecordId: proofId,
      sendProblemReport: true,
      problemReportDescription: reason,
    });
  },
};

await agent.initialize();
say({ event: "ready" });

for await (const line of createInterface({ input: process.stdin })) {
  const { id, do: act, ...what } = JSON.parse(line);
  try {
    say({ id, done: (await acts[act](what)) ?? {} });
  } catch (error) {
    say({ id, failed: String(error) });
  }
}
process.exit();
