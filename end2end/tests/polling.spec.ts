import type { Page } from "@playwright/test";
import { Line } from "../support/frames";
import { WALLET } from "../support/sample";
import { expect, test } from "../support/test";

test.use({ env: { RECONNECT_ATTEMPTS: "1", POLLING_INTERVAL: "300ms" } });

const isPoll = (url: string) => new URL(url).pathname === "/api/connections/session";

function recordPolls(page: Page): number[] {
  const polls: number[] = [];
  page.on("response", (response) => {
    if (isPoll(response.url())) polls.push(response.status());
  });
  return polls;
}

test("without a socket the page polls its way to verified", async ({ page, desk, wallet }) => {
  const line = await Line.lay(page);
  await line.cut();
  const polls = recordPolls(page);
  await desk.begin();
  await desk.expectMethod("polling");
  await expect(page.getByText("Checking every")).toBeVisible();
  await desk.takeNotes();
  await expect.poll(() => polls, "nothing new costs no body").toContain(304);

  await wallet.open((await desk.decodeCode()) ?? "");
  await expect(desk.headline).toHaveText("Accept the connection in your wallet");
  await wallet.connect();
  await expect(desk.headline).toHaveText(`Look at ${WALLET}`);
  await wallet.share();
  await expect(desk.headline).toHaveText("Verified");

  expect(await desk.notes(), "the page was not loaded again").toBeDefined();
  expect(line.delivered, "nothing came over a socket").toEqual([]);
  expect(new Set(polls)).toEqual(new Set([200, 304]));
  await desk.expectApplication();
});

test("a page that polls goes back to its socket when that is possible again", async ({ page, desk, wallet }) => {
  const line = await Line.lay(page);
  await line.cut();
  await desk.begin();
  await desk.expectMethod("polling");
  await desk.takeNotes();
  line.mend();
  await desk.expectMethod("websocket");
  await expect(page.getByText("Live", { exact: true })).toBeVisible();

  await wallet.accept(await desk.link());
  await expect(desk.headline).toHaveText("Verified");
  expect(line.delivered[0].type).toBe("connected");
  expect(line.delivered.at(-1)?.stage).toBe("verified");
  expect(await desk.notes(), "the page was not loaded again").toBeDefined();
});

test("a socket that breaks on the way loses nothing", async ({ page, desk, wallet }) => {
  const line = await Line.lay(page);
  await desk.beginLive();
  await desk.takeNotes();
  await line.cut();
  await wallet.open(await desk.link());
  await wallet.connect();
  await desk.expectMethod("polling");
  await desk.expectStage("requested");
  line.mend();
  await wallet.share();
  await expect(desk.headline).toHaveText("Verified");
  expect(await desk.notes(), "the page was not loaded again").toBeDefined();
});

test("a page with neither socket nor polling says that it is offline, and comes back by itself", async ({
  page,
  desk,
  wallet,
  faults,
}) => {
  faults.allow(/net::ERR_FAILED/);
  const line = await Line.lay(page);
  await desk.beginLive();
  await desk.takeNotes();
  await page.route((url) => isPoll(url.href), (route) => route.abort());
  await line.cut();
  await desk.expectMethod("offline");
  await expect(page.getByText("Offline", { exact: true })).toBeVisible();
  await wallet.open(await desk.link());
  await wallet.connect();
  await page.unrouteAll();
  await expect(desk.headline).toHaveText(`Look at ${WALLET}`);
  expect(await desk.notes(), "the page was not loaded again").toBeDefined();
});
