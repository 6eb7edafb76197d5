import { walkBadEnds } from "../support/bad-ends";
import { EMAIL, FormPage, PHONE } from "../support/form-page";
import { WALLET } from "../support/sample";
import { expect, test } from "../support/test";

test.use({ javaScriptEnabled: false });

test.beforeEach(async ({ server }) => {
  await server.behave({ pace: 50 });
});

test("without JavaScript the page follows by loading itself again, all the way", async ({ page, desk, wallet }) => {
  await desk.begin();
  let loads = 0;
  page.on("framenavigated", () => loads++);
  const code = await desk.decodeCode();
  expect(code).toBe(await desk.link());
  await wallet.open(code ?? "");
  await expect(desk.headline).toHaveText("Accept the connection in your wallet");
  await wallet.connect();
  await expect(desk.headline).toHaveText(`Look at ${WALLET}`);
  await wallet.share();
  await expect(desk.headline).toHaveText("Verified");
  expect(loads, "nobody but the page itself loaded it").toBeGreaterThanOrEqual(3);
  expect(desk.frames, "and nothing was pushed").toEqual([]);
  await desk.expectApplication();
});

test("without JavaScript a decline leads to a new code that works", async ({ desk, wallet }) => {
  await desk.begin();
  const first = await desk.link();
  await wallet.open(first);
  await wallet.connect();
  await wallet.decline();
  await expect(desk.headline).toHaveText("You declined to share");
  await desk.tryAgain.click();
  const second = await desk.linkAfter(first);
  expect(await desk.decodeCode()).toBe(second);
  await wallet.accept(second);
  await expect(desk.headline).toHaveText("Verified");
  await desk.expectApplication();
});

test("without JavaScript there is a new code while waiting, and cancelling", async ({ desk, wallet }) => {
  await desk.begin();
  const first = await desk.link();
  await desk.newCode.click();
  const second = await desk.linkAfter(first);
  await wallet.open(second);
  await desk.cancel.click();
  await expect(desk.headline).toHaveText("Cancelled");
  await desk.tryAgain.click();
  await wallet.accept(await desk.linkAfter(second));
  await expect(desk.headline).toHaveText("Verified");
});

test("without JavaScript the page can be told to stay as it is, and asked for news", async ({ page, desk, wallet }) => {
  await desk.begin();
  await page.getByRole("link", { name: "Stop that" }).click();
  await expect(page).toHaveURL("/register/connect?still");
  await expect(page.locator("meta[http-equiv=refresh]")).toHaveCount(0);
  await page.getByText("Cannot scan?").click();
  const link = await desk.link();
  await desk.enlarge.click();
  await expect(desk.large).toBeVisible();
  await page.keyboard.press("Escape");
  await wallet.accept(link);
  await page.getByRole("link", { name: "Look for news" }).click();
  await expect(desk.headline).toHaveText(/Verified|Approved/);
});

for (const [seen, use] of [
  ["at a desk, light", { colorScheme: "light" }],
  ["on a phone, dark", { colorScheme: "dark", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
] as const) {
  test.describe(seen, () => {
    test.use(use);

    test("without JavaScript one gets from the first page to the number", async ({ page, desk, wallet }) => {
      await desk.begin();
      await wallet.accept(await desk.link());
      await expect(desk.headline).toHaveText("Verified");
      await desk.onwards.click();
      const form = new FormPage(page);
      await form.fill("amaka", PHONE);
      await form.register.click();
      await form.expectFault(form.email, /name, one @ and a domain/);
      await form.fill(EMAIL, PHONE);
      await form.register.click();
      await form.expectNumber();
    });

    test("without JavaScript every bad end is shown and leads on", async ({
      server,
      page,
      desk,
      wallet,
      faults,
      javaScriptEnabled,
    }) => {
      await walkBadEnds({ server, page, desk, wallet, faults, javaScriptEnabled }, async (page, state) => {
        const main = page.getByRole("main");
        await expect(main.getByRole("button").or(main.getByRole("link")).first(), state).toBeVisible();
      });
    });
  });
}

test.describe("with codes that wait only a few seconds", () => {
  test.use({ env: { SESSION_TTL: "5s" } });

  test("without JavaScript a code that ran out says so by itself, and a new one works", async ({ desk, wallet }) => {
    await desk.begin();
    const first = await desk.link();
    await expect(desk.headline).toHaveText("Time ran out");
    await desk.tryAgain.click();
    await wallet.accept(await desk.linkAfter(first));
    await expect(desk.headline).toHaveText("Verified");
  });
});
