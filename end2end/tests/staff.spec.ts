import { LOOKS, expectAccessible } from "../support/accessible";
import { DeskPage } from "../support/desk-page";
import { EMAIL, FormPage, PHONE } from "../support/form-page";
import { press } from "../support/keyboard";
import { ADMIN_TOKEN, FOREVER } from "../support/server";
import { StaffPage } from "../support/staff-page";
import { expect, test } from "../support/test";

/** The way from the verified data to the number. */
async function submit(desk: DeskPage): Promise<void> {
  await desk.onwards.click();
  const form = new FormPage(desk.page);
  await form.fill(EMAIL, PHONE);
  await form.register.click();
  await form.expectNumber();
}

// Each page with all that is folded takes some seconds; every colour and every width is in these two.
for (const [seen, use] of [LOOKS[0], LOOKS[3]]) {
  test.describe(seen, () => {
    test.use(use);

    test("every page of the staff keeps to the rules, and none is wider than the screen", async ({ server, page, device, wallet }) => {
      await server.behave({ pace: 0 });
      const desk = new DeskPage(await (await device()).newPage());
      await desk.begin();
      await wallet.accept(await desk.link());
      await submit(desk);
      await new DeskPage(await (await device()).newPage()).begin();
      await server.deliver({ type: "Connection", id: "c0ffee00-0000-4000-8000-000000000001", state: "completed" });
      const fits = async (what: string) => {
        const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
        expect.soft(wide, what).toBeLessThanOrEqual(screen);
      };
      const staff = new StaffPage(page);
      await page.goto("/admin");
      await expectAccessible(page, "where one signs in");
      await page.goto("/admin/sign-in?problem=token");
      await expectAccessible(page, "where one signs in, after a wrong token");
      await staff.signIn();
      for (const path of ["/admin", "/admin?list=all", "/admin?q=nobody", "/admin/deliveries", "/admin/figures", "/admin/figures?range=week", "/admin/record"]) {
        await page.goto(path);
        await staff.expectLive();
        for (const summary of await page.locator("summary").all()) await summary.click();
        await expectAccessible(page, path);
        await fits(path);
      }
      await page.goto("/admin?list=submitted");
      await staff.openNewest();
      await page.getByText("Delete the personal data").click();
      await expectAccessible(page, "one registration");
      await fits("one registration");
      await page.getByRole("button", { name: "Show for a minute" }).click();
      await expectAccessible(page, "one registration, with its values");
    });
  });
}

test("the board follows a registration from its code to its number without being loaded again", async ({ server, page, device, wallet }) => {
  await server.behave({ pace: 50 });
  const staff = new StaffPage(page);
  await staff.open();
  await expect(page.getByText("Nobody.")).toBeVisible();
  await page.evaluate(() => Object.assign(window, { isSame: true }));
  const desk = new DeskPage(await (await device()).newPage());
  await desk.begin();
  await expect(staff.rows).toHaveCount(1);
  await expect(staff.rows.first()).toContainText("Nobody has scanned the code yet");
  await wallet.open(await desk.link());
  await wallet.connect();
  await expect(staff.rows.first()).toContainText("The holder has to approve in the wallet");
  await expect(staff.rows.first()).toContainText("•••••");
  // What has the focus keeps it while the rows change under it.
  await staff.rows.first().getByRole("link").focus();
  await wallet.share();
  await expect(staff.rows.first()).toContainText("The person has to send the form");
  await expect(staff.rows.first().getByRole("link")).toBeFocused();
  await submit(desk);
  await expect(page.getByText("Nobody.")).toBeVisible();
  await expect(page.locator("#list-submitted")).toContainText("1");
  expect(await page.evaluate(() => "isSame" in window), "the page was never loaded again").toBe(true);
});

