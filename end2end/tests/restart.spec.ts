import { SERVER_AWAY } from "../support/faults";
import { Line } from "../support/frames";
import { WALLET } from "../support/sample";
import { FOREVER } from "../support/server";
import { expect, test } from "../support/test";

test.beforeEach(async ({ faults }) => {
  faults.allow(...SERVER_AWAY);
});

test("a server killed between storing a webhook and pushing it loses nothing", async ({ server, page, desk, wallet }) => {
  await server.behave({ pace: 50 });
  const line = await Line.lay(page);
  await desk.beginLive();
  await desk.takeNotes();
  line.hold();
  await wallet.open(await desk.link());
  await wallet.connect();
  const address = `/api/connections/session?sessionId=${line.delivered[0].sessionId}`;
  await expect.poll(async () => (await (await page.request.get(address)).json()).stage).toBe("requested");
  const stored = await (await page.request.get(address)).json();
  await expect.poll(() => line.held.length, "the push is on its way, and never arrives").toBeGreaterThan(0);
  await expect(desk.headline, "the page knows nothing of it").toHaveText("Scan the code with your wallet");

  await server.kill();
  line.mend();
  await server.restart();
  await expect(desk.headline).toHaveText(`Look at ${WALLET}`);
  await desk.expectMethod("websocket");
  // The very first word on the new socket: it comes from what was stored, not from a webhook that is sent again.
  expect(line.delivered[1]).toMatchObject({ type: "connected", stage: "requested", version: stored.version });

  await server.behave({ pace: 50 });
  await wallet.share();
  await expect(desk.headline).toHaveText("Verified");
  expect(await desk.notes(), "the page was not loaded again").toBeDefined();
  await desk.expectApplication();
});

test("a registration interrupted in the middle of the handshake goes on after a restart", async ({
  server,
  desk,
  wallet,
}) => {
  // The sandbox stops here, and takes up its usual pace when it is started again.
  await server.behave({ pace: FOREVER });
  await desk.beginLive();
  await desk.takeNotes();
  await wallet.open(await desk.link());
  await wallet.connect();
  await desk.expectStage("scanned");
  await server.kill();
  await expect.poll(() => desk.live.getAttribute("data-method"), "the page notices").not.toBe("websocket");
  await server.restart();
  await desk.expectStage("requested");
  await wallet.share();
  await expect(desk.headline).toHaveText("Verified");
  expect(await desk.notes(), "the page was not loaded again").toBeDefined();
});

test("a browser that comes back after a restart is still known", async ({ server, page, desk, wallet }) => {
  await desk.beginLive();
  const link = await desk.link();
  await page.goto("about:blank");
  await server.kill();
  await server.restart();
  await page.goto("/register/connect");
  expect(await desk.link()).toBe(link);
  await desk.expectMethod("websocket");
  await wallet.accept(link);
  await expect(desk.headline).toHaveText("Verified");
  await desk.expectApplication();
});
