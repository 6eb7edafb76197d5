// Makes target/site, the files the server hands out, from the browser's wasm, style/ and public/:
//
//   pkg/vestibule.<hash>.{js,wasm,css}   named by content, so browsers may keep them for ever
//   everything in public/                at the root
//   *.br, *.gz                           beside each file that gets smaller; the server chooses
//
// and target/release/hash.txt, where Leptos looks up the hashes (beside the server's binary).
// `make build` runs this, and knows when it is needed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import * as esbuild from "esbuild";

const WASM = "target/wasm32-unknown-unknown/wasm-release/vestibule.wasm";
const SITE = "target/site";
const HASHES = "target/release/hash.txt";

// What a phone on a slow network loads before the page is live: wasm and js, with brotli.
const BUDGET = 75 * 1024;

// The oldest browsers that know all which esbuild cannot translate (oklch, color-mix). Nesting it translates.
const BROWSERS = ["chrome111", "edge111", "firefox114", "safari16.4"];

// Images and fonts are compressed already.
const COMPRESSIBLE = new Set([".css", ".html", ".js", ".json", ".svg", ".txt", ".wasm", ".webmanifest", ".xml"]);

process.chdir(join(import.meta.dirname, ".."));

function run(program, ...args) {
  const { error, status } = spawnSync(program, args, { stdio: "inherit" });
  if (error || status !== 0) fail(`${program}: ${error?.message ?? `exit status ${status}`}`);
}
function fail(message) {
  console.error(`site: ${message}`);
  process.exit(1);
}
const brotli = (data) =>
  brotliCompressSync(data, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: data.length },
  });

/** Path within the folder → content, for every file; empty if there is no such folder. */
function filesOf(folder) {
  const paths = existsSync(folder) ? readdirSync(folder, { recursive: true }) : [];
  const files = paths.filter((path) => statSync(join(folder, path)).isFile());
  return new Map(files.map((path) => [path, readFileSync(join(folder, path))]));
}

/** The optimised wasm, its JS and the JS snippets of crates, if any. */
function browserCode() {
  const dir = "target/wasm-bindgen";
  rmSync(dir, { recursive: true, force: true });
  const options = ["--target", "web", "--out-name", "vestibule", "--no-typescript"];
  run(".tools/bin/wasm-bindgen", ...options, "--out-dir", dir, WASM);

  // What rustc uses anyway, should the module not say so itself: nothing newer, that a browser might lack, comes in.
  const features = ["--enable-bulk-memory", "--enable-nontrapping-float-to-int"];
  const optimise = ["-Oz", "--converge", ...features];
  run("node_modules/.bin/wasm-opt", ...optimise, `${dir}/vestibule_bg.wasm`, "-o", `${dir}/vestibule.wasm`);

  // Only minified, not bundled: the exports (one per island) and imports stay as they are. It names vestibule_bg.wasm
  // as a default, which is never used: the page's script passes the hashed name.
  const source = readFileSync(`${dir}/vestibule.js`, "utf8");
  const js = esbuild.transformSync(source, { format: "esm", minify: true, target: BROWSERS }).code;
  return { wasm: readFileSync(`${dir}/vestibule.wasm`), js: Buffer.from(js), snippets: filesOf(`${dir}/snippets`) };
}

/** style/main.css with all it imports. */
async function styles() {
  const building = esbuild.build({
    // esbuild would take the directory from before the chdir above.
    absWorkingDir: process.cwd(),
    entryPoints: ["style/main.css"],
    bundle: true,
    // Not `minify`: that writes oklch() as sRGB hex where it can, and gradients between such colours look different.
    minifyWhitespace: true,
    target: BROWSERS,
    write: false,
    // url(/…) is a file of public/. (The option `external: ["/*"]` would leave out the @imports as well.)
    plugins: [{ name: "public", setup: (build) => build.onResolve({ filter: /^\// }, () => ({ external: true })) }],
  });
  // esbuild has said already what is wrong and where.
  const result = await building.catch(() => fail("style/main.css cannot be bundled"));
  return Buffer.from(result.outputFiles[0].contents);
}

const { wasm, js, snippets } = browserCode();
const code = { js, wasm, css: await styles() };

const size = Object.fromEntries(Object.entries(code).map(([type, data]) => [type, brotli(data).length]));
const live = size.wasm + size.js;
const kib = (bytes) => (bytes / 1024).toFixed(1);
console.log(
  `site: wasm ${kib(size.wasm)}, js ${kib(size.js)}, css ${kib(size.css)} KiB (brotli); ` +
    `wasm + js ${kib(live)} of ${kib(BUDGET)} KiB`,
);
if (live > BUDGET) fail(`wasm and js are ${live - BUDGET} bytes over their budget of ${BUDGET} (brotli)`);

const site = filesOf("public");
for (const [path, data] of snippets) site.set(`pkg/snippets/${path}`, data);
let hashes = "";
for (const [type, data] of Object.entries(code)) {
  const hash = createHash("sha256").update(data).digest("hex").slice(0, 16);
  site.set(`pkg/vestibule.${hash}.${type}`, data);
  hashes += `${type}: ${hash}\n`;
}

// Made aside and swapped in whole, so nothing old stays and an interrupted run breaks nothing.
const fresh = `${SITE}.new`;
rmSync(fresh, { recursive: true, force: true });
for (const [path, data] of site) {
  const file = join(fresh, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, data);
  if (!COMPRESSIBLE.has(extname(path))) continue;
  for (const [suffix, packed] of [[".br", brotli(data)], [".gz", gzipSync(data, { level: 9 })]]) {
    if (packed.length < data.length) writeFileSync(file + suffix, packed);
  }
}
rmSync(SITE, { recursive: true, force: true });
renameSync(fresh, SITE);

// Last: make takes its time as that of the whole site.
mkdirSync(dirname(HASHES), { recursive: true });
writeFileSync(HASHES, hashes);
