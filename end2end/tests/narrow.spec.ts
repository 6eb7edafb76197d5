import type { Page } from "@playwright/test";
import { EMAIL, FormPage, PHONE } from "../support/form-page";
import { statusOf } from "../support/faults";
import { FOREVER } from "../support/server";
import { expect, test } from "../support/test";

const WIDTH = 320;

test.use({ viewport: { width: WIDTH, height: 568 } });

async function expectToFit(page: Page, what: string): Promise<void> {
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(width, `${what} has no horizontal scrolling`).toBeLessThanOrEqual(WIDTH);
}

test("the pages of the good way fit on a narrow screen", async ({ server, page, desk, wallet }) => {
  await server.behave({ pace: 50 });
  await page.goto("/");
  await expectToFit(page, "the first page");
  await page.goto("/register");
  await expectToFit(page, "the page of consent");
  await desk.consent();
  await desk.expectMethod("websocket");
  await expectToFit(page, "the code");
  expect(await desk.decodeCode()).toBe(await desk.link());
  await page.getByText("Cannot scan?").click();
  await expect(page.getByLabel("Copy this link into your wallet:")).toBeVisible();
  await expectToFit(page, "the code with its link");
  await wallet.page.setViewportSize({ width: WIDTH, height: 568 });
  await wallet.open(await desk.link());
  await expectToFit(wallet.page, "the wallet's wish to connect");
  await wallet.connect();
  await desk.expectStage("requested");
  await expectToFit(page, "the page while the wallet asks");
  await page.getByText("Nothing to see in your wallet?").click();
  await expectToFit(page, "what to do when the wallet shows nothing");
  await expect(wallet.page.getByRole("button", { name: "Share", exact: true })).toBeVisible();
  await expectToFit(wallet.page, "the wallet's request");
  await wallet.share();
  await expectToFit(wallet.page, "the wallet's last page");
  await expect(desk.headline).toHaveText("Verified");
  await expectToFit(page, "the page of the good end");
  await desk.expectApplication();
  await expectToFit(page, "what was shared");
  const form = new FormPage(page);
  await form.fill("amaka", "0801");
  await form.register.click();
  await form.expectFault(form.phone, /./);
  await expectToFit(page, "the form with what is wrong");
  await form.fill(EMAIL, PHONE);
  await form.register.click();
  await form.expectNumber();
  await expectToFit(page, "the number");
});

test("a wallet with the longest name fits on a narrow screen", async ({ server, page, desk, wallet }) => {
  await server.behave({ pace: FOREVER });
  await desk.beginLive();
  await wallet.open(await desk.link());
  const connection = await wallet.connect();
  await desk.expectStage("scanned");
  const theirLabel = "W".repeat(64);
  await server.deliver({ type: "Connection", id: connection, connectionId: connection, state: "completed", theirLabel });
  await expect(desk.headline).toHaveText(`Connected to ${theirLabel}`);
  await expectToFit(page, "the page with a long name");
});

test("the bad ends, a dead link and a missing page fit on a narrow screen", async ({
  server,
  page,
  desk,
  wallet,
  faults,
}) => {
  faults.allow(statusOf(404), statusOf(410));
  await server.behave({ pace: 50 });
  await desk.beginLive();
  const link = await desk.link();
  await wallet.open(link);
  await wallet.connect();
  await wallet.decline();
  await expect(desk.headline).toHaveText("You declined to share");
  await expectToFit(page, "the page after a decline");
  await desk.tryAgain.click();
  await desk.linkAfter(link);
  await desk.cancel.click();
  await expect(desk.headline).toHaveText("Cancelled");
  await expectToFit(page, "the page after cancelling");
  await wallet.page.setViewportSize({ width: WIDTH, height: 568 });
  await wallet.page.goto(link);
  await expect(wallet.page.getByRole("heading", { name: "This code is no longer valid" })).toBeVisible();
  await expectToFit(wallet.page, "a dead link");
  await page.goto("/no/such/page");
  await expectToFit(page, "a missing page");
});
