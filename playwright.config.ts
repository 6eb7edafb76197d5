import { existsSync } from "node:fs";

import { defineConfig } from "@playwright/test";

const HEADLESS = "/usr/bin/chromium-headless-shell";

// The tests start their own servers (end2end/), so there is neither a webServer nor a baseURL here.
export default defineConfig({
  testDir: "./end2end/tests",
  // Two files at a time: each test has its own server, database and browsers, so they cannot meet.
  workers: 2,
  fullyParallel: false,
  // No second chance: a test that fails now and then is a fault to be found.
  retries: 0,
  forbidOnly: !!process.env.CI,
  reporter: "list",
  // Room for a page to wait its longest before it tries a socket again, see support/desk-page.ts.
  timeout: 90_000,
  expect: { timeout: 10_000 },
  use: {
    browserName: "chromium",
    // Without a graphics card each frame of an animation is a processor's work.
    contextOptions: { reducedMotion: "reduce" },
    trace: "retain-on-failure",
    // Would need an ffmpeg that Playwright downloads.
    video: "off",
    launchOptions: {
      // The system's, see scripts/tools; Playwright's own is never downloaded. Without windows of its own it is quicker.
      executablePath: process.env.CHROMIUM || (existsSync(HEADLESS) ? HEADLESS : "/usr/bin/chromium"),
      args: [
        // Chromium refuses to run as root otherwise, as in CI containers.
        "--no-sandbox",
        // The rest keeps it from looking for hardware and from calling home.
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
});
