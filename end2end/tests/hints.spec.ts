import { DeskPage } from "../support/desk-page";
import { FOREVER } from "../support/server";
import { expect, test } from "../support/test";

const HALF_A_MINUTE = 31_000;
const TWO_MINUTES = 121_000;

test.describe("when nothing happens", () => {
  test.beforeEach(async ({ page, faults }) => {
    // The page's own clock, which the test puts forward.
    await page.clock.install();
    // By that clock a socket may take minutes to open; the page then gives it up, and takes another.
    faults.allow(/WebSocket is closed before the connection is established/);
  });

  test("a code that nobody scans is followed by a hint, and by another way", async ({ page, desk, wallet }) => {
    await desk.beginLive();
    await expect(desk.hint).toBeEmpty();
    await page.clock.fastForward(HALF_A_MINUTE);
    await expect(desk.hint).toContainText("Nothing happens?");
    await page.clock.fastForward(TWO_MINUTES - HALF_A_MINUTE);
    await expect(desk.hint).toContainText("Still nothing?");
    await expect(desk.hint, "told politely").toHaveAttribute("aria-live", "polite");
    await wallet.open(await desk.link());
    await expect(desk.headline).toHaveText("Accept the connection in your wallet");
    await expect(desk.hint, "something happened").toBeEmpty();
    await page.clock.fastForward(HALF_A_MINUTE);
    await expect(desk.hint).toContainText("has not connected yet");
    await page.clock.fastForward(TWO_MINUTES);
    await expect(desk.hint).toContainText("take a new code");
    await desk.newCode.click();
    await expect(desk.headline).toHaveText("Scan the code with your wallet");
    await expect(desk.hint).toBeEmpty();
  });

  test("a wallet that is silent in the middle of connecting can be given up", async ({ server, page, desk, wallet }) => {
    await server.behave({ pace: FOREVER });
    await desk.beginLive();
    await wallet.open(await desk.link());
    await wallet.connect();
    await desk.expectStage("scanned");
    await page.clock.fastForward(HALF_A_MINUTE);
    await expect(desk.hint).toContainText("Keep your wallet open");
    await page.clock.fastForward(TWO_MINUTES);
    await expect(desk.hint).toContainText("begin again with a new code");
    await page.getByText("Not your wallet?").click();
    await expect(page.getByText("Somebody else may have scanned your code.")).toBeVisible();
    await desk.cancel.click();
    await desk.tryAgain.click();
    await desk.expectStage("waiting");
  });

  test("a request that nobody answers is followed by hints, and by the way to the card", async ({
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
    await page.clock.fastForward(HALF_A_MINUTE);
    await expect(desk.hint).toContainText("look among its messages");
    await page.clock.fastForward(TWO_MINUTES);
    await expect(desk.hint).toContainText("asked again");
    await desk.noCard.click();
    await expect(page.getByText("Student Cards are issued at the registry").and(page.locator(":visible"))).toBeVisible();
    await wallet.share();
    await expect(desk.headline).toHaveText("Verified");
    await expect(desk.hint).toBeEmpty();
  });

  test("the time that is left is told once, a minute before its end, and not with every second", async ({ page, desk }) => {
    await desk.beginLive();
    const told = page.locator("#last-minute");
    await expect(told).toBeEmpty();
    await expect(page.getByRole("timer")).toHaveText(/^1[45]:\d\d$/);
    await expect(page.getByRole("timer"), "a timer is silent unless it says otherwise").not.toHaveAttribute("aria-live", /./);
    await page.clock.fastForward(14 * 60_000 + 5_000);
    await expect(told).toHaveText("One minute is left.");
    await expect(page.locator("#ring")).toHaveAttribute("stroke-dasharray", /^0\.0\d\d 2$/);
  });
});

test("a page without a network says so, and that nothing is lost", async ({ page, context, desk, faults }) => {
  faults.allow(/net::ERR_INTERNET_DISCONNECTED/, /WebSocket connection to .* failed/);
  await desk.beginLive();
  await context.setOffline(true);
  await expect(page.getByText("You are offline. Nothing is lost")).toBeVisible();
  await expect(page.getByText("Offline", { exact: true })).toBeVisible();
  await context.setOffline(false);
  await desk.expectMethod("websocket");
  await expect(page.getByText("You are offline.")).toBeHidden();
});

test.describe("with two windows at most", () => {
  test.use({ env: { MAX_CLIENTS_PER_SESSION: "2", POLLING_INTERVAL: "300ms" } });

  test("a third one says why it is slower, and follows all the same", async ({ server, context, desk, wallet }) => {
    await server.behave({ pace: 50 });
    await desk.beginLive();
    const second = new DeskPage(await context.newPage());
    await second.page.goto("/register/connect");
    await second.expectMethod("websocket");
    const third = new DeskPage(await context.newPage());
    await third.page.goto("/register/connect");
    await third.expectMethod("polling");
    await expect(third.page.getByText("open in more windows than can be live at once")).toBeVisible();
    await wallet.accept(await desk.link());
    await expect(third.headline).toHaveText("Verified");
  });
});

test("without cookies the page says what is the matter instead of beginning anew for ever", async ({ gateway, page }) => {
  gateway.dropCookies();
  await page.goto(`${gateway.url}/register`);
  const agree = page.getByRole("button", { name: "I agree, show me the code" });
  await agree.click();
  await expect(page).toHaveURL(`${gateway.url}/register?problem=cookies`);
  await expect(page.getByRole("alert")).toContainText("Your browser did not keep the cookie");
  await expect(page.getByRole("alert"), "one begins to read there").toBeFocused();
  await expect(agree).toBeVisible();
});
