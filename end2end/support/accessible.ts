import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect } from "./test";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** Holds a page as it stands against the rules that a program can check. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  // What comes softly is half there while it comes.
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished)));
  const { violations } = await new AxeBuilder({ page }).withTags(RULES).analyze();
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
  // All that there is to mend is told at once.
  expect.soft(told, what).toEqual([]);
}

/** The ways in which a page is looked at. */
export const LOOKS = [
  ["at a desk, light", { colorScheme: "light" }],
  ["at a desk, dark", { colorScheme: "dark" }],
  ["on a phone, light", { colorScheme: "light", viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }],
  ["on a phone, dark, with more contrast", { colorScheme: "dark", contrast: "more", viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }],
] as const;
