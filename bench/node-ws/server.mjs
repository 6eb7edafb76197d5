// The comparison: Node, `ws` and SQLite in the manner of the earlier system. Each webhook is one durable write
// transaction of its own, then a message to every socket of its session. It speaks the surface that the generator drives:
// node server.mjs <port> <database>
import { randomUUID, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import Database from "better-sqlite3";
import { WebSocketServer } from "ws";

const [port, file] = process.argv.slice(2);
const key = Buffer.from(process.env.WEBHOOK_SECRET ?? "");
const heartbeat = 30_000;

const db = new Database(file);
db.pragma("journal_mode = WAL");
db.pragma("synchronous = FULL");
db.exec(`
  CREATE TABLE IF NOT EXISTS sessions (
    id TEXT PRIMARY KEY, token TEXT NOT NULL, version INTEGER NOT NULL, status TEXT NOT NULL, updated_at INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, session_id TEXT NOT NULL, state TEXT NOT NULL, received_at INTEGER NOT NULL, body TEXT NOT NULL);
`);
const find = db.prepare("SELECT id, token, version, status, updated_at FROM sessions WHERE id = ?");
const insert = db.prepare("INSERT INTO sessions VALUES (?, ?, 1, 'invitation', ?)");
const insertEvent = db.prepare("INSERT INTO events (session_id, state, received_at, body) VALUES (?, ?, ?, ?)");
const update = db.prepare(
  "UPDATE sessions SET version = version + 1, status = ?, updated_at = ? WHERE id = ? RETURNING version",
);
const record = db.transaction((id, state, now, body) => {
  insertEvent.run(id, state, now, body);
  return update.get(state, now, id)?.version;
});

/** Session id → its sockets. */
const sockets = new Map();

const message = (type, { id, version, status, updated_at }) =>
  JSON.stringify({
    type, sessionId: id, version, status, eventType: "connection", timestamp: new Date(updated_at).toISOString(),
  });

function answer(response, status, body, headers = {}) {
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body), ...headers });
  response.end(body);
}

function read(request) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => resolve(Buffer.concat(chunks).toString()));
    request.on("error", reject);
  });
}

/** The session that the address names and whose token it carries. */
function authorised(url) {
  const session = find.get(url.searchParams.get("sessionId") ?? "");
  return session && session.token === url.searchParams.get("token") ? session : undefined;
}

function open(response) {
  const [id, token] = [randomUUID(), randomUUID()];
  insert.run(id, token, Date.now());
  const data = { sessionId: id, token, invitationUrl: `https://agent.example.org?record=${id}`, version: 1 };
  answer(response, 201, JSON.stringify({ success: true, data }));
}

function poll(request, response, url) {
  const session = authorised(url);
  if (!session) return answer(response, 401, "{}");
  const headers = { ETag: `W/"${session.version}"` };
  if (request.headers["if-none-match"] === headers.ETag) {
    response.writeHead(304, headers);
    return response.end();
  }
  answer(response, 200, message("status_update", session), headers);
}

async function receive(request, response) {
  const given = Buffer.from(request.headers["x-api-key"] ?? "");
  if (given.length !== key.length || !timingSafeEqual(given, key)) return answer(response, 401, "{}");
  const body = await read(request);
  const { connectionId: id, state } = JSON.parse(body).data;
  const now = Date.now();
  const version = record(id, state, now, body);
  if (version === undefined) return answer(response, 404, "{}");
  const text = message("status_update", { id, version, status: state, updated_at: now });
  for (const socket of sockets.get(id) ?? []) socket.send(text);
  answer(response, 200, '{"received":true}');
}

const page = `<!doctype html><title>Registration</title>${"<p>A page of some length.</p>".repeat(300)}`;

const server = createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  switch (`${request.method} ${url.pathname}`) {
    case "POST /api/connections/session": return request.resume() && open(response);
    case "GET /api/connections/session": return poll(request, response, url);
    case "POST /api/webhooks/confirmd":
      return receive(request, response).catch(() => answer(response, 500, "{}"));
    case "GET /register": return answer(response, 200, page, { "Content-Type": "text/html" });
    case "GET /healthz": return answer(response, 200, "{}");
    default: return answer(response, 404, "{}");
  }
});

const wss = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 4096 });
server.on("upgrade", (request, socket, head) => {
  const url = new URL(request.url, "http://localhost");
  const session = url.pathname === "/ws/connections" ? authorised(url) : undefined;
  if (!session) return socket.destroy();
  wss.handleUpgrade(request, socket, head, (client) => {
    const { id } = session;
    if (!sockets.has(id)) sockets.set(id, new Set());
    sockets.get(id).add(client);
    client.alive = true;
    client.on("pong", () => { client.alive = true; });
    client.on("error", () => {});
    client.on("close", () => {
      const all = sockets.get(id);
      all?.delete(client);
      if (all?.size === 0) sockets.delete(id);
    });
    // As the earlier system does: that it is connected, and no state.
    client.send(JSON.stringify({ type: "connected", sessionId: id }));
  });
});

// As in the README of `ws`.
setInterval(() => {
  for (const client of wss.clients) {
    if (!client.alive) {
      client.terminate();
      continue;
    }
    client.alive = false;
    client.ping();
  }
}, heartbeat).unref();

// As proxies expect it; Node's own five seconds are shorter than a quiet minute.
server.keepAliveTimeout = 75_000;
server.listen({ port: Number(port), host: "127.0.0.1", backlog: 16_384 });
