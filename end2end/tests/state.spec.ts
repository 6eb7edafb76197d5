import { DeskPage, proven } from "../support/desk-page";
import { statusOf } from "../support/faults";
import { WALLET } from "../support/sample";
import { FOREVER } from "../support/server";
import { expect, test } from "../support/test";

test("loading the page again keeps the state at every stage", async ({ server, page, desk, wallet }) => {
  // Each stage is held until the test goes on: first the sandbox pauses in the middle of the handshake …
  await server.behave({ pace: FOREVER });
  const expectKept = async (stage: string, headline: string) => {
    await desk.expectStage(stage);
    await page.reload();
    await expect(desk.headline).toHaveText(headline);
    await desk.expectStage(stage);
    await desk.expectMethod("websocket");
    expect(desk.frames.findLast(({ type }) => type === "connected")).toMatchObject({ stage });
  };
  await desk.beginLive();
  const link = await desk.link();
  await expectKept("waiting", "Scan the code with your wallet");
  expect(await desk.link(), "the same code").toBe(link);
  await wallet.open(link);
  const connection = await wallet.connect();
  await expectKept("scanned", `Connecting to ${WALLET}`);
  // … then the test says what the sandbox does not say: the desk has to ask the platform first, and that denies it.
  await server.deliver({ type: "Connection", id: connection, connectionId: connection, state: "completed" });
  await expectKept("connected", `Connected to ${WALLET}`);
});

test("loading the page again keeps the state while the wallet asks, and after it was answered", async ({
  server,
  page,
  desk,
  wallet,
}) => {
  await server.behave({ pace: 50 });
  await desk.beginLive();
  await wallet.open(await desk.link());
  await wallet.connect();
  await desk.expectStage("requested");
  await page.reload();
  await expect(desk.headline).toHaveText(`Look at ${WALLET}`);
  await desk.expectMethod("websocket");
  await wallet.share();
  await expect(desk.headline).toHaveText("Verified");
  await page.reload();
  await expect(desk.headline).toHaveText("Verified");
  await desk.expectApplication();
  await page.reload();
  await expect(page.getByRole("definition").first()).toHaveText(proven("Okonkwo"));
});

test("a second tab shows the same registration as it stands, and both follow", async ({ server, context, desk, wallet }) => {
  await server.behave({ pace: 50 });
  await desk.beginLive();
  await wallet.open(await desk.link());
  await wallet.connect();
  await desk.expectStage("requested");

  const second = new DeskPage(await context.newPage());
  await second.page.goto("/register/connect");
  await expect(second.headline).toHaveText(`Look at ${WALLET}`);
  await second.expectMethod("websocket");
  await desk.takeNotes();
  await second.takeNotes();
  await wallet.share();
  for (const tab of [desk, second]) {
    await expect(tab.headline).toHaveText("Verified");
    expect(await tab.notes(), "without loading the page again").toBeDefined();
  }
  expect(second.frames[0].sessionId).toBe(desk.frames[0].sessionId);
  expect(second.frames[0].stage).toBe("requested");
});

test("a tab left behind with an old code gets the new one by itself", async ({ context, desk, wallet }) => {
  await desk.beginLive();
  const first = await desk.link();
  const second = new DeskPage(await context.newPage());
  await second.page.goto("/register/connect");
  await second.expectMethod("websocket");
  expect(await second.link()).toBe(first);

  await second.newCode.click();
  const renewed = await second.linkAfter(first);
  expect(await desk.linkAfter(first)).toBe(renewed);
  expect(await desk.decodeCode()).toBe(renewed);
  await desk.expectMethod("websocket");
  await wallet.accept(renewed);
  for (const tab of [desk, second]) await expect(tab.headline).toHaveText("Verified");
});

test("the back button leads back and forward without losing anything", async ({ server, page, desk, wallet }) => {
  await server.behave({ pace: 50 });
  await desk.beginLive();
  const link = await desk.link();
  await page.goBack();
  await expect(page).toHaveURL("/register");
  await wallet.open(link);
  await wallet.connect();
  await page.goForward();
  await expect(page).toHaveURL("/register/connect");
  await expect(desk.headline).toHaveText(`Look at ${WALLET}`);
  await wallet.share();
  await expect(desk.headline).toHaveText("Verified");
  await desk.expectApplication();
  await page.goBack();
  await expect(page).toHaveURL("/register/connect");
  await expect(desk.headline).toHaveText("Verified");
  await desk.expectApplication();
});

test("a browser without a registration is led to where one begins", async ({ page }) => {
  await page.goto("/register/connect");
  await expect(page).toHaveURL("/register");
  await page.goto("/register/application");
  await expect(page).toHaveURL("/register");
  await expect(page.getByRole("button", { name: "I agree, show me the code" })).toBeVisible();
});

test("what was shared cannot be seen before it is verified", async ({ page, desk }) => {
  await desk.beginLive();
  const link = await desk.link();
  await page.goto("/register/application");
  await expect(page).toHaveURL("/register/connect");
  expect(await desk.link()).toBe(link);
});

test("a page that does not exist says so and has a way home", async ({ page, faults }) => {
  faults.allow(statusOf(404));
  const answer = await page.goto("/no/such/page");
  expect(answer?.status()).toBe(404);
  await expect(page.getByRole("heading", { name: "There is no such page" })).toBeVisible();
  await page.getByRole("link", { name: "To the start" }).click();
  await expect(page).toHaveURL("/");
  await expect(page.getByRole("link", { name: "Begin" })).toBeVisible();
});
