import type { BrowserContext } from "@playwright/test";
import { DeskPage } from "../support/desk-page";
import { SERVER_AWAY } from "../support/faults";
import { Gateway } from "../support/gateway";
import { WALLET } from "../support/sample";
import type { Server } from "../support/server";
import { comeBack, countSockets, leave, letHide, setHidden, socketsOf } from "../support/sockets";
import { expect, test } from "../support/test";

// A page that polls does so three times a second, so nobody waits for long to see that it does, or does not.
test.use({ env: { RECONNECT_ATTEMPTS: "2", POLLING_INTERVAL: "300ms", DRAIN: "300ms" } });

const REFUSED = /WebSocket connection to .* failed/;

/** Another browser that can only poll. What does not happen while it polls some more does not happen. */
class Witness {
  private constructor(private readonly gateway: Gateway) {}

  static async call(server: Server, context: BrowserContext): Promise<Witness> {
    const gateway = await Gateway.start(server);
    gateway.refuseUpgrades();
    const desk = new DeskPage(await context.newPage());
    await desk.begin(gateway.url);
    await desk.expectMethod("polling");
    return new Witness(gateway);
  }

  /** Waits until this one has polled a good few times more. */
  async polls(): Promise<void> {
    const least = this.gateway.polls.length + 6;
    await expect.poll(() => this.gateway.polls.length).toBeGreaterThanOrEqual(least);
  }
}

test("behind a gateway without sockets the page polls its way to the end, and takes to its socket when it can", async ({
  server,
  gateway,
  page,
  desk,
  wallet,
  device,
  faults,
}) => {
  faults.allow(REFUSED);
  await countSockets(page);
  gateway.refuseUpgrades();
  await desk.begin(gateway.url);
  await desk.expectMethod("polling");
  await expect(desk.badge).toHaveText("Checking every 1 s");
  await desk.takeNotes();
  await expect.poll(() => gateway.polls).toContainEqual({ ifNoneMatch: 'W/"1"', status: 304 });
  expect(await server.sockets()).toEqual([]);

  await wallet.open(await desk.link());
  await expect(desk.headline).toHaveText("Accept the connection in your wallet");
  await expect.poll(() => gateway.polls).toContainEqual({ ifNoneMatch: 'W/"2"', status: 304 });
  await wallet.connect();
  await wallet.share();
  await expect(desk.headline).toHaveText("Verified");
  expect(await server.sockets()).toEqual([]);

  gateway.allowUpgrades();
  await desk.expectMethod("websocket");
  await expect(desk.badge).toHaveText("Live");
  const polls = gateway.polls.length;
  await (await Witness.call(server, await device())).polls();
  expect(gateway.polls.length, "it does not poll any more").toBe(polls);
  expect((await socketsOf(page)).mostAtOnce).toBe(1);
  expect(await desk.notes(), "the page was not loaded again").toBeDefined();
});

test("a server that is away for long is said to be, and the page comes back when it does", async ({
  server,
  page,
  desk,
  wallet,
  faults,
}) => {
  faults.allow(...SERVER_AWAY);
  await countSockets(page);
  await desk.beginLive();
  await desk.takeNotes();
  await server.kill();
  await desk.expectMethod("offline");
  await expect(desk.badge).toHaveText("Offline");
  await server.restart();
  await desk.expectMethod("websocket");
  await expect(desk.badge).toHaveText("Live");
  await wallet.accept(await desk.link());
  await expect(desk.headline).toHaveText("Verified");
  expect((await socketsOf(page)).mostAtOnce).toBe(1);
  expect(await desk.notes(), "the page was not loaded again").toBeDefined();
});

test("a restart says so to its pages, and they come back", async ({ server, gateway, page, desk, faults }) => {
  faults.allow(...SERVER_AWAY);
  await countSockets(page);
  await desk.beginLive(gateway.url);
  await desk.takeNotes();
  await server.stop();
  await expect.poll(async () => (await socketsOf(page)).closeCodes[0]).toBe(1012);
  await server.restart();
  await desk.expectMethod("websocket");
  await expect.poll(async () => (await server.sockets()).map(({ clients }) => clients)).toEqual([1]);
  expect(await desk.notes(), "the page was not loaded again").toBeDefined();
});

