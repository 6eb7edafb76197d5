import type { Page } from "@playwright/test";

declare global {
  interface Window {
    sockets?: { opened: number; mostAtOnce: number; closeCodes: number[]; open: number; timers: number };
    hidden_?: boolean;
  }
}

/** Keeps count of a page's sockets, and of the timers that are set, from inside it, where alone one sees the close codes. Call it before it is opened. */
export async function countSockets(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const all: WebSocket[] = [];
    const count = { opened: 0, mostAtOnce: 0, closeCodes: [] as number[], open: 0, timers: 0 };
    const open = () => all.filter(({ readyState }) => readyState <= WebSocket.OPEN).length;
    Object.defineProperty(count, "open", { get: open, enumerable: true });
    const timers = new Set<number>();
    Object.defineProperty(count, "timers", { get: () => timers.size, enumerable: true });
    const { setTimeout, setInterval, clearTimeout } = window;
    const noted = (handle: number) => {
      timers.add(handle);
      return handle;
    };
    Object.assign(window, {
      setTimeout: (act: () => void, wait?: number) => {
        const handle = noted(
          setTimeout(() => {
            timers.delete(handle);
            act();
          }, wait),
        );
        return handle;
      },
      setInterval: (act: () => void, period?: number) => noted(setInterval(act, period)),
      // Timeouts and intervals have their handles from one list.
      clearTimeout: (handle?: number) => (timers.delete(handle!), clearTimeout(handle)),
      clearInterval: (handle?: number) => (timers.delete(handle!), clearTimeout(handle)),
    });
    window.sockets = count;
    window.WebSocket = class extends WebSocket {
      constructor(url: string | URL) {
        super(url);
        all.push(this);
        count.opened++;
        count.mostAtOnce = Math.max(count.mostAtOnce, open());
        this.addEventListener("close", ({ code }) => count.closeCodes.push(code));
      }
    };
  });
}

/** The count since the page was loaded. */
export const socketsOf = (page: Page) => page.evaluate(() => ({ ...window.sockets! }));

/** Makes `setHidden` work on this page. A headless browser shows all its pages, always. Call it before it is opened. */
export async function letHide(page: Page): Promise<void> {
  await page.addInitScript(() => {
    Object.defineProperty(document, "visibilityState", { get: () => (window.hidden_ ? "hidden" : "visible") });
    Object.defineProperty(document, "hidden", { get: () => window.hidden_ === true });
  });
}

/** As if the person went to another tab, or came back. */
export async function setHidden(page: Page, hidden: boolean): Promise<void> {
  await page.evaluate((hidden) => {
    window.hidden_ = hidden;
    document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
  }, hidden);
}

/** As if the person left the page and the browser kept it for the way back. */
export async function leave(page: Page): Promise<void> {
  await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true })));
}

/** As if the person came back to the page that the browser kept. */
export async function comeBack(page: Page): Promise<void> {
  await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
}
