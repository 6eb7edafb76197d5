import { LOOKS, expectAccessible } from "../support/accessible";
import { walkBadEnds } from "../support/bad-ends";
import { DeskPage } from "../support/desk-page";
import { FormPage } from "../support/form-page";
import { FOREVER } from "../support/server";
import { expect, test } from "../support/test";

for (const [seen, use] of LOOKS) {
  test.describe(seen, () => {
    test.use(use);

    test("every page of the good way keeps to the rules", async ({ server, page, desk, wallet }) => {
      await server.behave({ pace: 50 });
      await page.goto("/");
      await expectAccessible(page, "the first page");
      await page.goto("/register");
      await expectAccessible(page, "the page of consent");
      await desk.consent();
      await desk.expectMethod("websocket");
      await expectAccessible(page, "the code");
      await page.getByText("Cannot scan?").click();
      await expectAccessible(page, "the code with its link");
      await desk.enlarge.click();
      await expectAccessible(page, "the code over the whole screen");
      await page.keyboard.press("Escape");
      await desk.anotherDevice.click();
      await expectAccessible(page, "the code for another device");
      await page.goto("/continue?problem=code");
      await expectAccessible(page, "where another device goes on");
      await page.goto("/register/connect");
      await wallet.open(await desk.link());
      await expectAccessible(wallet.page, "the wallet's wish to connect");
      await expect(desk.live).toHaveAttribute("data-opened", "true");
      await expectAccessible(page, "the code that was read");
      await wallet.connect();
      await desk.expectStage("requested");
      await expectAccessible(page, "the page while the wallet asks");
      await page.getByText("Nothing to see in your wallet?").click();
      await desk.noCard.click();
      await page.getByText("Not your wallet?").click();
      await expectAccessible(page, "the page while the wallet asks, with all that helps");
      await wallet.awaitRequest(await desk.expectMatchingCode());
      await expectAccessible(wallet.page, "the wallet's request");
      await wallet.share();
      await expect(desk.headline).toHaveText("Verified");
      // Before that it loads itself again.
      await expect(wallet.page.getByRole("status")).toContainText("Shared, and accepted.");
      await expectAccessible(wallet.page, "the wallet's last page");
      await expectAccessible(page, "the page of the good end");
      await desk.expectApplication();
      await expectAccessible(page, "the form");
      const form = new FormPage(page);
      await form.fill("amaka", "0801");
      await form.register.click();
      await form.expectFault(form.phone, /./);
      await expectAccessible(page, "the form with what is wrong");
      await form.fill("amaka@example.org", "+234 801 234 5678");
      await form.register.click();
      await form.expectNumber();
      await expectAccessible(page, "the number");
    });

    test("every bad end keeps to the rules", ({ server, page, desk, wallet, faults, javaScriptEnabled }) =>
      walkBadEnds({ server, page, desk, wallet, faults, javaScriptEnabled }, expectAccessible));
  });
}

test.describe("with a clock that is put forward", () => {
  test.use({ env: { SESSION_TTL: "3s" } });

  test("a code that ran out keeps to the rules", async ({ page, desk }) => {
    await desk.begin();
    await desk.expectStage("expired");
    await expectAccessible(page, "expired");
  });
});

test("hints, and a wallet that is connecting, keep to the rules", async ({ server, page, desk, wallet }) => {
  await page.clock.install();
  await server.behave({ pace: FOREVER });
  await desk.beginLive();
  await page.clock.fastForward(31_000);
  await expect(desk.hint).toContainText("Nothing happens?");
  await expectAccessible(page, "a hint");
  await wallet.open(await desk.link());
  await wallet.connect();
  await desk.expectStage("scanned");
  await expectAccessible(page, "connecting");
});

for (const [language, heading] of [
  ["Français", "Avant de commencer"],
  ["Hausa", "Kafin ku fara"],
  ["Yorùbá", "Kí o tó bẹ̀rẹ̀"],
  ["Igbo", "Tupu ị malite"],
]) {
  test(`in ${language} the page of consent and the code keep to the rules`, async ({ page, desk }) => {
    await page.goto("/register");
    await page.getByRole("button", { name: language }).click();
    await expect(page.getByRole("heading", { name: heading })).toBeVisible();
    await expectAccessible(page, "the page of consent");
    await page.locator("main form button").click();
    await desk.expectMethod("websocket");
    await expectAccessible(page, "the code");
  });
}

test("a page without a network keeps to the rules", async ({ context, page, desk, faults }) => {
  faults.allow(/net::ERR_INTERNET_DISCONNECTED/, /WebSocket connection to .* failed/);
  await desk.beginLive();
  await context.setOffline(true);
  await desk.expectMethod("offline");
  await expectAccessible(page, "offline");
});

test.describe("with one window", () => {
  test.use({ env: { MAX_CLIENTS_PER_SESSION: "1" } });

  test("a page in too many windows keeps to the rules", async ({ context, desk }) => {
    await desk.beginLive();
    const second = new DeskPage(await context.newPage());
    await second.page.goto("/register/connect");
    await second.expectMethod("polling");
    await expectAccessible(second.page, "too many windows");
  });
});

test("a screen reader finds the page of the code in this order", async ({ page, desk }) => {
  await desk.beginLive();
  await expect(page.locator("body")).toMatchAriaSnapshot(`
    - link "Skip to the content"
    - banner:
      - link "Vestibule"
      - list "Progress":
        - listitem: Agree
        - listitem: Connect
        - listitem: Your data
        - listitem: Done
    - main:
      - heading "Scan the code with your wallet" [level=1]
      - paragraph:
        - text: "Time left:"
        - timer: /1[45]:\\d\\d/
        - text: Live
      - link "Open the wallet on this phone"
      - img "Code to scan with your wallet"
      - button "Enlarge the code"
      - paragraph:
        - link "Open the simulated wallet in a second tab"
      - group: Cannot scan?
      - button "New code"
      - button "Cancel"
      - button "Continue on another device"
    - contentinfo:
      - group "Language":
        - button "English"
        - button "Français"
        - button "Hausa"
        - button "Yorùbá"
        - button "Igbo"
  `);
});

test("a screen reader finds a bad end, and the way on, in this order", async ({ server, page, desk, wallet }) => {
  await server.behave({ pace: 50 });
  await desk.beginLive();
  await wallet.open(await desk.link());
  await wallet.connect();
  await wallet.decline();
  await desk.expectStage("declined");
  await expect(desk.headline, "told at once").toHaveAttribute("aria-live", "assertive");
  await expect(page.getByRole("main")).toMatchAriaSnapshot(`
    - main:
      - heading "You declined to share" [level=1]
      - paragraph: Nothing was shared. If you want to register after all, begin again.
      - button "Try again with a new code"
      - button "Ask my wallet again"
      - group: No Student Card in your wallet?
      - heading "What each value is for" [level=2]
      - term: Surname
      - definition: to address you and to find your record
  `);
});
