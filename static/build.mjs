// Bundles static/src into static/dist: each *.ts and *.css directly under src is an entry of its own
// (folders below hold the modules they import); Inter's files come with app.css.
import { build, context } from "esbuild";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "src");
const target = join(here, "dist");

const entries = readdirSync(source)
  .filter((name) => /\.(ts|css)$/.test(name) && !name.endsWith(".d.ts"))
  .map((name) => join(source, name));

const options = {
  entryPoints: entries,
  outdir: target,
  bundle: true,
  minify: true,
  format: "esm",
  splitting: true,
  target: ["es2021", "safari15"],
  chunkNames: "chunks/[name]-[hash]",
  assetNames: "assets/[name]-[hash]",
  loader: { ".woff2": "file", ".svg": "file", ".png": "file" },
  legalComments: "linked",
  logLevel: "warning",
};

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
if (process.argv.includes("--watch")) {
  const watching = await context(options);
  await watching.watch();
  console.log(`Watching ${source}; Ctrl+C stops.`);
} else {
  await build(options);
}
