import { expect, test } from "../support/test";
import { WalletPage } from "../support/wallet-page";

test.use({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with scripts" : "without scripts", () => {
    test.use({ javaScriptEnabled });

    test("on the phone that holds the wallet, one tap leads there, and the registration is done when one comes back", async ({
      server,
      page,
      desk,
    }) => {
      await server.behave({ pace: 50 });
      await desk.begin();
      if (javaScriptEnabled) await desk.expectMethod("websocket");
      await page.getByRole("link", { name: "Open the wallet on this phone" }).tap();
      const wallet = new WalletPage(page);
      await wallet.expectToBeAsked();
      await wallet.connect();
      await wallet.share();
      await page.goto("/register/connect");
      await expect(desk.headline).toHaveText("Verified");
      await desk.expectApplication();
    });
  });
}

test("the code can be read from a phone's screen too", async ({ desk }) => {
  await desk.beginLive();
  expect(await desk.decodeCode()).toBe(await desk.link());
});