test("staff see why somebody is stuck, look at them, and help", async ({ server, page, device, wallet }) => {
  await server.behave({ pace: 50 });
  const desk = new DeskPage(await (await device()).newPage());
  await desk.begin();
  await wallet.open(await desk.link());
  await wallet.connect();
  const code = await desk.expectMatchingCode();
  await wallet.decline();
  await desk.expectStage("declined");

  const staff = new StaffPage(page);
  await staff.open("/admin?list=declined");
  await staff.openNewest();
  await expect(page.locator("#state")).toContainText("The holder declined to share");
  await expect(staff.timeline).toContainText("A wallet scanned the code and asked to connect");
  await expect(staff.timeline).toContainText("The holder declined to share: that was the end");
  await expect(page.locator("#personal")).toContainText("•••••");
  await page.getByRole("button", { name: "Show for a minute" }).click();
  await expect(page.getByRole("status")).toContainText("That you looked is in the record.");
  await expect(page.locator("#personal")).not.toContainText("•••••");
  await expect(staff.timeline).toContainText("Ada had the personal values shown");

  await page.getByRole("button", { name: "Ask the wallet again" }).click();
  // A page does not follow what has ended.
  await expect(page.getByRole("status")).toContainText("has to be loaded again");
  await desk.page.reload();
  await desk.expectStage("requested");
  await expect(page.locator("#state")).toContainText("Asked to share");
  const next = await desk.expectMatchingCode();
  expect(next).not.toBe(code);
  await expect(page.locator("#state")).toContainText(next);
  await page.getByRole("link", { name: "All registrations" }).click();
  await page.getByLabel("Number, matching code").fill(next.toLowerCase());
  await page.keyboard.press("Enter");
  await expect(staff.rows).toHaveCount(1);
  await staff.openNewest();
  await page.getByRole("button", { name: "Cancel" }).click();
  await desk.expectStage("cancelled");
  await expect(page.locator("#state")).toContainText("Cancelled");
});

test("a delivery without a registration shows by itself, and is put aside", async ({ server, page }) => {
  const staff = new StaffPage(page);
  await staff.open("/admin/deliveries");
  await expect(page.getByText("None.")).toBeVisible();
  await server.deliver({ type: "Connection", id: "c0ffee00-0000-4000-8000-000000000002", state: "completed" });
  await expect(page.locator(".strays li")).toHaveCount(1);
  await expect(page.getByRole("link", { name: "Deliveries (some found no registration)" })).toBeVisible();
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("status")).toContainText("still belongs to no registration");
  await page.getByRole("button", { name: "Put aside" }).click();
  await expect(page.getByRole("status")).toContainText("put aside");
  await expect(page.getByText("None.")).toBeVisible();
});

test("an export is a file, and shows in the record", async ({ page }) => {
  const staff = new StaffPage(page);
  await staff.open("/admin/record");
  const coming = page.waitForEvent("download");
  await page.getByRole("link", { name: "Table (CSV)" }).click();
  expect((await coming).suggestedFilename()).toBe("registrations.csv");
  await page.reload();
  await expect(page.locator("#record")).toContainText("Ada exported the registrations (registrations.csv)");
});

test("the staff's pages can be used with the keyboard alone", async ({ server, page, desk, device }) => {
  await server.behave({ pace: FOREVER });
  await desk.begin();
  const office = await (await device()).newPage();
  await office.goto("/admin");
  await office.getByLabel("Your name").focus();
  await office.keyboard.type("Ada");
  await office.keyboard.press("Tab");
  await office.keyboard.type(ADMIN_TOKEN);
  await office.keyboard.press("Enter");
  const staff = new StaffPage(office);
  await staff.expectLive();
  await press(office, (await staff.rows.first().getByRole("link").textContent()) ?? "");
  await expect(office.getByRole("heading", { name: "What happened" })).toBeVisible();
  await press(office, "Make a new code", "Space");
  await expect(office.getByRole("status")).toContainText("There is a new code");
  await press(office, "Delete the personal data", "Space");
  await press(office, "Delete for good");
  await expect(office.getByRole("status")).toContainText("deleted");
  await press(office, "Sign out");
  await expect(office).toHaveURL(/\/admin\/sign-in$/);
});

test("where the socket does not come about the page is read every few seconds, and goes live when it does", async ({ page, gateway, device, faults }) => {
  faults.allow(/WebSocket connection to .* failed/);
  const staff = new StaffPage(page);
  gateway.refuseUpgrades();
  await page.goto(`${gateway.url}/admin`);
  await staff.signIn();
  await expect(staff.badge).toHaveAttribute("data-method", "polling");
  await new DeskPage(await (await device()).newPage()).begin();
  await expect(staff.rows).toHaveCount(1);
  gateway.allowUpgrades();
  await expect(staff.badge).toHaveAttribute("data-method", "websocket", { timeout: 35_000 });
});

test.describe("without scripts", () => {
  test.use({ javaScriptEnabled: false });

  test("staff can do everything by loading pages", async ({ page, request, server }) => {
    const opened = await request.post(`${server.url}/api/connections/session`, { data: { requestType: "registration" } });
    expect(opened.ok()).toBe(true);
    const staff = new StaffPage(page);
    await page.goto("/admin");
    await staff.signIn();
    await staff.rows.first().getByRole("link").click();
    await page.getByRole("button", { name: "Cancel" }).click();
    await expect(page.getByRole("status")).toContainText("cancelled");
    await page.getByRole("button", { name: "Sign out" }).click();
    await expect(page.getByRole("button", { name: "Sign in" })).toBeVisible();
  });
});
