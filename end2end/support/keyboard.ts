import type { Page } from "@playwright/test";
import { expect } from "./test";

/** Goes on with the tabulator until the focus is on what is called this, and presses a key there. */
export async function press(page: Page, name: string, key: "Enter" | "Space" = "Enter"): Promise<void> {
  const passed: (string | null)[] = [];
  for (let step = 0; step < 40; step++) {
    await page.keyboard.press("Tab");
    const focused = page.locator(":focus");
    if ((await focused.count()) === 0) continue;
    const text = (await focused.textContent())?.trim() ?? "";
    if (text === name) {
      const outline = await focused.evaluate((element) => getComputedStyle(element).outlineStyle);
      expect(outline, `one sees that ${name} has the focus`).not.toBe("none");
      await page.keyboard.press(key);
      return;
    }
    passed.push(text);
  }
  throw new Error(`there is no way to ${name} but past ${passed.join(" | ")}`);
}
