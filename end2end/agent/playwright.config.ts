import { defineConfig } from "@playwright/test";
import config from "../../playwright.config";

// Real agents and wallets (`make test-agent`). One file at a time: each has some agents, of 150 MB and a second core's work.
export default defineConfig({ ...config, testDir: ".", workers: 1, timeout: 120_000 });
