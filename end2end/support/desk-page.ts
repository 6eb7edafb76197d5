import { type Locator, type Page, expect } from "@playwright/test";
import { decode } from "./code";
import { type Frame, recordFrames } from "./frames";
import { ATTRIBUTES, CARD } from "./sample";

declare global {
  interface Window {
    said?: (string | null)[];
  }
}

/** A page leaves a socket that failed often alone for up to 30 s before it tries again, by chance. In milliseconds. */
const LONGEST_WAIT = 35_000;

/** How a value is shown that was proven: whole, and with its tick. */
export const proven = (value: string) => new RegExp(`^\\s*${value.replaceAll(/[.]/g, "\\.")}\\s*✓\\s*$`);

/** The desk, as the person who registers sees it. */
export class DeskPage {
  /** What the server pushed to this page. */
  readonly frames: Frame[];
  /** What happens now, in one sentence. */
  readonly headline: Locator;
  /** The live section; its attributes are `data-stage`, `data-opened` and `data-method`. */
  readonly live: Locator;
  /** How the page is kept up to date. */
  readonly badge: Locator;
  /** What may be the matter when nothing happens; empty before. */
  readonly hint: Locator;
  readonly code: Locator;
  /** The code over the whole screen, and the button that shows it. */
  readonly large: Locator;
  readonly enlarge: Locator;
  readonly newCode: Locator;
  readonly tryAgain: Locator;
  readonly cancel: Locator;
  readonly onwards: Locator;
  readonly askAgain: Locator;
  readonly matchingCode: Locator;
  readonly anotherDevice: Locator;
  readonly noCard: Locator;
  private readonly linkField: Locator;

  constructor(readonly page: Page) {
    this.frames = recordFrames(page);
    this.headline = page.locator("#now");
    this.live = page.locator("[data-method]");
    this.badge = this.live.locator(".badge");
    this.hint = page.locator("#hint");
    this.code = page.getByRole("img", { name: "Code to scan with your wallet" });
    this.linkField = page.getByLabel("Copy this link into your wallet:");
    this.large = page.locator("#large");
    this.enlarge = page.getByRole("button", { name: "Enlarge the code" });
    this.newCode = page.getByRole("button", { name: "New code" });
    this.tryAgain = page.getByRole("button", { name: "Try again with a new code" });
    this.cancel = page.getByRole("button", { name: "Cancel" });
    this.onwards = page.getByRole("link", { name: "Go on to the form" });
    this.askAgain = page.getByRole("button", { name: "Ask my wallet again" });
    this.noCard = page.getByText("No Student Card in your wallet?").and(page.locator(":visible"));
    this.anotherDevice = page.getByRole("button", { name: "Continue on another device" });
    this.matchingCode = page.locator(".matching strong");
  }

  /** From the first page to the code; `at` is another way to the server than the direct one. */
  async begin(at = ""): Promise<void> {
    await this.page.goto(`${at}/`);
    await this.page.getByRole("link", { name: "Begin" }).click();
    await this.consent(at);
  }

  async consent(at = ""): Promise<void> {
    await this.page.getByRole("button", { name: "I agree, show me the code" }).click();
    await expect(this.page).toHaveURL(`${at}/register/connect`);
  }

  /** `begin`, and the page follows over its socket. */
  async beginLive(at = ""): Promise<void> {
    await this.begin(at);
    await this.expectMethod("websocket");
  }

  /** What the code on screen says, as a camera reads it. */
  async decodeCode(): Promise<string | undefined> {
    await expect(this.code).toBeVisible();
    return decode(this.code);
  }

  /** The link for those who cannot scan. */
  async link(): Promise<string> {
    return this.linkField.inputValue();
  }

  /** Waits for another code than the one with this link, and gives back its link. */
  async linkAfter(old: string): Promise<string> {
    await expect(this.linkField).not.toHaveValue(old);
    return this.link();
  }

  async expectStage(stage: string): Promise<void> {
    await expect(this.live).toHaveAttribute("data-stage", stage);
  }

  async expectMethod(method: "connecting" | "websocket" | "polling" | "offline" | "ended"): Promise<void> {
    await expect(this.live).toHaveAttribute("data-method", method, { timeout: LONGEST_WAIT });
  }

  /** The code that the wallet shows too. */
  async expectMatchingCode(): Promise<string> {
    await this.expectStage("requested");
    await expect(this.matchingCode).toBeVisible();
    const code = (await this.matchingCode.textContent()) ?? "";
    expect(code).toMatch(/^[0-9A-Z]{4}$/);
    return code;
  }

  /** Begins to note every sentence in the headline. The notes are gone when the page is loaded again. */
  async takeNotes(): Promise<void> {
    await this.headline.evaluate((headline) => {
      const said = [headline.textContent];
      window.said = said;
      new MutationObserver(() => said.push(headline.textContent)).observe(headline, {
        characterData: true,
        childList: true,
        subtree: true,
      });
    });
  }

  /** The notes; `undefined` when the page has been loaded again since they were begun. */
  async notes(): Promise<(string | null)[] | undefined> {
    return this.page.evaluate(() => window.said);
  }

  /** On to what was shared, which has to be the student's card, whole and proven. */
  async expectApplication(): Promise<void> {
    await this.onwards.click();
    await expect(this.page).toHaveURL("/register/application");
    await expect(this.page.getByRole("term")).toHaveText(ATTRIBUTES.map(({ label }) => label));
    await expect(this.page.getByRole("definition")).toHaveText(ATTRIBUTES.map(({ name }) => proven(CARD[name])));
    await expect(this.page.getByRole("img", { name: "proven" })).toHaveCount(ATTRIBUTES.length);
    await expect(this.page.getByText("not shared")).toHaveCount(0);
  }
}
