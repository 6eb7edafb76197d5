import { type Page, expect as expectOf } from "@playwright/test";
import type { DeskPage } from "../support/desk-page";
import { EMAIL, FormPage, PHONE } from "../support/form-page";
import { KEPT_DAYS } from "../support/sample";
import type { Server } from "../support/server";
import { expect, test } from "../support/test";
import type { WalletPage } from "../support/wallet-page";

/** The whole way to the form. */
async function toForm(server: Server, desk: DeskPage, wallet: WalletPage): Promise<FormPage> {
  await server.behave({ pace: 50 });
  await desk.begin();
  await wallet.accept(await desk.link());
  await expectOf(desk.headline).toHaveText("Verified");
  await desk.onwards.click();
  await expectOf(desk.page).toHaveURL("/register/application");
  return new FormPage(desk.page);
}

/** What is sent from here on. */
function recordSubmissions(page: Page): string[] {
  const sent: string[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST") sent.push(new URL(request.url()).pathname);
  });
  return sent;
}

test("from the form to a number, which stays where it is", async ({ server, page, desk, wallet, device }) => {
  const form = await toForm(server, desk, wallet);
  await form.fill(EMAIL, PHONE);
  await form.register.click();
  const number = await form.expectNumber();
  await expect(page.getByText(/^\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d UTC$/)).toHaveAttribute("datetime", /^\d{4}-.*Z$/);
  await expect(page.getByText("The registry looks at your registration")).toBeVisible();
  await expect(page.getByText(`for ${KEPT_DAYS} days`)).toBeVisible();
  await expect(form.print).toBeVisible();

  await page.reload();
  expect(await form.expectNumber(), "after loading it again").toBe(number);
  await page.goto("/register/application");
  expect(await form.expectNumber(), "instead of the form").toBe(number);
  await page.goto("/register/connect");
  await page.getByRole("link", { name: "See your number" }).click();
  expect(await form.expectNumber(), "from the page of the code").toBe(number);

  const other = await (await device()).newPage();
  await other.goto("/register/confirmation");
  await expect(other, "another browser has nothing to see").toHaveURL("/register");
});

test("the confirmation prints without what can be pressed", async ({ server, page, desk, wallet }) => {
  const form = await toForm(server, desk, wallet);
  await form.fill(EMAIL, PHONE);
  await form.register.click();
  const number = await form.expectNumber();
  await expect(form.print).toBeVisible();
  await page.evaluate(() => {
    window.print = () => void document.documentElement.setAttribute("data-printed", "");
  });
  await form.print.click();
  await expect(page.locator("html")).toHaveAttribute("data-printed");

  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  await expect(page.getByText(number)).toBeVisible();
  await expect(form.print).toBeHidden();
  await expect(page.getByRole("list", { name: "Progress" })).toBeHidden();
  await expect(page.locator("body")).toHaveCSS("background-color", "rgb(255, 255, 255)");
});

