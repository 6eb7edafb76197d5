import { expectAccessible } from "../support/accessible";
import { expect, test } from "../support/test";

for (const [seen, use] of [
  ["at a desk, light", { colorScheme: "light" }],
  ["on a phone, dark", { colorScheme: "dark", viewport: { width: 360, height: 740 } }],
] as const) {
  test.describe(seen, () => {
    test.use(use);

    test("the page of the API keeps to the rules, loads nothing from elsewhere and fits", async ({ page, server }) => {
      const asked: string[] = [];
      page.on("request", (request) => asked.push(new URL(request.url()).origin));
      await page.goto("/api/docs");
      // What is folded is looked at too.
      await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
      await expectAccessible(page, "the page of the API");
      expect(new Set(asked)).toEqual(new Set([new URL(server.url).origin]));
      const { wide, room } = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return { wide: scrollWidth, room: clientWidth };
      });
      expect(wide).toBeLessThanOrEqual(room);
    });
  });
}

test("the page of the API needs no script, and leads to each operation", async ({ device }) => {
  const page = await (await device({ javaScriptEnabled: false })).newPage();
  await page.goto("/api/docs");
  await page.getByRole("link", { name: "POST /api/connections/session" }).click();
  await expect(page.getByRole("heading", { name: "POST /api/connections/session" })).toBeInViewport();
});
