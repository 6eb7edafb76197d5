import { type Locator, type Page, expect } from "@playwright/test";
import { ADMIN_TOKEN } from "./server";

/** The staff's pages. */
export class StaffPage {
  /** How the page is kept up to date. */
  readonly badge: Locator;
  /** The rows of the board. */
  readonly rows: Locator;
  readonly timeline: Locator;

  constructor(readonly page: Page) {
    this.badge = page.locator("#live");
    this.rows = page.locator(".entries tbody tr");
    this.timeline = page.locator("#timeline");
  }

  /** Signs in from whatever page leads there. */
  async signIn(name = "Ada"): Promise<void> {
    await this.page.getByLabel("Your name").fill(name);
    await this.page.getByLabel("Token").fill(ADMIN_TOKEN);
    await this.page.getByRole("button", { name: "Sign in" }).click();
    await expect(this.page.getByRole("banner").getByText(name, { exact: true })).toBeVisible();
  }

  async open(path = "/admin"): Promise<void> {
    await this.page.goto(path);
    await this.signIn();
    await this.expectLive();
  }

  async expectLive(): Promise<void> {
    await expect(this.badge).toHaveAttribute("data-method", "websocket");
  }

  /** Opens the newest registration of the list. */
  async openNewest(): Promise<void> {
    await this.rows.first().getByRole("link").click();
    await expect(this.page.getByRole("heading", { name: "What happened" })).toBeVisible();
    await this.expectLive();
  }
}
