import { once } from "node:events";
import { type IncomingMessage, request as ask } from "node:http";
import { request as askTls } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { connect as connectTls } from "node:tls";
import { freePort } from "../support/ports";
import { Proxy } from "../support/proxy";
import { WEBHOOK_SECRET } from "../support/server";
import { expect, test as base } from "../support/test";
import { upgrade } from "../support/upgrade";

const test = base.extend<{
  /** Starts a further proxy, before servers on these ports. */
  proxyBefore: (...servers: number[]) => Promise<Proxy>;
  /** A server that hears what it is asked, and breaks off. */
  broken: { port: number; heard: string[] };
}>({
  // Playwright reads from these braces that it needs no other.
  proxyBefore: async ({}, use) => {
    const proxies: Proxy[] = [];
    await use(async (...servers) => {
      const proxy = await Proxy.start(...servers);
      proxies.push(proxy);
      return proxy;
    });
    for (const proxy of proxies) await proxy.stop();
  },

  broken: async ({}, use) => {
    const heard: string[] = [];
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.once("data", (data) => {
        heard.push(data.toString().split(" ")[0]);
        socket.destroy();
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    await use({ port: (server.address() as AddressInfo).port, heard });
    server.close();
  },
});

type Call = {
  method?: "GET" | "POST";
  headers?: Record<string, string>;
  body?: string;
  /** The address that the call comes from: all of 127.0.0.0/8 is this machine. */
  from?: string;
};

/** A call as a program makes it that is no browser. */
async function call(address: string, { body, ...options }: Call = {}): Promise<{ answer: IncomingMessage; text: string }> {
  const { from, ...rest } = options;
  const asked = (address.startsWith("https:") ? askTls : ask)(address, { ...rest, localAddress: from, agent: false });
  asked.end(body);
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of answer) text += chunk;
  return { answer, text };
}

/** Begins a registration, from an address and with what is said of it. */
async function begin(url: string, from: string, forwarded?: string): Promise<number | undefined> {
  const { answer } = await call(`${url}/api/connections/session`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(forwarded && { "x-forwarded-for": forwarded }) },
    body: JSON.stringify({ requestType: "registration" }),
    from,
  });
  return answer.statusCode;
}

test("the page follows over wss, and its cookie is bound to this host and to TLS", async ({ server, page, desk, wallet }) => {
  const sockets: string[] = [];
  page.on("websocket", (socket) => sockets.push(socket.url()));
  const answered = page.waitForResponse(async (response) => "set-cookie" in (await response.allHeaders()));
  await desk.beginLive();
  expect(sockets.map((address) => address.split("?")[0])).toEqual([
    `${server.url.replace("https:", "wss:")}/ws/connections`,
  ]);
  const said = (await (await answered).headerValue("set-cookie")) ?? "";
  const [name, ...attributes] = said.split("; ").map((part) => part.split("=")[0]);
  expect(name).toBe("__Host-vestibule");
  expect(attributes.sort(), "and no Domain").toEqual(["HttpOnly", "Max-Age", "Path", "SameSite", "Secure"]);
  expect(await page.context().cookies()).toEqual([
    expect.objectContaining({ name, secure: true, httpOnly: true, sameSite: "Lax", path: "/", domain: "localhost" }),
  ]);
  expect(await page.evaluate(() => isSecureContext)).toBe(true);

  await wallet.accept(await desk.link());
  await expect(desk.headline).toHaveText("Verified");
});

test.describe("where an address may begin two registrations", () => {
  test.use({ env: { RATE_SESSIONS: "2/h" } });

  test("the proxy says which address that is, whatever a client says itself", async ({ server }) => {
    const [one, other] = ["127.0.0.2", "127.0.0.3"];
    expect(await begin(server.url, one)).toBe(201);
    expect(await begin(server.url, one, "203.0.113.1")).toBe(201);
    expect(await begin(server.url, one, "203.0.113.2")).toBe(429);
    expect(await begin(server.url, one, other)).toBe(429);
    expect(await begin(server.url, other), "somebody else").toBe(201);
    expect(await begin(server.url, other, one), "who is taken for nobody else").toBe(201);
  });

  test("who reaches the server past the proxy is not believed", async ({ server }) => {
    const direct = `http://127.0.0.1:${server.port}`;
    expect(await begin(direct, "127.0.0.2", "203.0.113.1")).toBe(201);
    expect(await begin(direct, "127.0.0.2", "203.0.113.2")).toBe(201);
    expect(await begin(direct, "127.0.0.2", "203.0.113.3")).toBe(429);
    // Where the proxy is, it is.
    for (const last of [1, 2, 3]) expect(await begin(direct, "127.0.0.1", `203.0.113.${last}`)).toBe(201);
  });
});

test.describe("where an address may have one socket", () => {
  test.use({ env: { MAX_CLIENTS_PER_ADDRESS: "1" } });

  test("two people behind the proxy are two addresses", async ({ server }) => {
    for (const from of ["127.0.0.2", "127.0.0.3"]) {
      const { text } = await call(`${server.url}/api/connections/session`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ requestType: "registration" }),
        from,
      });
      const { sessionId, token } = JSON.parse(text).data;
      const socket = await follow(`${server.url}/ws/connections?sessionId=${sessionId}&token=${token}`, from);
      expect(await socket.firstWord).toContain('"connected"');
    }
    const counts = (await server.sockets()).map(({ clients }) => clients);
    expect(counts).toEqual([1, 1]);
  });
});

