import type { Api } from "./admin";
import type { Connection, Exchange } from "./holder";
import { until } from "../../support/patience";

/** For what the wallet has to do first. In milliseconds. */
const PATIENCE = 30_000;

/** An invitation as its maker knows it. */
export type Invitation = { invi_msg_id: string; invitation: object; invitation_url: string };

/** An organisation that asks by itself, with no application before it: what Vestibule is otherwise. */
export class Verifier {
  constructor(readonly agent: Api) {}

  /** An invitation for one wallet. */
  async invite(goal = "Register"): Promise<Invitation> {
    return this.agent.call("POST", "/out-of-band/create-invitation?auto_accept=true&multi_use=false", {
      handshake_protocols: ["https://didcomm.org/didexchange/1.1"],
      accept: ["didcomm/aip2;env=rfc19"],
      goal_code: "register",
      goal,
    });
  }

  /** Waits until a wallet is connected by this invitation. */
  async waitForConnection({ invi_msg_id }: Invitation): Promise<Connection & { connection_protocol: string }> {
    return until("a wallet connects", PATIENCE, async () => {
      const { results } = await this.agent.call("GET", `/connections?invitation_msg_id=${invi_msg_id}`);
      return results.find((one: Connection) => one.rfc23_state === "completed");
    });
  }

  /** Asks for these attributes together, of one AnonCreds card. */
  async askForAnonCreds(connectionId: string, credDefId: string, names: string[]): Promise<Exchange> {
    const card = { names, restrictions: [{ cred_def_id: credDefId }] };
    const request = { name: "Card", version: "1.0", requested_attributes: { card }, requested_predicates: {} };
    return this.ask(connectionId, { anoncreds: request });
  }

  /** Asks for a JSON-LD card of this type with these attributes, issued by this DID. */
  async askForJsonLd(connectionId: string, type: string, issuer: string, names: string[]): Promise<Exchange> {
    const fields = names.map((name) => ({ path: [`$.credentialSubject.${name}`] }));
    const descriptor = {
      id: "card",
      // ACA-Py looks for the expanded type, Credo for the contexts: each passes over what it does not know.
      schema: [{ uri: type }, { uri: "https://www.w3.org/2018/credentials/v1", required: false }],
      constraints: { fields: [{ path: ["$.issuer"], filter: { type: "string", const: issuer } }, ...fields] },
    };
    const definition = {
      id: crypto.randomUUID(),
      format: { ldp_vp: { proof_type: ["Ed25519Signature2018"] } },
      input_descriptors: [descriptor],
    };
    const options = { challenge: crypto.randomUUID() };
    return this.ask(connectionId, { dif: { options, presentation_definition: definition } });
  }

  private async ask(connection_id: string, presentation_request: object): Promise<Exchange> {
    const how = { comment: "Share your card to register", auto_verify: true, auto_remove: false };
    const body = { connection_id, ...how, presentation_request };
    return this.agent.call("POST", "/present-proof-2.0/send-request", body);
  }

  /** Waits until an exchange is over, well or not. */
  async waitForEnd({ pres_ex_id }: Exchange): Promise<Exchange> {
    return until("the request is answered", PATIENCE, async () => {
      const exchange = await this.agent.call<Exchange>("GET", `/present-proof-2.0/records/${pres_ex_id}`);
      return ["done", "abandoned"].includes(exchange.state) ? exchange : undefined;
    });
  }
}
