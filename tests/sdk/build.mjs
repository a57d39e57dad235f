// node build.mjs FOLDER bundles each pinned release of the SDK into one page, <release>.{html,js}, and the hook page, pin.{html,js}.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2];
const { dependencies } = JSON.parse(await readFile(join(here, "package.json"), "utf8"));
const releases = Object.keys(dependencies).filter((name) => name.startsWith("store-"));

async function page(name, source) {
  await build({
    stdin: { contents: source, resolveDir: join(here, "pages"), loader: "jsx" },
    outfile: join(out, `${name}.js`),
    bundle: true,
    minify: true,
    jsx: "automatic",
    define: { "process.env.NODE_ENV": '"production"', global: "window" },
    logLevel: "error",
  });
  await writeFile(
    join(out, `${name}.html`),
    `<!doctype html><meta charset="utf-8"><title>${name}</title><link rel="icon" href="data:,">` +
      `<div id="root"></div><script src="${name}.js"></script>`,
  );
}

await mkdir(out, { recursive: true });
await Promise.all([
  page("pin", 'import "./pin.jsx";'),
  ...releases.map((release) =>
    page(
      release.replace("store-", ""),
      `import * as sdk from "${release}"; import { install } from "./peer.js"; install(sdk);`,
    ),
  ),
]);
