import { type Locator, type Page, expect } from "@playwright/test";

export const EMAIL = "amaka@example.org";
export const PHONE = "+234 801 234 5678";

/** What was shared with its form, and the page that confirms it. */
export class FormPage {
  readonly email: Locator;
  readonly phone: Locator;
  readonly register: Locator;
  readonly print: Locator;
  private readonly number: Locator;

  constructor(readonly page: Page) {
    this.email = page.getByRole("textbox", { name: "E-mail address" });
    this.phone = page.getByRole("textbox", { name: "Phone number" });
    this.register = page.getByRole("button", { name: "Register" });
    this.print = page.getByRole("button", { name: "Print" });
    this.number = page.getByLabel("Your number");
  }

  async fill(email: string, phone: string): Promise<void> {
    await this.email.fill(email);
    await this.phone.fill(phone);
  }

  /** What is said beside a field; empty when it is right. */
  fault(field: Locator): Locator {
    return field.locator("xpath=following-sibling::p");
  }

  async expectFault(field: Locator, sentence: string | RegExp): Promise<void> {
    await expect(field).toHaveAttribute("aria-invalid", "true");
    await expect(this.fault(field)).toHaveText(sentence);
    const said = ((await this.fault(field).textContent()) ?? "").trim();
    const description = await field.evaluate((input) =>
      (input.getAttribute("aria-describedby") ?? "").split(" ").map((id) => document.getElementById(id)?.textContent),
    );
    expect(description.at(-1), "and it is told with the field").toBe(said);
  }

  async expectNoFault(field: Locator): Promise<void> {
    await expect(field).toHaveAttribute("aria-invalid", "false");
    await expect(this.fault(field)).toBeEmpty();
  }

  /** On the page that confirms it: the number. */
  async expectNumber(): Promise<string> {
    await expect(this.page).toHaveURL("/register/confirmation");
    await expect(this.page.getByRole("heading", { name: "You are registered" })).toBeVisible();
    const number = ((await this.number.textContent()) ?? "").trim();
    expect(number).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
    return number;
  }
}