test("a browser without a network says so at once, and shows the newest state when it has one again", async ({
  context,
  page,
  desk,
  wallet,
  faults,
}) => {
  faults.allow(...SERVER_AWAY, /ERR_INTERNET_DISCONNECTED/);
  await countSockets(page);
  await desk.beginLive();
  await desk.takeNotes();
  const link = await desk.link();
  await context.setOffline(true);
  await desk.expectMethod("offline");
  await wallet.open(link);
  await wallet.connect();
  await wallet.share();
  await expect(desk.headline, "the page knows nothing of it").toHaveText("Scan the code with your wallet");
  await context.setOffline(false);
  await expect(desk.headline).toHaveText("Verified");
  await desk.expectMethod("websocket");
  expect((await socketsOf(page)).mostAtOnce).toBe(1);
  expect(await desk.notes(), "the page was not loaded again").toBeDefined();
});

test("a hidden page does not poll, and asks at once when it is looked at", async ({
  server,
  gateway,
  page,
  desk,
  wallet,
  device,
  faults,
}) => {
  faults.allow(REFUSED);
  await letHide(page);
  await countSockets(page);
  gateway.refuseUpgrades();
  await desk.begin(gateway.url);
  await desk.expectMethod("polling");
  await setHidden(page, true);
  const witness = await Witness.call(server, await device());
  // A question that was on its way has been answered by now.
  await witness.polls();
  const [polls, upgrades] = [gateway.polls.length, gateway.upgrades];
  await wallet.open(await desk.link());
  await witness.polls();
  expect([gateway.polls.length, gateway.upgrades], "nobody looks").toEqual([polls, upgrades]);

  gateway.allowUpgrades();
  await setHidden(page, false);
  await expect(desk.headline).toHaveText("Accept the connection in your wallet");
  await desk.expectMethod("websocket");
  expect((await socketsOf(page)).mostAtOnce).toBe(1);
});

test("a hidden page keeps its socket and follows", async ({ server, page, desk, wallet }) => {
  await letHide(page);
  await countSockets(page);
  await desk.beginLive();
  await setHidden(page, true);
  await wallet.open(await desk.link());
  await expect(desk.headline).toHaveText("Accept the connection in your wallet");
  for (const hidden of [false, true, false]) await setHidden(page, hidden);
  await desk.expectMethod("websocket");
  expect(await socketsOf(page)).toMatchObject({ opened: 1, open: 1 });
  expect((await server.sockets()).map(({ clients }) => clients)).toEqual([1]);
});

test("a page that is left has no socket, and shows the newest state when one comes back", async ({
  server,
  page,
  desk,
  wallet,
}) => {
  await countSockets(page);
  await desk.beginLive();
  await desk.takeNotes();
  const link = await desk.link();
  await leave(page);
  await expect.poll(() => server.sockets()).toEqual([]);
  await wallet.open(link);
  await wallet.connect();
  await wallet.share();
  await expect(desk.headline, "a page in the cache stands still").toHaveText("Scan the code with your wallet");
  expect(await socketsOf(page)).toMatchObject({ opened: 1, open: 0 });

  await comeBack(page);
  await expect(desk.headline).toHaveText("Verified");
  await desk.expectMethod("websocket");
  expect(await socketsOf(page)).toMatchObject({ opened: 2, open: 1, mostAtOnce: 1 });
  expect((await server.sockets()).map(({ clients }) => clients)).toEqual([1]);
  expect(await desk.notes(), "the page was not loaded again").toBeDefined();
});

test("a line that went dead without a word is found out when somebody looks", async ({ gateway, page, desk, wallet }) => {
  await letHide(page);
  await countSockets(page);
  await desk.beginLive(gateway.url);
  await setHidden(page, true);
  gateway.goDead();
  await wallet.open(await desk.link());
  await setHidden(page, false);
  // Asked for at once, while the socket still looks alive …
  await expect(desk.headline).toHaveText("Accept the connection in your wallet");
  expect((await socketsOf(page)).opened).toBe(1);
  // … and then its ping is not answered.
  await expect.poll(async () => (await socketsOf(page)).opened).toBe(2);
  await desk.expectMethod("websocket");
  await wallet.connect();
  await expect(desk.headline).toHaveText(`Look at ${WALLET}`);
  expect((await socketsOf(page)).mostAtOnce).toBe(1);
});

