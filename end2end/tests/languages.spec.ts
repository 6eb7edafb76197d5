import { decode } from "../support/code";
import { FormPage } from "../support/form-page";
import { WALLET } from "../support/sample";
import { expect, test } from "../support/test";

test.beforeEach(async ({ server }) => {
  await server.behave({ pace: 50 });
});

test.describe("in a French browser", () => {
  test.use({ locale: "fr-CM" });

  test("everything is in French, from the first page to the number", async ({ page, desk, wallet }) => {
    await page.goto("/");
    await expect(page.locator("html")).toHaveAttribute("lang", "fr");
    await page.getByRole("link", { name: "Commencer" }).click();
    await expect(page.getByRole("heading", { name: "Avant de commencer" })).toBeVisible();
    await expect(page.getByRole("term").first()).toHaveText("Nom");
    await page.getByRole("button", { name: "J’accepte, afficher le code" }).click();
    await desk.expectMethod("websocket");
    await expect(desk.headline).toHaveText("Scannez le code avec votre portefeuille");
    await expect(page.getByText("En direct")).toBeVisible();
    await desk.takeNotes();
    await wallet.open((await page.getByLabel("Copiez ce lien").inputValue()) ?? "");
    await wallet.connect();
    await expect(desk.headline).toHaveText(`Regardez ${WALLET}`);
    await wallet.share();
    await expect(desk.headline).toHaveText("Vérifié");
    const notes = await desk.notes();
    expect(notes, "told without loading the page again").toEqual(
      expect.arrayContaining(["Acceptez la connexion dans votre portefeuille", `Connexion à ${WALLET}`]),
    );
    await page.getByRole("link", { name: "Passer au formulaire" }).click();
    await expect(page.getByRole("img", { name: "prouvé" }).first()).toBeVisible();

    const form = new FormPage(page);
    const [email, phone] = [
      page.getByRole("textbox", { name: "Adresse électronique" }),
      page.getByRole("textbox", { name: "Numéro de téléphone" }),
    ];
    await email.fill("amaka");
    await phone.fill("0801");
    await page.getByRole("button", { name: "S’inscrire" }).click();
    await form.expectFault(email, /^Une adresse électronique a un nom/);
    await form.expectFault(phone, /^Commencez par \+/);
    await email.fill("amaka@example.org");
    await phone.fill("+234 801 234 5678");
    await page.getByRole("button", { name: "S’inscrire" }).click();
    await expect(page.getByRole("heading", { name: "Votre inscription est faite" })).toBeVisible();
    await expect(page.getByText(/^\d+ [a-zéû]+ \d{4}, \d\d:\d\d UTC$/)).toBeVisible();
    await expect(page.getByRole("button", { name: "Imprimer" })).toBeVisible();
  });

  test("in the middle of the way one can go on in another language, with the same code", async ({ page, desk, wallet }) => {
    await page.goto("/register");
    await page.getByRole("button", { name: "J’accepte" }).click();
    await desk.expectMethod("websocket");
    const code = await decode(page.getByRole("img", { name: "Code à scanner" }));
    await page.getByRole("button", { name: "English" }).click();
    await expect(desk.headline).toHaveText("Scan the code with your wallet");
    expect(await desk.decodeCode()).toBe(code);
    await wallet.accept(code ?? "");
    await expect(desk.headline).toHaveText("Verified");
  });
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("another language is chosen by a button, and kept", async ({ page, context }) => {
    await page.goto("/register");
    await page.getByRole("group", { name: "Language" }).getByRole("button", { name: "Hausa" }).click();
    await expect(page).toHaveURL("/register");
    await expect(page.locator("html")).toHaveAttribute("lang", "ha");
    await expect(page.getByRole("heading", { name: "Kafin ku fara" })).toBeVisible();
    await expect(page.getByText("Babu wanda Hausa ce harshensa"), "it says that nobody has looked at it").toBeVisible();
    const again = await context.newPage();
    await again.goto("/");
    await expect(again.getByRole("link", { name: "Fara" })).toBeVisible();
    await expect(again.getByRole("button", { name: "Hausa" })).toHaveAttribute("aria-current", "true");
  });
});

test("what is typed is still there in another language", async ({ page, desk, wallet }) => {
  await desk.begin();
  await wallet.accept(await desk.link());
  await desk.expectApplication();
  const form = new FormPage(page);
  await form.fill("amaka@", "+234 801");
  await page.getByRole("button", { name: "Français" }).click();
  await expect(page.getByRole("textbox", { name: "Adresse électronique" })).toHaveValue("amaka@");
  await expect(page.getByRole("textbox", { name: "Numéro de téléphone" })).toHaveValue("+234 801");
});
