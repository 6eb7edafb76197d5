import { CARD } from "../../support/sample";
import type { Api } from "./admin";
import type { Holder } from "./holder";
import { until } from "../../support/patience";

/** For what the wallet has to do first. In milliseconds. */
const PATIENCE = 30_000;

const CREDENTIALS = "https://www.w3.org/2018/credentials/v1";
/** Where the words of the JSON-LD card would be explained, if it were somewhere. */
const VOCABULARY = "https://unity-state.example/student-card#";

/** The expanded type of the JSON-LD card, which a presentation definition asks for. */
export const CARD_TYPE = `${VOCABULARY}StudentCard`;

/** The school's registry: issues the made-up student's card to whom it is connected with. */
export class Issuer {
  private constructor(
    readonly agent: Api,
    /** A did:key. */
    readonly did: string,
    readonly schemaId: string,
    readonly credDefId: string,
    private readonly attributes: string[],
  ) {}

  /** Registers a card with these attributes, and makes the keys that it is signed with. */
  static async register(agent: Api, attributes = Object.keys(CARD)): Promise<Issuer> {
    const did = await newDid(agent);
    const { schema_state } = await agent.call("POST", "/anoncreds/schema", {
      schema: { issuerId: did, name: "student-card", version: "1.0", attrNames: attributes },
    });
    const { credential_definition_state } = await agent.call("POST", "/anoncreds/credential-definition", {
      credential_definition: { issuerId: did, schemaId: schema_state.schema_id, tag: "student-card" },
      options: { support_revocation: false },
    });
    const credDefId = credential_definition_state.credential_definition_id;
    return new Issuer(agent, did, schema_state.schema_id, credDefId, attributes);
  }

  /** Connects with a wallet; gives back the connection's id on this side. */
  async connect(holder: Pick<Holder, "receive">): Promise<string> {
    const { invitation, invi_msg_id } = await this.agent.call(
      "POST",
      "/out-of-band/create-invitation?auto_accept=true&multi_use=false",
      { handshake_protocols: ["https://didcomm.org/didexchange/1.1"], accept: ["didcomm/aip2;env=rfc19"] },
    );
    await holder.receive(invitation);
    return until("the wallet connects with the issuer", PATIENCE, async () => {
      const { results } = await this.agent.call("GET", `/connections?invitation_msg_id=${invi_msg_id}`);
      return results.find(({ rfc23_state }: { rfc23_state: string }) => rfc23_state === "completed")?.connection_id;
    });
  }

  /** Issues the card as AnonCreds over this connection, and waits until the wallet has it. */
  async issueAnonCreds(connection: string, values = CARD): Promise<void> {
    await this.issue(connection, {
      credential_preview: {
        "@type": "issue-credential/2.0/credential-preview",
        attributes: this.attributes.map((name) => ({ name, value: values[name] })),
      },
      filter: { anoncreds: { cred_def_id: this.credDefId } },
    });
  }

  /** What explains the words of the JSON-LD card: agents carry only few of the common vocabularies, and fetch the others. */
  get contexts(): [string, object] {
    const terms = Object.fromEntries(this.attributes.map((name) => [name, VOCABULARY + name]));
    return [CREDENTIALS, { StudentCard: CARD_TYPE, ...terms }];
  }

  /** Issues the card as JSON-LD about this DID, which is the wallet's own: with it the wallet signs what it presents. */
  async issueJsonLd(connection: string, subject: string, values = CARD): Promise<void> {
    const credential = {
      "@context": this.contexts,
      type: ["VerifiableCredential", "StudentCard"],
      issuer: this.did,
      issuanceDate: "2026-01-05T09:00:00Z",
      credentialSubject: { id: subject, ...values },
    };
    await this.issue(connection, {
      filter: {
        ld_proof: { credential, options: { proofType: "Ed25519Signature2018", proofPurpose: "assertionMethod" } },
      },
    });
  }

  private async issue(connection_id: string, offer: object): Promise<void> {
    const sent = { connection_id, auto_remove: false, ...offer };
    const { cred_ex_id } = await this.agent.call("POST", "/issue-credential-2.0/send", sent);
    const path = `/issue-credential-2.0/records/${cred_ex_id}`;
    await until("the wallet has its card", PATIENCE, async () => {
      const { state, error_msg } = (await this.agent.call("GET", path)).cred_ex_record;
      if (error_msg) throw new Error(`the card was not issued: ${error_msg}`);
      return state === "done" || undefined;
    });
    await this.agent.call("DELETE", path);
  }
}

/** A new did:key of this wallet. */
export async function newDid(agent: Api): Promise<string> {
  const body = { method: "key", options: { key_type: "ed25519" } };
  return (await agent.call("POST", "/wallet/did/create", body)).result.did;
}
