import { ATTRIBUTES, KEPT_DAYS, WALLET } from "../support/sample";
import { expectOneStory } from "../support/frames";
import { expect, test } from "../support/test";

// The way that most people go, with everything that moves.
test.use({ contextOptions: { reducedMotion: "no-preference" } });

test("the consent page names every attribute, what it is for, and how long it is kept", async ({ page, desk }) => {
  await page.goto("/");
  await page.getByRole("link", { name: "Begin" }).click();
  await expect(page).toHaveURL("/register");
  expect(ATTRIBUTES).toHaveLength(9);
  await expect(page.getByRole("term")).toHaveText(ATTRIBUTES.map(({ label }) => label));
  await expect(page.getByRole("definition")).toHaveText(ATTRIBUTES.map(({ purpose }) => purpose));
  await expect(page.getByRole("main")).toContainText(`kept for ${KEPT_DAYS} days and then deleted`);
  expect(await page.context().cookies(), "nothing is begun before consent").toEqual([]);
  await desk.consent();
});

test("the session is carried by a cookie that scripts cannot read, and by no address", async ({ page, desk }) => {
  const addresses: string[] = [];
  page.on("framenavigated", (frame) => addresses.push(frame.url()));
  await desk.beginLive();
  expect(new Set(addresses.map((address) => new URL(address).pathname + new URL(address).search))).toEqual(
    new Set(["/", "/register", "/register/connect"]),
  );
  const cookies = await page.context().cookies();
  expect(cookies).toHaveLength(1);
  expect(cookies[0]).toMatchObject({ httpOnly: true, sameSite: "Lax", path: "/" });
  expect(await page.evaluate(() => document.cookie)).toBe("");
});

test("the code holds the short link, and a wallet gets a well-formed invitation for it", async ({
  server,
  desk,
  request,
}) => {
  await desk.beginLive();
  await desk.takeNotes();
  const code = await desk.decodeCode();
  expect(code).toBe(await desk.link());
  expect(code?.slice(0, server.url.length)).toBe(server.url);
  expect(code?.slice(server.url.length)).toMatch(/^\/i\/[A-Za-z0-9_-]{22}$/);

  const answer = await request.get(code ?? "", { headers: { accept: "application/json" } });
  expect(answer.status()).toBe(200);
  expect(answer.headers()["content-type"]).toContain("application/json");
  expect(await answer.json()).toMatchObject({
    "@type": expect.stringMatching(/\/out-of-band\/1\.\d+\/invitation$/),
    "@id": expect.stringMatching(/./),
    services: [expect.anything()],
    handshake_protocols: expect.arrayContaining([expect.stringMatching(/didexchange|connections/)]),
  });

  await expect(desk.headline).toHaveText("Accept the connection in your wallet");
  await expect(desk.live).toHaveAttribute("data-opened", "true");
  await desk.expectStage("waiting");
  expect(await desk.notes(), "without loading the page again").toEqual([
    "Scan the code with your wallet",
    "Accept the connection in your wallet",
  ]);
});

test("the page follows the wallet from the code to verified, pushed and without a reload", async ({
  server,
  page,
  desk,
  wallet,
}) => {
  await server.behave({ webhook: "envelope", invitationUrl: "short" });
  await desk.beginLive();
  await desk.takeNotes();
  let navigations = 0;
  page.on("framenavigated", () => navigations++);
  const requests: string[] = [];
  page.on("request", (request) => requests.push(new URL(request.url()).pathname));

  await wallet.open((await desk.decodeCode()) ?? "");
  await expect(desk.headline).toHaveText("Accept the connection in your wallet");
  await wallet.connect();
  await desk.expectStage("requested");
  await expect(desk.code, "the code is put away once it is used").toBeHidden();
  await wallet.share();
  await expect(desk.headline).toHaveText("Verified");
  await desk.expectStage("verified");

  const notes = await desk.notes();
  expect(notes, "the page was not loaded again").toBeDefined();
  expect(notes).toEqual(expect.arrayContaining([`Connecting to ${WALLET}`, `Look at ${WALLET}`]));
  expect(navigations).toBe(0);
  expect(requests, "everything came over the socket").toEqual([]);

  expectOneStory(desk.frames);
  expect(desk.frames[0]).toMatchObject({ stage: "waiting", opened: false, version: 1, attempt: 1 });
  expect(desk.frames[1]).toMatchObject({ stage: "waiting", opened: true, version: 2 });
  expect(desk.frames.map(({ stage }) => stage)).toEqual(expect.arrayContaining(["scanned", "requested", "verified"]));
  expect(desk.frames.at(-1)).toMatchObject({ stage: "verified", status: "done", eventType: "proof", theirLabel: WALLET });

  await desk.expectApplication();
});

for (const [webhook, invitationUrl] of [
  ["gateway", "long"],
  ["flat", "short"],
] as const) {
  test(`it also works with ${webhook} webhooks and ${invitationUrl} invitation URLs`, async ({ server, desk, wallet }) => {
    await server.behave({ webhook, invitationUrl, pace: 50 });
    await desk.beginLive();
    await wallet.accept((await desk.decodeCode()) ?? "");
    await expect(desk.headline).toHaveText("Verified");
    expectOneStory(desk.frames);
    expect(desk.frames.at(-1)?.stage).toBe("verified");
    await desk.expectApplication();
  });
}
