import { WALLET } from "../support/sample";
import { expect, test } from "../support/test";

test.use({ javaScriptEnabled: false });

test.beforeEach(async ({ server, faults }) => {
  await server.behave({ pace: 50 });
  // Chromium fetches what it is then not allowed to run.
  faults.allow(/was preloaded using link preload but not used/);
});

test("without JavaScript the page follows by loading itself again, all the way", async ({ page, desk, wallet }) => {
  await desk.begin();
  let loads = 0;
  page.on("framenavigated", () => loads++);
  const code = await desk.decodeCode();
  expect(code).toBe(await desk.link());
  await wallet.open(code ?? "");
  await expect(desk.headline).toHaveText("Accept the connection in your wallet");
  await wallet.connect();
  await expect(desk.headline).toHaveText(`Look at ${WALLET}`);
  await wallet.share();
  await expect(desk.headline).toHaveText("Verified");
  expect(loads, "nobody but the page itself loaded it").toBeGreaterThanOrEqual(3);
  expect(desk.frames, "and nothing was pushed").toEqual([]);
  await desk.expectApplication();
});

test("without JavaScript a decline leads to a new code that works", async ({ desk, wallet }) => {
  await desk.begin();
  const first = await desk.link();
  await wallet.open(first);
  await wallet.connect();
  await wallet.decline();
  await expect(desk.headline).toHaveText("You declined to share");
  await desk.tryAgain.click();
  const second = await desk.linkAfter(first);
  expect(await desk.decodeCode()).toBe(second);
  await wallet.accept(second);
  await expect(desk.headline).toHaveText("Verified");
  await desk.expectApplication();
});

test("without JavaScript there is a new code while waiting, and cancelling", async ({ desk, wallet }) => {
  await desk.begin();
  const first = await desk.link();
  await desk.newCode.click();
  const second = await desk.linkAfter(first);
  await wallet.open(second);
  await desk.cancel.click();
  await expect(desk.headline).toHaveText("Cancelled");
  await desk.tryAgain.click();
  await wallet.accept(await desk.linkAfter(second));
  await expect(desk.headline).toHaveText("Verified");
});

test("without JavaScript the page can be told to stay as it is, and asked for news", async ({ page, desk, wallet }) => {
  await desk.begin();
  await page.getByRole("link", { name: "Stop that" }).click();
  await expect(page).toHaveURL("/register/connect?still");
  await expect(page.locator("meta[http-equiv=refresh]")).toHaveCount(0);
  await page.getByText("Cannot scan?").click();
  const link = await desk.link();
  await desk.enlarge.click();
  await expect(desk.large).toBeVisible();
  await page.keyboard.press("Escape");
  await wallet.accept(link);
  await page.getByRole("link", { name: "Look for news" }).click();
  await expect(desk.headline).toHaveText(/Verified|Approved/);
});
