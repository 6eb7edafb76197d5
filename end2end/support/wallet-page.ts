import { type Page, expect } from "@playwright/test";

/** The simulated wallet, as its holder sees it. */
export class WalletPage {
  constructor(readonly page: Page) {}

  /** Opens a link as a phone's camera does: in a browser. */
  async open(link: string): Promise<void> {
    // A page that awaits something loads itself again each second, and would come in the way of the one that is opened.
    await this.page.goto("about:blank");
    await this.page.goto(link);
    await this.expectToBeAsked();
  }

  async expectToBeAsked(): Promise<void> {
    await expect(this.page).toHaveURL(/\/sandbox\/wallet\?link=/);
    await expect(this.page.getByRole("heading", { name: "would like to connect" })).toBeVisible();
  }

  /** Accepts the connection; gives back its id at the platform. */
  async connect(holder = "Amaka Ngozi Okonkwo"): Promise<string> {
    await this.page.getByRole("radio", { name: holder }).check();
    await this.page.getByRole("button", { name: "Connect" }).click();
    await expect(this.page).toHaveURL(/\/sandbox\/wallet\/[0-9a-f-]{36}/);
    return new URL(this.page.url()).pathname.split("/").at(-1) ?? "";
  }

  async share(): Promise<void> {
    await this.page.getByRole("button", { name: "Share", exact: true }).click();
    await expect(this.page.getByRole("status")).toContainText("Shared");
  }

  async decline(): Promise<void> {
    await this.page.getByRole("button", { name: "Decline" }).click();
    await expect(this.page.getByRole("status")).toHaveText("You declined. Nothing was shared.");
  }

  /** Waits for a request with this code; a wallet that has answered does not look for the next one by itself. */
  async awaitRequest(code: string): Promise<void> {
    await expect(async () => {
      await this.page.reload();
      await expect(this.page.getByText(`(code ${code})`).first()).toBeVisible({ timeout: 500 });
    }).toPass();
  }

  /** The code that the wallet shows with the request. */
  async requestCode(): Promise<string | undefined> {
    return /\(code (.*)\)/.exec((await this.page.locator(".quote").textContent()) ?? "")?.[1];
  }

  async dismiss(): Promise<void> {
    await this.answer("Dismiss it without a word");
    await expect(this.page.getByRole("status")).toContainText("You dismissed the request");
  }

  async shareAllButTheLast(): Promise<void> {
    await this.answer("Share all but the last");
    await expect(this.page.getByRole("status")).toContainText("Shared");
  }

  private async answer(name: string): Promise<void> {
    await this.page.getByText("Other ways a wallet can answer").click();
    await this.page.getByRole("button", { name }).click();
  }

  async shareInvalid(): Promise<void> {
    await this.answer("Share a card that does not verify");
    await expect(this.page.getByRole("status")).toHaveText("The card you shared could not be verified.");
  }

  async breakOff(): Promise<void> {
    await this.page.getByText("Other ways a wallet can answer").click();
    await this.page.getByRole("button", { name: "Break the handshake off" }).click();
  }

  /** The whole way: scan, connect, share. */
  async accept(link: string): Promise<void> {
    await this.open(link);
    await this.connect();
    await this.share();
  }

  /** A link that is used up says so to a person, and to a wallet. */
  async expectGone(link: string): Promise<void> {
    const answer = await this.page.request.get(link, { headers: { accept: "application/json" } });
    expect(answer.status(), "for a wallet").toBe(410);
    // In a tab of its own: a wallet's page that waits loads itself again, which would break this off.
    const tab = await this.page.context().newPage();
    const page = await tab.goto(link);
    expect(page?.status(), "for a person").toBe(410);
    await expect(tab.getByRole("heading", { name: "This code is no longer valid" })).toBeVisible();
    await tab.close();
  }
}
