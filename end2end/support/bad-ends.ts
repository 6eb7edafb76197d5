import { expect, type Page } from "@playwright/test";
import type { DeskPage } from "./desk-page";
import { type Faults, statusOf } from "./faults";
import type { Server } from "./server";
import type { WalletPage } from "./wallet-page";

/** What a test has at hand, as `test.ts` gives it. */
interface Parts {
  server: Server;
  page: Page;
  desk: DeskPage;
  wallet: WalletPage;
  faults: Faults;
  /** Playwright's own option. */
  javaScriptEnabled: boolean | undefined;
}

/** Walks through every bad end that a wallet, a platform or an address can bring about, and looks at the page of each. */
export async function walkBadEnds(
  { server, page, desk, wallet, faults, javaScriptEnabled }: Parts,
  look: (page: Page, state: string) => Promise<unknown>,
): Promise<void> {
  faults.allow(statusOf(404), statusOf(410));
  await server.behave({ pace: 50 });
  await desk.begin();
  if (javaScriptEnabled !== false) await desk.expectMethod("websocket");
  const link = await desk.link();
  await wallet.open(link);
  await wallet.connect();
  await wallet.decline();
  await desk.expectStage("declined");
  await look(page, "21-declined");
  await desk.askAgain.click();
  await wallet.awaitRequest(await desk.expectMatchingCode());
  await wallet.shareInvalid();
  await desk.expectStage("invalid");
  await look(page, "22-invalid");
  await desk.tryAgain.click();
  await desk.cancel.click();
  await desk.expectStage("cancelled");
  await look(page, "23-cancelled");
  await desk.tryAgain.click();
  await wallet.open(await desk.linkAfter(link));
  await wallet.breakOff();
  await desk.expectStage("abandoned");
  await look(page, "24-abandoned");
  await desk.tryAgain.click();
  await wallet.open(await desk.link());
  await server.behave({ pace: 50, faults: Array(60).fill("refused") });
  await wallet.connect();
  await desk.expectStage("failed");
  await look(page, "30-failed");
  await server.behave({ down: true });
  await desk.tryAgain.click();
  await expect(page.getByRole("alert")).toContainText("does not answer");
  await look(page, "25-platform-down");
  await page.goto("/no/such/page");
  await look(page, "26-not-found");
  await page.goto("/register?problem=cookies");
  await look(page, "28-no-cookies");
  await page.goto(link);
  await look(page, "27-link-gone");
}