/** Opens a socket from an address, and gives back the first that it is told. It ends with the test's server. */
async function follow(address: string, from: string): Promise<{ firstWord: Promise<string> }> {
  const asked = askTls(address, {
    localAddress: from,
    agent: false,
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "AAECAwQFBgcICQoLDA0ODw==",
    },
  });
  asked.end();
  const [answer, socket, head] = await once(asked, "upgrade");
  expect(answer.statusCode).toBe(101);
  socket.on("error", () => socket.destroy());
  const said = head.length > 0 ? Promise.resolve([head]) : once(socket, "data");
  return { firstWord: said.then(([data]) => data.toString()) };
}

test("who comes without TLS is sent to where there is some", async ({ server, page, context }) => {
  const proxy = server.proxy!;
  const { answer } = await call(`${proxy.plain}/register?from=a-poster`);
  expect(answer.statusCode).toBe(301);
  expect(answer.headers.location).toBe(`${server.url}/register?from=a-poster`);
  await page.goto(`${proxy.plain}/register`);
  await expect(page).toHaveURL(`${server.url}/register`);
  expect(await context.cookies()).toEqual([]);
});

test("who asks for another name is not served", async ({ server }) => {
  const socket = connectTls({ host: "127.0.0.1", port: Number(new URL(server.url).port), servername: "elsewhere.test" });
  const [error] = await once(socket, "error");
  expect(error.message).toMatch(/alert/);
});

test("a socket is for our own page, and the same host without TLS is another one", async ({ server, desk, page }) => {
  await desk.beginLive();
  const [{ name, value }] = await page.context().cookies();
  const address = `${server.url}/ws/connections?sessionId=${desk.frames[0].sessionId}`;
  const cookie = `${name}=${value}`;
  for (const origin of ["https://elsewhere.test", server.url.replace("https:", "http:"), server.proxy!.plain]) {
    expect(await upgrade(address, { cookie, origin }), origin).toBe(403);
  }
  expect(await upgrade(address, { cookie, origin: server.url })).toBe(101);
});

test("the longest webhook gets through, and a longer one is refused at the door", async ({ server }) => {
  const longest = 1024 * 1024;
  const body = (length: number) => JSON.stringify({ padding: "" }).replace('""', `"${"x".repeat(length - 14)}"`);
  expect(body(longest)).toHaveLength(longest);
  const headers = { "content-type": "application/json", "x-api-key": WEBHOOK_SECRET };
  const address = `${server.url}/api/webhooks/confirmd`;
  const { answer: taken } = await call(address, { method: "POST", headers, body: body(longest) });
  expect(taken.statusCode).toBe(200);
  // The answer comes before all of it was sent.
  const { answer: refused, text } = await call(address, {
    method: "POST",
    headers: { ...headers, "content-length": `${longest + 1}`, expect: "100-continue" },
  });
  expect(refused.statusCode).toBe(413);
  expect(text, "by the proxy").toContain("nginx");
});

test("the log of calls has nothing that opens a registration", async ({ server, request }) => {
  const headers = { accept: "application/json" };
  const opened = await request.post("/api/connections/session", { headers, data: { requestType: "registration" } });
  const { sessionId, token, link } = (await opened.json()).data;
  await request.get(`/api/connections/session?sessionId=${sessionId}&token=${token}`);
  await request.get(link, { headers });
  await request.post("/api/webhooks/confirmd/a-path-token-that-nobody-guesses", { data: {} });
  await expect.poll(() => server.proxy!.accessLog()).toContain('"POST /api/webhooks/confirmd/-"');
  const log = await server.proxy!.accessLog();
  expect(log).toContain('"GET /i/-" 200');
  for (const secret of [token, sessionId, new URL(link).pathname.split("/").at(-1), "a-path-token"]) {
    expect(log).not.toContain(secret);
  }
});

test("a server that is away is passed over", async ({ server, proxyBefore }) => {
  const proxy = await proxyBefore(await freePort(), Number(server.port));
  for (let time = 0; time < 6; time++) expect(await begin(proxy.url, "127.0.0.2")).toBe(201);
  expect((await call(`${proxy.url}/healthz`)).text).toBe("ok");
});

test("where a server breaks off, a question goes to another", async ({ server, broken, proxyBefore }) => {
  const proxy = await proxyBefore(broken.port, Number(server.port));
  for (let time = 0; time < 6; time++) expect((await call(`${proxy.url}/healthz`)).answer.statusCode).toBe(200);
  expect(new Set(broken.heard)).toEqual(new Set(["GET"]));
});

test("what may have been done already is not sent again", async ({ server, broken, proxyBefore }) => {
  const proxy = await proxyBefore(broken.port, Number(server.port));
  const statuses: (number | undefined)[] = [];
  for (let time = 0; time < 6; time++) statuses.push(await begin(proxy.url, "127.0.0.2"));
  expect(broken.heard.length).toBeGreaterThan(0);
  expect(statuses.filter((status) => status === 502)).toHaveLength(broken.heard.length);
  expect(statuses.filter((status) => status === 201)).toHaveLength(6 - broken.heard.length);
});
