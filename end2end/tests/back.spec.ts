import config from "../../playwright.config";
import { countSockets, socketsOf } from "../support/sockets";
import { expect, test } from "../support/test";

// Playwright turns the back/forward cache off, and a Chromium that cannot have windows has none.
test.use({
  launchOptions: {
    ...config.use?.launchOptions,
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  },
});

test("the browser keeps a page that is left, and it shows the newest state on the way back", async ({
  gateway,
  page,
  desk,
  wallet,
}) => {
  // Chromium keeps no page that had a socket and may not be stored; other browsers do.
  gateway.letStore();
  await countSockets(page);
  await desk.beginLive(gateway.url);
  await desk.takeNotes();
  const link = await desk.link();
  await page.goto(`${gateway.url}/`);
  await wallet.open(link);
  await page.goBack({ waitUntil: "commit" });
  await expect(desk.headline).toHaveText("Accept the connection in your wallet");
  await desk.expectMethod("websocket");
  expect(await desk.notes(), "the page is the one that was left").toEqual([
    "Scan the code with your wallet",
    "Accept the connection in your wallet",
  ]);
  expect(await socketsOf(page)).toMatchObject({ opened: 2, open: 1, mostAtOnce: 1 });
  await wallet.connect();
  await wallet.share();
  await expect(desk.headline).toHaveText("Verified");
});
