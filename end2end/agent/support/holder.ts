import type { Api } from "./admin";
import { until } from "../../support/patience";

/** For what the other side has to do first. In milliseconds. */
const PATIENCE = 30_000;

/** A connection, as far as tests look at it. */
export type Connection = { connection_id: string; state: string; rfc23_state: string; their_label?: string };

/** A proof exchange, as far as tests look at it. */
export type Exchange = {
  pres_ex_id: string;
  connection_id?: string;
  thread_id: string;
  state: string;
  created_at: string;
  error_msg?: string;
  verified?: "true" | "false";
  // The messages in it differ from format to format.
  by_format: { pres_request: Record<string, any>; pres?: Record<string, any> };
};

/** What a holder may find in its wallet for a request in the AnonCreds format. */
type Candidate = { cred_info: { referent: string }; presentation_referents: string[] };

/** The person with the wallet: accepts an invitation, looks at what is asked, and shares it or not. */
export class Holder {
  constructor(readonly agent: Api) {}

  /** Accepts an invitation, which is a message or an address that holds or leads to one; gives back the connection's id, if it makes one. */
  async receive(invitation: string | object): Promise<string | undefined> {
    const message = typeof invitation === "string" ? await messageOf(invitation) : invitation;
    const path = "/out-of-band/receive-invitation?auto_accept=true&use_existing_connection=true";
    return (await this.agent.call("POST", path, message)).connection_id;
  }

  async connections(): Promise<Connection[]> {
    return (await this.agent.call("GET", "/connections")).results;
  }

  /** Waits until the connection is complete. */
  async waitForConnection(connectionId: string): Promise<Connection> {
    return until(`connection ${connectionId} is complete`, PATIENCE, async () =>
      (await this.connections()).find((one) => one.connection_id === connectionId && one.rfc23_state === "completed"),
    );
  }

  async exchanges(): Promise<Exchange[]> {
    return (await this.agent.call("GET", "/present-proof-2.0/records?role=prover&limit=100")).results;
  }

  /** Waits for a request that is open over this connection; gives back the newest. */
  async waitForRequest(connectionId: string | undefined): Promise<Exchange> {
    return until("a request reaches the wallet", PATIENCE, async () => {
      const open = (await this.exchanges()).filter(
        // Not just any: others may have been left open in this wallet.
        ({ state, connection_id }) => state === "request-received" && connection_id === connectionId,
      );
      // The agent lists them in no order.
      return open.sort((one, other) => one.created_at.localeCompare(other.created_at)).at(-1);
    });
  }

  /** Shares what is asked, every part of it from the first card that has it. */
  async present({ pres_ex_id, by_format }: Exchange): Promise<void> {
    const { anoncreds, dif } = by_format.pres_request;
    // In the other format the agent itself picks the credentials that the definition describes.
    const presentation = anoncreds ? { anoncreds: await this.choose(pres_ex_id, anoncreds) } : dif && { dif: {} };
    if (!presentation) throw new Error(`a request of an unknown format: ${Object.keys(by_format.pres_request)}`);
    await this.agent.call("POST", `/present-proof-2.0/records/${pres_ex_id}/send-presentation`, presentation);
  }

  private async choose(
    exchange: string,
    request: { requested_attributes: object; requested_predicates: object },
  ): Promise<object> {
    const path = `/present-proof-2.0/records/${exchange}/credentials?limit=100`;
    const candidates = await this.agent.call<Candidate[]>("GET", path);
    const pick = (referents: object, how: object) =>
      Object.fromEntries(
        Object.keys(referents).map((referent) => {
          const found = candidates.find(({ presentation_referents }) => presentation_referents.includes(referent));
          if (!found) throw new Error(`no card in the wallet has what is asked as ${referent}`);
          return [referent, { cred_id: found.cred_info.referent, ...how }];
        }),
      );
    return {
      requested_attributes: pick(request.requested_attributes, { revealed: true }),
      requested_predicates: pick(request.requested_predicates, {}),
      self_attested_attributes: {},
    };
  }

  /** Says no, in these words. */
  async decline({ pres_ex_id }: Exchange, reason: string): Promise<void> {
    const path = `/present-proof-2.0/records/${pres_ex_id}/problem-report`;
    await this.agent.call("POST", path, { description: reason });
  }
}

/** The message that an address holds, or that stands behind it: as wallets do, one that holds none is called. */
export async function messageOf(address: string, hops = 3): Promise<object> {
  const held = new URL(address).searchParams.get("oob");
  if (held) return JSON.parse(Buffer.from(held, "base64url").toString());
  const answer = await fetch(address, {
    headers: { accept: "application/json" },
    redirect: "manual",
    signal: AbortSignal.timeout(PATIENCE),
  });
  const onwards = answer.headers.get("location");
  if (onwards && hops > 0) return messageOf(new URL(onwards, address).href, hops - 1);
  if (!answer.ok) throw new Error(`there is no invitation at ${address}: ${answer.status}`);
  return (await answer.json()) as object;
}
