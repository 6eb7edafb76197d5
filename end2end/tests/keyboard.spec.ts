import { FormPage } from "../support/form-page";
import { press } from "../support/keyboard";
import { expect, test } from "../support/test";

test("the whole way can be gone with the keyboard alone", async ({ server, page, desk, wallet }) => {
  await server.behave({ pace: 50 });
  await page.goto("/");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("main"), "it leads past what stands above").toBeFocused();
  await press(page, "Begin");
  await expect(page).toHaveURL("/register");
  await press(page, "I agree, show me the code", "Space");
  await desk.expectMethod("websocket");

  await press(page, "Enlarge the code", "Space");
  await expect(desk.large).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(desk.large).toBeHidden();
  await expect(desk.enlarge, "the focus is where it was").toBeFocused();
  await press(page, "Cannot scan?");
  await page.keyboard.press("Tab");
  await expect(page.getByLabel("Copy this link into your wallet:"), "an alternative to scanning").toBeFocused();
  const link = await desk.link();

  await press(page, "New code");
  await wallet.open(await desk.linkAfter(link));
  await desk.expectMethod("websocket");
  await page.getByRole("button", { name: "New code" }).focus();
  await wallet.connect();
  await desk.expectStage("requested");
  await expect(page.getByRole("heading", { level: 1 }), "what had the focus is gone, so it is at the news").toBeFocused();
  await wallet.share();
  await desk.expectStage("verified");
  await press(page, "Go on to the form");
  await expect(page).toHaveURL("/register/application");

  const form = new FormPage(page);
  await press(page, "Register");
  await form.expectFault(form.email, /./);
  await expect(form.email, "the first field that has to be mended").toBeFocused();
  await page.keyboard.type("amaka@example.org");
  await page.keyboard.press("Tab");
  await expect(form.phone).toBeFocused();
  await page.keyboard.type("+234 801 234 5678");
  await page.keyboard.press("Enter");
  await form.expectNumber();
});
