import { defineConfig } from "@playwright/test";
import config from "../../playwright.config";

// Every test once more, with nginx and TLS before each server, and those of what is special about that (`make test-tls`).
// scripts/tls makes the certificate, which browsers do not know.
export default defineConfig({
  ...config,
  testDir: "..",
  testMatch: ["tests/*.spec.ts", "tls/*.spec.ts"],
  // What axe says of a page does not depend on the way it came, and takes as long as everything else together.
  testIgnore: "tests/accessibility.spec.ts",
  use: { ...config.use, ignoreHTTPSErrors: true },
});
