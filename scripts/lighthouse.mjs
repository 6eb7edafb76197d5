// Asks Lighthouse about the pages of a server of its own (the release, with the sandbox), as a phone on a slow network and
// as a desk, and writes what it says into docs/lighthouse.md. Fails where a figure is below 95. `make lighthouse` runs this.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch } from "chrome-launcher";
import lighthouse, { desktopConfig } from "lighthouse";

const ROOT = join(import.meta.dirname, "..");
const LEAST = 95;
const CATEGORIES = ["performance", "accessibility", "best-practices"];
const TIMES = ["first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift"];

const folder = mkdtempSync(join(tmpdir(), "vestibule-lighthouse-"));
const server = spawn(process.env.VESTIBULE ?? join(ROOT, "target/release/vestibule"), [], {
  cwd: ROOT,
  env: { ...process.env, PORT: "0", PLATFORM: "sandbox", DATABASE_URL: `sqlite://${join(folder, "v.db")}`, RATE_SESSIONS: "off" },
  stdio: ["ignore", "pipe", "inherit"],
});
const base = await new Promise((open, fail) => {
  let said = "";
  server.stdout.on("data", (chunk) => {
    said += chunk;
    const greeting = /Vestibule is open at (\S+)\//.exec(said);
    if (greeting) open(greeting[1]);
  });
  server.once("exit", () => fail(new Error(`the server did not start:\n${said}`)));
});
const chrome = await launch({
  chromePath: process.env.CHROMIUM || "/usr/bin/chromium",
  chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
});

/** The cookie of a registration of its own. */
async function begin() {
  const answer = await fetch(`${base}/api/connections/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ requestType: "registration" }),
  });
  return answer.headers.getSetCookie()[0].split(";")[0];
}

const rows = [];
let isGood = true;
try {
  for (const [seen, config] of [["phone, slow network", undefined], ["desk", desktopConfig]]) {
    for (const path of ["/", "/register", "/register/connect"]) {
      const extraHeaders = path.endsWith("connect") ? { Cookie: await begin() } : undefined;
      const options = { port: chrome.port, output: "json", logLevel: "error", onlyCategories: CATEGORIES, extraHeaders };
      const { lhr } = await lighthouse(base + path, options, config);
      const scores = CATEGORIES.map((category) => Math.round(lhr.categories[category].score * 100));
      isGood &&= scores.every((score) => score >= LEAST);
      rows.push([`\`${path}\``, seen, ...scores, ...TIMES.map((time) => lhr.audits[time].displayValue)]);
      console.log(rows.at(-1).join("  "));
      for (const category of CATEGORIES) {
        for (const { id, weight } of lhr.categories[category].auditRefs) {
          const { score, title } = lhr.audits[id];
          if (weight > 0 && score !== null && score < 0.9) console.log(`  ${category}: ${id} ${score}: ${title}`);
        }
      }
    }
  }
} finally {
  await chrome.kill();
  server.kill();
  rmSync(folder, { recursive: true, force: true });
}

const line = (cells) => `| ${cells.join(" | ")} |\n`;
const head = ["Page", "Seen", "Performance", "Accessibility", "Best practices", "First paint", "Largest paint", "Blocked", "Shift"];
writeFileSync(
  join(ROOT, "docs/lighthouse.md"),
  "# What Lighthouse says\n\n" +
    "`make lighthouse` writes this page: the release with the sandbox on one machine, Lighthouse's own phone on a slow network\n" +
    "(1.6 Mbit/s, 150 ms, a processor slowed down four times) and its desk. It fails below 95.\n\n" +
    line(head) + line(head.map((_, place) => (place < 2 ? "---" : "---:"))) + rows.map(line).join(""),
);
if (!isGood) {
  console.error(`lighthouse: a figure is below ${LEAST}`);
  process.exit(1);
}
