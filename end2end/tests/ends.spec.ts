import { statusOf } from "../support/faults";
import { ATTRIBUTES } from "../support/sample";
import { expect, test } from "../support/test";

test.beforeEach(async ({ server, faults }) => {
  await server.behave({ pace: 50 });
  // Links that are used up are opened on purpose.
  faults.allow(statusOf(410));
});

test("who declines learns what each value is for, and can still register with a new code", async ({
  page,
  desk,
  wallet,
}) => {
  await desk.beginLive();
  const first = await desk.link();
  await wallet.open(first);
  await wallet.connect();
  await wallet.decline();
  await expect(desk.headline).toHaveText("You declined to share");
  await desk.expectMethod("ended");
  await expect(page.getByText("Nothing was shared.").and(page.locator(":visible"))).toBeVisible();
  await expect(page.getByRole("term")).toHaveText(ATTRIBUTES.map(({ label }) => label));
  await expect(page.getByRole("definition")).toHaveText(ATTRIBUTES.map(({ purpose }) => purpose));
  await expect(desk.onwards).toBeHidden();
  await wallet.expectGone(first);

  await desk.tryAgain.click();
  const second = await desk.linkAfter(first);
  await expect(desk.headline).toHaveText("Scan the code with your wallet");
  await desk.expectMethod("websocket");
  expect(await desk.decodeCode()).toBe(second);
  await wallet.accept(second);
  await expect(desk.headline).toHaveText("Verified");
  await wallet.expectGone(first);
  await desk.expectApplication();
});

test("a card that does not verify registers nobody, and a good one afterwards does", async ({ page, desk, wallet }) => {
  await desk.beginLive();
  const first = await desk.link();
  await wallet.open(first);
  await wallet.connect();
  await wallet.shareInvalid();
  await expect(desk.headline).toHaveText("That card could not be verified");
  await expect(page.getByText("Make sure that the card is yours")).toBeVisible();
  await expect(desk.onwards).toBeHidden();
  await page.goto("/register/application");
  await expect(page, "there is nothing to see").toHaveURL("/register/connect");

  await desk.tryAgain.click();
  await wallet.accept(await desk.linkAfter(first));
  await expect(desk.headline).toHaveText("Verified");
  await desk.expectApplication();
});

test("a cancelled code is dead, and a new one works", async ({ page, desk, wallet }) => {
  await desk.beginLive();
  const first = await desk.link();
  await desk.cancel.click();
  await expect(desk.headline).toHaveText("Cancelled");
  await expect(page.getByText("the code no longer works")).toBeVisible();
  await expect(desk.code).toBeHidden();
  await wallet.expectGone(first);

  await desk.tryAgain.click();
  await wallet.accept(await desk.linkAfter(first));
  await expect(desk.headline).toHaveText("Verified");
});

test("a registration can be cancelled while the wallet asks, and what it shares then changes nothing", async ({
  page,
  desk,
  wallet,
}) => {
  await desk.beginLive();
  await wallet.open(await desk.link());
  await wallet.connect();
  await expect(page.getByText("Approve it there")).toBeVisible();
  await desk.cancel.click();
  await expect(desk.headline).toHaveText("Cancelled");
  await wallet.share();
  await page.reload();
  await expect(desk.headline).toHaveText("Cancelled");
  await page.goto("/register/application");
  await expect(page).toHaveURL("/register/connect");
});

test("a new code while waiting takes the place of the old one", async ({ desk, wallet }) => {
  await desk.beginLive();
  const first = await desk.link();
  await wallet.open(first);
  await desk.newCode.click();
  const second = await desk.linkAfter(first);
  await expect(desk.headline, "nobody has read this one").toHaveText("Scan the code with your wallet");
  await wallet.expectGone(first);
  await desk.expectMethod("websocket");
  await wallet.accept(second);
  await expect(desk.headline).toHaveText("Verified");
  await desk.expectApplication();
});

test.describe("with codes that wait only a few seconds", () => {
  test.use({ env: { SESSION_TTL: "5s" } });

  test("a code that nobody uses runs out, and a new one works", async ({ page, desk, wallet }) => {
    await desk.beginLive();
    await desk.takeNotes();
    const first = await desk.link();
    await expect(desk.headline).toHaveText("Time ran out");
    expect(await desk.notes(), "told without loading the page again").toEqual([
      "Scan the code with your wallet",
      "Time ran out",
    ]);
    await expect(page.getByText("This registration was not finished in time").and(page.locator(":visible"))).toBeVisible();
    await wallet.expectGone(first);

    await desk.tryAgain.click();
    await wallet.accept(await desk.linkAfter(first));
    await expect(desk.headline).toHaveText("Verified");
    await desk.expectApplication();
  });
});
