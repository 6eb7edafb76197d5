// Prints what a browser loads, in KiB: as it is, with gzip, with brotli. `make size` runs this after `make build`.
import { existsSync, readdirSync, statSync } from "node:fs";
import { extname, join } from "node:path";

const PKG = join(import.meta.dirname, "../target/site/pkg");

const kib = (bytes) => (bytes / 1024).toFixed(1).padStart(8);
const row = (name, sizes) => console.log(name.padEnd(12) + sizes.map(kib).join(""));

console.log(`${"KiB".padEnd(12)}     raw    gzip  brotli`);
const sum = [0, 0, 0];
for (const name of readdirSync(PKG).filter((name) => [".wasm", ".js", ".css"].includes(extname(name)))) {
  const sizes = ["", ".gz", ".br"].map((suffix) => {
    const file = join(PKG, name + suffix);
    // What does not get smaller is not packed.
    return statSync(existsSync(file) ? file : join(PKG, name)).size;
  });
  const type = extname(name).slice(1);
  row(type, sizes);
  if (type !== "css") sizes.forEach((size, place) => (sum[place] += size));
}
row("wasm and js", sum);