test("what is wrong is told beside the field, and nothing is sent until it is right", async ({
  server,
  page,
  desk,
  wallet,
}) => {
  const form = await toForm(server, desk, wallet);
  const sent = recordSubmissions(page);
  await form.register.click();
  await form.expectFault(form.email, /^Type your e-mail address/);
  await form.expectFault(form.phone, /^Type your phone number/);
  await expect(form.email, "the first field that needs a hand").toBeFocused();

  await form.email.fill("amaka");
  await form.email.blur();
  await form.expectFault(form.email, /has a name, one @ and a domain/);
  await form.email.press("End");
  await form.email.pressSequentially("@example.org");
  await form.expectNoFault(form.email);
  await form.phone.fill("0801 234 5678");
  await form.register.click();
  await form.expectFault(form.phone, /^Begin with \+ and the country's number/);
  await expect(form.phone).toBeFocused();
  expect(sent).toEqual([]);

  await form.phone.fill(PHONE);
  await form.expectNoFault(form.phone);
  await form.register.click();
  await form.expectNumber();
  expect(sent).toEqual(["/api/register/submit"]);
});

test("what is typed survives loading the page again, and is not given to another registration", async ({
  server,
  context,
  page,
  desk,
  wallet,
}) => {
  const form = await toForm(server, desk, wallet);
  await form.fill("amaka@", "+234 801");
  await expect.poll(() => page.evaluate(() => sessionStorage.length)).toBe(1);
  await page.reload();
  await expect(form.email).toHaveValue("amaka@");
  await expect(form.phone).toHaveValue("+234 801");
  await page.goto("/register/connect");
  await desk.onwards.click();
  await expect(form.email, "also after leaving the page").toHaveValue("amaka@");

  await context.clearCookies();
  await toForm(server, desk, wallet);
  await expect.poll(() => page.evaluate(() => sessionStorage.length)).toBe(0);
  await expect(form.email).toHaveValue("");
  await expect(form.phone).toHaveValue("");
});

test("what is typed before the scripts are there is kept too", async ({ server, context, page, desk, wallet }) => {
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  await context.route("**/*.wasm", async (route) => {
    if (page.url().endsWith("/register/application")) await arrived;
    await route.continue();
  });
  const form = await toForm(server, desk, wallet);
  await form.fill(EMAIL, "");
  expect(await page.evaluate(() => sessionStorage.length), "nothing has run yet").toBe(0);
  arrive();
  await expect.poll(() => page.evaluate(() => sessionStorage.length)).toBe(1);
  await page.goto("/register/connect");
  await desk.onwards.click();
  await expect(form.email).toHaveValue(EMAIL);
});

test("what is typed is forgotten once it is stored", async ({ server, page, desk, wallet }) => {
  const form = await toForm(server, desk, wallet);
  await form.fill(EMAIL, PHONE);
  await expect.poll(() => page.evaluate(() => sessionStorage.length)).toBe(1);
  await form.register.click();
  await form.expectNumber();
  await expect.poll(() => page.evaluate(() => sessionStorage.length)).toBe(0);
});

test("a double click registers once", async ({ server, page, desk, wallet }) => {
  const form = await toForm(server, desk, wallet);
  const sent = recordSubmissions(page);
  await form.fill(EMAIL, PHONE);
  await form.register.dblclick();
  await form.expectNumber();
  expect(sent).toEqual(["/api/register/submit"]);
});

test("two tabs get one number", async ({ server, context, page, desk, wallet }) => {
  const form = await toForm(server, desk, wallet);
  const second = new FormPage(await context.newPage());
  await second.page.goto("/register/application");
  await form.fill(EMAIL, PHONE);
  await second.fill("somebody@example.org", "+44 20 7946 0958");
  await Promise.all([form.register.click(), second.register.click()]);
  expect(await second.expectNumber()).toBe(await form.expectNumber());
  await page.reload();
  expect(await form.expectNumber()).toBe(await second.expectNumber());
});

test("the form can be filled in with the keyboard alone", async ({ server, page, desk, wallet }) => {
  const form = await toForm(server, desk, wallet);
  const { keyboard } = page;
  await keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await keyboard.press("Enter");
  await keyboard.press("Tab");
  await expect(form.email).toBeFocused();
  await keyboard.type("amaka@example");
  await keyboard.press("Tab");
  await form.expectFault(form.email, /it has to be a domain/);
  await expect(form.phone).toBeFocused();
  await keyboard.type(PHONE);
  await keyboard.press("Enter");
  await expect(form.email, "back to what has to be mended").toBeFocused();
  await keyboard.press("End");
  await keyboard.type(".org");
  await form.expectNoFault(form.email);
  await keyboard.press("Tab");
  await keyboard.press("Tab");
  await expect(form.register).toBeFocused();
  await keyboard.press("Space");
  await form.expectNumber();
});

test("a registration that could not be stored says that nothing is lost", async ({ server, page, desk, wallet }) => {
  const form = await toForm(server, desk, wallet);
  await form.fill(EMAIL, "+234");
  await expect.poll(() => page.evaluate(() => sessionStorage.length), "it is kept by now").toBe(1);
  await page.goto("/register/application?problem=server");
  await expect(page.getByRole("alert")).toContainText("Nothing is lost");
  await expect(form.email).toHaveValue(EMAIL);
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("the server says what is wrong beside the field, and keeps what was typed", async ({
    server,
    page,
    desk,
    wallet,
  }) => {
    const form = await toForm(server, desk, wallet);
    await expect(page.getByRole("alert")).toHaveCount(0);
    await form.fill("amaka@", "0801 234 5678");
    await form.register.click();
    await expect(page.getByRole("alert")).toContainText("Two fields have to be mended");
    await expect(page).toHaveURL("/register/application");
    await form.expectFault(form.email, /has a name, one @ and a domain/);
    await form.expectFault(form.phone, /^Begin with \+ and the country's number/);
    await expect(form.email).toHaveValue("amaka@");
    await expect(form.phone).toHaveValue("0801 234 5678");
    await expect(form.email).toBeFocused();

    await form.email.fill(EMAIL);
    await form.register.click();
    await expect(page.getByRole("alert")).toContainText("One field has to be mended");
    await form.expectNoFault(form.email);
    await expect(form.email).toHaveValue(EMAIL);
    await expect(form.phone).toBeFocused();
    await page.goto("/register/application");
    await expect(form.phone, "as long as it takes").toHaveValue("0801 234 5678");

    await form.phone.fill(PHONE);
    await form.register.click();
    await form.expectNumber();
    await expect(form.print, "the browser's own menu prints").toBeHidden();
  });
});
