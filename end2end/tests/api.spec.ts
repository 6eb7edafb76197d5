import { statusOf } from "../support/faults";
import { expect, test } from "../support/test";
import { upgrade } from "../support/upgrade";

const ELSEWHERE = "http://elsewhere.test";

test("a call from a foreign origin opens no registration", async ({ request, server }) => {
  const call = (origin: string) =>
    request.post("/api/connections/session", { headers: { origin }, data: { requestType: "registration" } });
  const foreign = await call(ELSEWHERE);
  expect(foreign.status()).toBe(403);
  expect(foreign.headers()["content-type"]).toBe("application/problem+json");
  expect(await foreign.json()).toMatchObject({ code: "foreign_origin" });
  expect(foreign.headers()["set-cookie"]).toBeUndefined();
  expect((await call(server.url)).status(), "the same call from our own page").toBe(201);
});

test("a form on a foreign page cannot begin a registration", async ({ page, faults }) => {
  faults.allow(statusOf(403));
  await page.goto("/register");
  const button = page.getByRole("button", { name: "I agree, show me the code" });
  const address = await button.evaluate((button: HTMLButtonElement) => button.form?.action);
  await page.route(`${ELSEWHERE}/`, (route) =>
    route.fulfill({
      contentType: "text/html",
      body: `<!doctype html><title>Elsewhere</title><form method="post" action="${address}"><button>Go</button></form>`,
    }),
  );
  await page.goto(ELSEWHERE);
  const answer = page.waitForResponse((response) => response.url() === address);
  await page.getByRole("button", { name: "Go" }).click();
  expect((await answer).status()).toBe(403);
  expect(await page.context().cookies()).toEqual([]);
});

test("a socket with a foreign origin is refused before it is opened", async ({ page, desk, server }) => {
  await desk.beginLive();
  const [{ name, value }] = await page.context().cookies();
  const address = `${server.url}/ws/connections?sessionId=${desk.frames[0].sessionId}`;
  const cookie = `${name}=${value}`;
  expect(await upgrade(address, { cookie, origin: ELSEWHERE })).toBe(403);
  expect(await upgrade(address, { cookie, origin: "null" })).toBe(403);
  expect(await upgrade(address, { cookie, origin: server.url }), "the same from our own page").toBe(101);
});
