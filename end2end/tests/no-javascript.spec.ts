import { WALLET } from "../support/sample";
import { expect, test } from "../support/test";

test.use({ javaScriptEnabled: false });

test.beforeEach(async ({ server }) => {
  await server.behave({ pace: 50 });
});

test("without JavaScript the page follows by loading itself again, all the way", async ({ page, desk, wallet }) => {
  await desk.begin();
  let loads = 0;
  page.on("framenavigated", () => loads++);
  const code = await desk.decodeCode();
  expect(code).toBe(await desk.link());
  await wallet.open(code ?? "");
  await expect(desk.headline).toHaveText("Your wallet has read the code");
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
