import { join } from "node:path";
import type { Page } from "@playwright/test";
import { walkBadEnds } from "../support/bad-ends";
import { DeskPage } from "../support/desk-page";
import { FormPage } from "../support/form-page";
import { FOREVER } from "../support/server";
import { expect, test } from "../support/test";

const FOLDER = join(import.meta.dirname, "../../docs/screens");

// Each state twice: large and light, small and dark.
for (const [name, use] of [
  ["desk", { viewport: { width: 1024, height: 768 } }],
  ["phone", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, colorScheme: "dark" }],
] as const) {
  test.describe(name, () => {
    // Reduced motion: nothing is half there.
    test.use({ ...use, contextOptions: { reducedMotion: "reduce" } });

    const picture = (page: Page, state: string) =>
      page.screenshot({ path: join(FOLDER, `${name}-${state}.png`), fullPage: true, animations: "disabled" });

    test("the good way", async ({ server, page, desk, wallet }) => {
      await server.behave({ pace: FOREVER });
      await page.goto("/");
      await picture(page, "01-home");
      await page.goto("/register");
      await picture(page, "02-register");
      await desk.consent();
      await desk.expectMethod("websocket");
      await picture(page, "03-waiting");
      await desk.enlarge.click();
      await page.screenshot({ path: join(FOLDER, `${name}-04-enlarged.png`) });
      await page.keyboard.press("Escape");
      await desk.anotherDevice.click();
      await picture(page, "16-hand-over");
      await page.goto("/continue");
      await picture(page, "17-continue");
      await page.goto("/register/connect");
      await desk.expectMethod("websocket");
      await wallet.open(await desk.link());
      await expect(desk.live).toHaveAttribute("data-opened", "true");
      await picture(page, "05-opened");
      if (name === "phone") await wallet.page.setViewportSize({ width: 390, height: 844 });
      await picture(wallet.page, "06-wallet-connects");
      // The wallet connects, and the platform fails when it is to be asked for the request.
      await server.behave({ pace: 50, faults: Array(60).fill("error") });
      await wallet.connect();
      await desk.expectStage("connected");
      await picture(page, "08-connected");
      await server.behave({ pace: 50 });
      await desk.expectStage("requested");
      await picture(page, "09-requested");
      await wallet.awaitRequest(await desk.expectMatchingCode());
      await picture(wallet.page, "10-wallet-request");
      await wallet.page.getByText("Other ways a wallet can answer").click();
      await picture(wallet.page, "18-wallet-drawer");
      await server.behave({ pace: 50, down: true });
      await wallet.share();
      await desk.expectStage("presented");
      await picture(page, "11-presented");
      await server.behave({ pace: 50 });
      await desk.expectStage("verified");
      await picture(page, "12-verified");
      await desk.onwards.click();
      await picture(page, "13-form");
      const form = new FormPage(page);
      await form.fill("amaka", "0801");
      await form.register.click();
      await form.expectFault(form.phone, /./);
      await picture(page, "14-form-faults");
      await form.fill("amaka@example.org", "+234 801 234 5678");
      await form.register.click();
      await form.expectNumber();
      await picture(page, "15-confirmation");
    });

    test("a wallet that has only just begun", async ({ server, page, desk, wallet }) => {
      await server.behave({ pace: FOREVER });
      await desk.beginLive();
      await wallet.open(await desk.link());
      await wallet.connect();
      await desk.expectStage("scanned");
      await picture(page, "07-scanned");
    });

    test("bad ends", async ({ server, page, desk, wallet, faults, javaScriptEnabled }) => {
      await walkBadEnds({ server, page, desk, wallet, faults, javaScriptEnabled }, picture);
    });

    test.describe("with codes that wait only a few seconds", () => {
      test.use({ env: { SESSION_TTL: "2s" } });

      test("time ran out", async ({ desk, page }) => {
        await desk.begin();
        await desk.expectStage("expired");
        await picture(page, "29-expired");
      });
    });

    test.describe("with one window", () => {
      test.use({ env: { MAX_CLIENTS_PER_SESSION: "1" } });

      test("too many windows", async ({ context, desk }) => {
        await desk.beginLive();
        const second = new DeskPage(await context.newPage());
        await second.page.goto("/register/connect");
        await second.expectMethod("polling");
        await picture(second.page, "35-crowded");
      });
    });

    test("silence, no network, another language", async ({ page, context, desk, faults }) => {
      faults.allow(/net::ERR_INTERNET_DISCONNECTED/, /WebSocket connection to .* failed/);
      await page.clock.install();
      await desk.beginLive();
      await page.clock.fastForward(31_000);
      await expect(desk.hint).not.toBeEmpty();
      await picture(page, "31-silent");
      await page.clock.fastForward(95_000);
      await expect(desk.hint).toContainText("Still nothing?");
      await picture(page, "34-silent-for-long");
      await context.setOffline(true);
      await desk.expectMethod("offline");
      await picture(page, "32-offline");
      await context.setOffline(false);
      await page.getByRole("button", { name: "Français" }).click();
      await desk.expectMethod("websocket");
      await picture(page, "33-french");
    });
  });
}
