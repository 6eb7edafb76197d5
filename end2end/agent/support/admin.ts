/** Making the keys of a credential definition is the longest call: some seconds, on a busy machine many. In milliseconds. */
const LONGEST_CALL = 120_000;

/** An answer of the admin API that is no success. */
export class Refusal extends Error {
  constructor(
    call: string,
    readonly status: number,
    /** In the agent's own words: plain text, no JSON. */
    readonly text: string,
  ) {
    super(`${call} was answered ${status}: ${text}`);
  }
}

/** Whatever can be called as an agent is: an agent, or one tenant of it. */
export type Api = Pick<Admin, "call">;

/** The admin API of an agent, or of one tenant of it. */
export class Admin {
  constructor(
    /** Without a slash at the end. */
    readonly url: string,
    private readonly headers: Record<string, string>,
  ) {}

  /** Calls a path, query included; gives back the JSON of the answer, and throws a `Refusal` when it is no success. */
  async call<T = any>(method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: object): Promise<T> {
    const answer = await fetch(this.url + path, {
      method,
      headers: { ...this.headers, ...(body && { "content-type": "application/json" }) },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(LONGEST_CALL),
    });
    if (!answer.ok) throw new Refusal(`${method} ${path}`, answer.status, await answer.text());
    return (await answer.json()) as T;
  }
}
