import { decode } from "../support/code";
import { DeskPage } from "../support/desk-page";
import { expect, test } from "../support/test";

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

test.beforeEach(async ({ server }) => {
  await server.behave({ pace: 50 });
});

test("begun on a phone, gone on with at a desk, and both show the same", async ({ device, desk, wallet, page }) => {
  const phone = new DeskPage(await (await device(PHONE)).newPage());
  await phone.beginLive();
  const link = await phone.link();
  await phone.anotherDevice.click();
  await expect(phone.page).toHaveURL("/register/hand-over");
  const code = (await phone.page.getByLabel("Code", { exact: true }).textContent()) ?? "";
  expect(code.trim()).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/);

  await page.goto("/continue");
  await page.getByRole("textbox", { name: "Code" }).fill(code.trim().toLowerCase());
  await page.getByRole("button", { name: "Continue" }).click();
  await expect(page).toHaveURL("/register/connect");
  expect(await desk.link(), "it is the same registration").toBe(link);
  await desk.expectMethod("websocket");

  await phone.page.getByRole("link", { name: "Back to the registration" }).click();
  await phone.expectMethod("websocket");
  await wallet.accept(link);
  for (const one of [phone, desk]) await expect(one.headline).toHaveText("Verified");
  await desk.expectApplication();

  // The code is good once.
  const third = await (await device()).newPage();
  await third.goto("/continue");
  await third.getByRole("textbox", { name: "Code" }).fill(code);
  await third.getByRole("button", { name: "Continue" }).click();
  await expect(third.getByRole("alert")).toContainText("This code is not right");
  expect(await third.context().cookies()).toEqual([]);
});

test("begun at a desk, gone on with on a phone that scans, from the form on and without scripts", async ({
  device,
  desk,
  wallet,
  page,
}) => {
  await desk.begin();
  await wallet.accept(await desk.link());
  await desk.expectApplication();
  await desk.anotherDevice.click();
  const scanned = await decode(page.getByRole("img", { name: "Or scan this" }));
  const phone = new DeskPage(await (await device({ ...PHONE, javaScriptEnabled: false })).newPage());
  await phone.page.goto(scanned ?? "");
  await expect(phone.page.getByText("Go on only with a registration that you began yourself.")).toBeVisible();
  // Whatever looks at links before people do has not used it up.
  await phone.page.reload();
  await phone.page.getByRole("button", { name: "Continue" }).click();
  await expect(phone.headline).toHaveText("Verified");
  await phone.expectApplication();
});
