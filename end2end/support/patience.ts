import { setTimeout as pause } from "node:timers/promises";

/** How often something is looked at that does not say by itself when it changes. In milliseconds. */
const PERIOD = 50;

/** Looks again and again until there is something to see, and gives it back; fails when that takes too long. */
export async function until<T>(what: string, patience: number, look: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + patience;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (Date.now() > end) throw new Error(`${what}: not within ${patience / 1000} s`);
    await pause(PERIOD);
  }
}
