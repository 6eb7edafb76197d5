import { defineConfig } from "@playwright/test";
import config from "../../playwright.config";

// No tests: `make screens` takes the pictures of docs/screens with the same browser and the same pages.
export default defineConfig({ ...config, testDir: ".", use: { ...config.use, trace: "off" } });
