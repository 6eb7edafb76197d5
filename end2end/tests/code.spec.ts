import { decode } from "../support/code";
import { expect, test } from "../support/test";

/** How many modules wide a code is that holds so little that a cheap camera reads it: version 4. */
const VERSION_4 = 33;

for (const [seen, use] of [
  ["at a desk", { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1 }],
  ["at a desk in the dark", { viewport: { width: 1280, height: 800 }, deviceScaleFactor: 1, colorScheme: "dark" }],
  ["on a small phone", { viewport: { width: 320, height: 568 }, deviceScaleFactor: 1, isMobile: true, hasTouch: true }],
  [
    "on a phone in the dark",
    { viewport: { width: 390, height: 844 }, deviceScaleFactor: 3, isMobile: true, hasTouch: true, colorScheme: "dark" },
  ],
  ["with imposed colours", { viewport: { width: 1280, height: 800 }, forcedColors: "active", colorScheme: "dark" }],
] as const) {
  test.describe(seen, () => {
    test.use(use);

    test("the code is light, and can be read as it stands and enlarged", async ({ page, desk }) => {
      await desk.begin();
      const link = await desk.link();
      expect(await decode(desk.code)).toBe(link);
      const modules = await page.locator("#drawing").evaluate((drawing: SVGSVGElement) => {
        // The quiet zone before it is four modules wide.
        const { x, width } = drawing.querySelector("path")?.getBBox() ?? new DOMRect();
        return width / (x / 4);
      });
      expect(modules).toBeLessThanOrEqual(VERSION_4);
      await desk.enlarge.click();
      await expect(desk.large).toBeVisible();
      expect(await decode(desk.large), "over the whole screen").toBe(link);
      await page.getByRole("button", { name: "Close" }).click();
      await expect(desk.large).toBeHidden();
    });
  });
}

test.describe("at a desk whose wallets cannot fetch", () => {
  test.use({ env: { DESK_FILE: "end2end/support/direct.toml" }, viewport: { width: 1280, height: 900 } });

  for (const invitationUrl of ["short", "long"] as const) {
    test(`the code that holds the platform's ${invitationUrl} address can be read too`, async ({ server, desk }) => {
      await server.behave({ invitationUrl });
      await desk.begin();
      const link = await desk.link();
      expect(link).toContain(invitationUrl === "long" ? "?oob=" : "/invitations/");
      expect(await decode(desk.code)).toBe(link);
      await desk.enlarge.click();
      expect(await decode(desk.large), "over the whole screen").toBe(link);
    });
  }
});

test("the code is in the first answer, before any script, and nothing moves when the page becomes live", async ({
  page,
  desk,
}) => {
  const slow = await page.context().newCDPSession(page);
  await page.goto("/register");
  // What browsers call slow 3G.
  await slow.send("Network.enable");
  await slow.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 400,
    downloadThroughput: (400 * 1024) / 8,
    uploadThroughput: (400 * 1024) / 8,
  });
  let letScripts = () => {};
  const held = new Promise<void>((let_) => (letScripts = let_));
  await page.route(/\.(js|wasm)$/, async (route) => {
    await held;
    await route.continue();
  });
  await page.getByRole("button", { name: "I agree, show me the code" }).click({ noWaitAfter: true });
  await expect(desk.code).toBeVisible();
  await expect.poll(() => decode(desk.code)).toBe(await desk.link());
  await page.evaluate(() => {
    const moved: string[] = [];
    Object.assign(window, { moved });
    new PerformanceObserver((list) => {
      for (const { sources, value } of list.getEntries() as (PerformanceEntry & {
        sources: { node?: Element }[];
        value: number;
      })[]) {
        moved.push(`${value}: ${sources.map(({ node }) => node?.nodeName).join(", ")}`);
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
  await desk.expectMethod("connecting");
  letScripts();
  await desk.expectMethod("websocket");
  expect(await page.evaluate(() => (window as unknown as { moved: string[] }).moved)).toEqual([]);
});

test("files that scripts and styles are in may be kept for ever, and pages may not", async ({ page }) => {
  const kept = new Map<string, string | undefined>();
  page.on("response", (response) => kept.set(new URL(response.url()).pathname, response.headers()["cache-control"]));
  await page.goto("/register", { waitUntil: "networkidle" });
  expect(kept.get("/register")).toBe("no-cache");
  const files = [...kept].filter(([path]) => path.startsWith("/pkg/"));
  expect(files.length).toBeGreaterThanOrEqual(3);
  for (const [path, control] of files) expect(control, path).toBe("public, max-age=31536000, immutable");
});
