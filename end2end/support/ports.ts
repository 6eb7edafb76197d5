import { once } from "node:events";
import { createServer } from "node:net";

/**
 * Where ports are looked for: below those that systems lend to outgoing calls (from 32768 on Linux, from 49152 elsewhere).
 * So nobody takes the port of a process that is down and comes back.
 */
const FIRST = 20_000;
const LAST = 32_000;

/** Two tests at the same time each ask for themselves, so it is by chance where one begins. */
let next = FIRST + Math.floor(Math.random() * (LAST - FIRST));

/** A port of the loopback address where nobody listens. No port is given twice. */
export async function freePort(): Promise<number> {
  for (let tried = FIRST; tried < LAST; tried++) {
    const port = next++;
    if (next > LAST) next = FIRST;
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port from ${FIRST} to ${LAST}`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
