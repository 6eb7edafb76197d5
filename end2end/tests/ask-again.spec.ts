import { FormPage } from "../support/form-page";
import { ATTRIBUTES, WALLET } from "../support/sample";
import { expect, test } from "../support/test";

test.beforeEach(async ({ server }) => {
  await server.behave({ pace: 50 });
});

test("the page and the wallet show the same code, and another one when the wallet is asked again", async ({
  desk,
  wallet,
}) => {
  await desk.beginLive();
  await wallet.open(await desk.link());
  await wallet.connect();
  await expect(desk.headline).toHaveText(`Look at ${WALLET}`);
  const first = await desk.expectMatchingCode();
  expect(await wallet.requestCode()).toBe(first);

  await wallet.decline();
  await expect(desk.headline).toHaveText("You declined to share");
  await desk.askAgain.click();
  await expect(desk.headline).toHaveText(`Look at ${WALLET}`);
  await expect(desk.code, "there is nothing to scan").toBeHidden();
  const second = await desk.expectMatchingCode();
  expect(second).not.toBe(first);
  await wallet.awaitRequest(second);
  await wallet.share();
  await expect(desk.headline).toHaveText("Verified");
  await desk.expectApplication();
});

test("a wallet that shows nothing can be asked again, or given up for a new code", async ({ page, desk, wallet }) => {
  await desk.beginLive();
  const link = await desk.link();
  await wallet.open(link);
  await wallet.connect();
  const first = await desk.expectMatchingCode();
  await wallet.dismiss();
  await page.getByText("Nothing to see in your wallet?").click();
  await page.getByRole("button", { name: "Ask again" }).click();
  await expect(desk.matchingCode).not.toHaveText(first);
  await desk.expectStage("requested");
  await wallet.awaitRequest(await desk.expectMatchingCode());

  await page.getByText("Nothing to see in your wallet?").click();
  await desk.newCode.click();
  await desk.expectStage("waiting");
  await wallet.accept(await desk.link());
  await expect(desk.headline).toHaveText("Verified");
  await desk.expectApplication();
});

test("a platform that keeps the desk waiting is said to, and the page goes on when it answers", async ({
  server,
  page,
  desk,
  wallet,
}) => {
  const slow = page.getByText("The wallet platform is slow to answer.");
  await desk.beginLive();
  await wallet.open(await desk.link());
  await expect(slow).toBeHidden();
  await server.behave({ pace: 50, faults: Array(20).fill("error") });
  await wallet.connect();
  await expect(slow).toBeVisible();
  await page.reload();
  await expect(slow).toBeVisible();
  await server.behave({ pace: 50 });
  await desk.expectStage("requested");
  await expect(slow).toBeHidden();
});

test("a card that does not verify can be shared anew over the same connection", async ({ desk, wallet }) => {
  await desk.beginLive();
  await wallet.open(await desk.link());
  await wallet.connect();
  await wallet.shareInvalid();
  await expect(desk.headline).toHaveText("That card could not be verified");
  await desk.askAgain.click();
  await wallet.awaitRequest(await desk.expectMatchingCode());
  await wallet.share();
  await expect(desk.headline).toHaveText("Verified");
});

test("who leaves out what is required learns what is missing, and can share it after all", async ({
  page,
  desk,
  wallet,
}) => {
  await desk.beginLive();
  await wallet.open(await desk.link());
  await wallet.connect();
  await wallet.shareAllButTheLast();
  await expect(desk.headline).toHaveText("Verified");
  await desk.onwards.click();
  await expect(page.getByRole("heading", { name: "Something is missing" })).toBeVisible();
  const last = ATTRIBUTES.at(-1)?.label ?? "";
  await expect(page.getByRole("alert").getByRole("listitem")).toHaveText([last]);
  await expect(page.getByRole("definition").last()).toHaveText("not shared, required");
  await expect(page.getByRole("img", { name: "proven" })).toHaveCount(ATTRIBUTES.length - 1);
  await expect(new FormPage(page).register).toHaveCount(0);

  await desk.askAgain.click();
  await expect(page).toHaveURL("/register/connect");
  await wallet.awaitRequest(await desk.expectMatchingCode());
  await wallet.share();
  await expect(desk.headline).toHaveText("Verified");
  await desk.expectApplication();
});

test.describe("at a desk that asks for a condition, and for something optional", () => {
  test.use({ env: { DESK_FILE: "desks/course.toml" } });

  test("the condition is shown as proven, and its value nowhere", async ({ page, desk, wallet }) => {
    await desk.begin();
    await wallet.accept(await desk.link());
    await expect(desk.headline).toHaveText("Verified");
    await desk.onwards.click();
    const credits = page.getByRole("definition").last();
    await expect(credits).toContainText("at least 60");
    await expect(credits).toContainText("proven; the value itself stayed in your wallet");
    await expect(credits.getByRole("img", { name: "proven" })).toBeVisible();
    expect(await page.content(), "the card says 84").not.toContain(">84<");
    await expect(page.getByText("Issued by the Riverside College registry")).toBeVisible();
    await expect(page.getByText("9vKx2mQpTbR4sWnYcE7dHf")).toBeVisible();
  });
});
