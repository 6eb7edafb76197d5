import { DeskPage, proven } from "../support/desk-page";
import { expectOneStory } from "../support/frames";
import { expect, test } from "../support/test";
import { WalletPage } from "../support/wallet-page";

test("two people at the same time never see anything of each other", async ({ server, device, desk, wallet }) => {
  await server.behave({ pace: 50 });
  const other = new DeskPage(await (await device()).newPage());
  await desk.beginLive();
  await other.beginLive();
  await other.takeNotes();
  expect(await other.link()).not.toBe(await desk.link());

  await wallet.accept((await desk.decodeCode()) ?? "");
  await expect(desk.headline).toHaveText("Verified");
  expectOneStory(desk.frames);

  // A round trip on the other's own line: whatever was sent to it before has arrived when its answer has.
  const answer = await other.page.request.get(`/api/connections/session?sessionId=${other.frames[0].sessionId}`);
  expect(await answer.json()).toMatchObject({ stage: "waiting", version: 1, opened: false });
  await expect(other.headline).toHaveText("Scan the code with your wallet");
  expect(other.frames).toHaveLength(1);
  expect(other.frames[0]).toMatchObject({ type: "connected", stage: "waiting", version: 1 });
  expect(other.frames[0].sessionId).not.toBe(desk.frames[0].sessionId);
  expect(await other.notes()).toEqual(["Scan the code with your wallet"]);

  const framesBefore = desk.frames.length;
  const otherWallet = new WalletPage(await (await device()).newPage());
  await otherWallet.open((await other.decodeCode()) ?? "");
  await otherWallet.connect("Tunde Adebayo Balogun");
  await otherWallet.share();
  await expect(other.headline).toHaveText("Verified");
  expect(other.frames.at(-1)).toMatchObject({ stage: "verified", theirLabel: "Blue phone" });
  expect(desk.frames, "the first one hears nothing of it").toHaveLength(framesBefore);

  await other.onwards.click();
  await expect(other.page.getByRole("definition").first()).toHaveText(proven("Balogun"));
  await desk.expectApplication();
});

test("one browser cannot ask for another's registration", async ({ device, desk, page }) => {
  const other = new DeskPage(await (await device()).newPage());
  await desk.beginLive();
  await other.beginLive();
  const own = await page.request.get(`/api/connections/session?sessionId=${desk.frames[0].sessionId}`);
  expect(own.status()).toBe(200);
  const foreign = await page.request.get(`/api/connections/session?sessionId=${other.frames[0].sessionId}`);
  expect(foreign.status()).toBe(401);
  expect(await foreign.text()).not.toContain("waiting");
});