for (const ending of ["declined", "submitted"] as const) {
  test(`after a registration was ${ending} the page asks for nothing more`, async ({
    server,
    gateway,
    context,
    page,
    desk,
    wallet,
    device,
    faults,
  }) => {
    faults.allow(REFUSED);
    await letHide(page);
    await countSockets(page);
    const requests: string[] = [];
    await desk.beginLive(gateway.url);
    expect((await socketsOf(page)).timers).toBeGreaterThan(0);
    await wallet.open(await desk.link());
    await wallet.connect();
    if (ending === "declined") {
      await wallet.decline();
    } else {
      await wallet.share();
      await desk.expectStage("verified");
      // The form is filled in in another tab.
      const form = await context.newPage();
      await form.goto(`${gateway.url}/register/application`);
      await form.getByRole("textbox", { name: "E-mail address" }).fill("amaka@example.org");
      await form.getByRole("textbox", { name: "Phone number" }).fill("+234 801 234 5678");
      await form.getByRole("button", { name: "Register" }).click();
      await expect(form).toHaveURL(`${gateway.url}/register/confirmation`);
    }
    await desk.expectStage(ending);
    await desk.expectMethod("ended");
    await expect.poll(() => server.sockets()).toEqual([]);
    page.on("request", (request) => requests.push(request.url()));
    const witness = await Witness.call(server, await device());
    await witness.polls();
    // Nor when the page is made to look.
    await setHidden(page, true);
    await setHidden(page, false);
    await leave(page);
    await comeBack(page);
    await context.setOffline(true);
    await context.setOffline(false);
    await witness.polls();
    expect(requests).toEqual([]);
    expect(await socketsOf(page)).toMatchObject({ opened: 1, open: 0, timers: 0 });
  });
}

test("two tabs are two sockets, and one tab has one however often it is woken", async ({ server, context, page, desk }) => {
  const second = new DeskPage(await context.newPage());
  for (const tab of [page, second.page]) {
    await letHide(tab);
    await countSockets(tab);
  }
  await desk.beginLive();
  await second.page.goto("/register/connect");
  await second.expectMethod("websocket");
  expect((await server.sockets()).map(({ clients }) => clients)).toEqual([2]);
  for (let time = 0; time < 10; time++) {
    await setHidden(page, true);
    await setHidden(page, false);
    await page.evaluate(() => window.dispatchEvent(new Event("online")));
  }
  await leave(page);
  await comeBack(page);
  await desk.expectMethod("websocket");
  expect(await socketsOf(page)).toMatchObject({ opened: 2, open: 1, mostAtOnce: 1 });
  await expect.poll(async () => (await server.sockets()).map(({ clients }) => clients)).toEqual([2]);
  await second.page.close();
  await expect.poll(async () => (await server.sockets()).map(({ clients }) => clients)).toEqual([1]);
});

test.describe("where a registration may have one socket", () => {
  test.use({ env: { MAX_CLIENTS_PER_SESSION: "1", POLLING_INTERVAL: "300ms" } });

  test("a second tab polls, does not press for the socket, and takes it when it is free", async ({
    context,
    page,
    desk,
    wallet,
  }) => {
    await desk.beginLive();
    const second = new DeskPage(await context.newPage());
    await countSockets(second.page);
    const polls: number[] = [];
    second.page.on("response", (response) => {
      if (new URL(response.url()).pathname === "/api/connections/session") polls.push(response.status());
    });
    await second.page.goto("/register/connect");
    await second.expectMethod("polling");
    await expect.poll(() => polls.length).toBeGreaterThan(6);
    expect(await socketsOf(second.page)).toMatchObject({ opened: 1, open: 0, closeCodes: [1008] });
    await wallet.open(await desk.link());
    await expect(second.headline).toHaveText("Accept the connection in your wallet");

    await page.close();
    // Nobody has to look at it anew.
    await second.expectMethod("websocket");
    expect(await socketsOf(second.page)).toMatchObject({ opened: 2, open: 1 });
  });
});

test.describe("where the server may have one socket", () => {
  test.use({ env: { MAX_CLIENTS: "1", POLLING_INTERVAL: "300ms" } });

  test("who finds it full polls at once, and does not press for a socket", async ({ desk, device, wallet }) => {
    await desk.beginLive();
    const other = new DeskPage(await (await device()).newPage());
    await countSockets(other.page);
    await other.begin();
    await other.expectMethod("polling");
    await wallet.accept(await other.link());
    await expect(other.headline).toHaveText("Verified");
    expect(await socketsOf(other.page)).toMatchObject({ opened: 1, open: 0, closeCodes: [1013] });
  });
});
