// The types of the script against its exports and against the examples of its documentation.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import * as hms from "../../static/rooms/hms.js";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const ADDRESS = "https://rooms.example.org/static/rooms/hms.js";
const read = (path) => readFileSync(join(ROOT, path), "utf8");

/** What the compiler says of these files, by name, as a page would have them beside a copy of the types. */
function compiled(files) {
  const folder = mkdtempSync(join(tmpdir(), "hms-types-"));
  try {
    const compilerOptions = {
      ...JSON.parse(read("tsconfig.json")).compilerOptions,
      noImplicitAny: false, // examples in JavaScript say no types
      useUnknownInCatchVariables: false,
      moduleDetection: "force",
      paths: { [ADDRESS]: ["./hms.d.ts"] },
    };
    const all = { ...files, "package.json": `{"type": "module"}`, "hms.d.ts": read("static/rooms/hms.d.ts") };
    for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text);
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: Object.keys(files) }));
    const { stdout, error } = spawnSync(join(ROOT, "node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8" });
    assert.equal(error, undefined);
    return stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the examples of the documentation compile against the types", () => {
  const pages = ["docs/script.md", "docs/session-metadata.md"].map((page) => [
    ...read(page).matchAll(/^```(js|ts)\n(.*?)^```/gms),
  ]);
  for (const found of pages) assert.ok(found.length >= 3);
  const blocks = pages.flat();
  const files = blocks.map(([, language, text], at) => [`example${at + 1}.${language}`, text]);
  assert.equal(compiled(Object.fromEntries(files)), "");
});

test("an example that is wrong does not compile", () => {
  const wrong = `import { hmsActions } from "${ADDRESS}";\nhmsActions.sendBroadcastMesage("hello");\n`;
  assert.match(compiled({ "wrong.js": wrong }), /sendBroadcastMesage/u);
});

test("every export of the script has a type, and nothing else has", () => {
  const declared = read("static/rooms/hms.d.ts").matchAll(/^export (?:const|class|function) (\w+)/gmu);
  const names = new Set([...declared].map(([, name]) => name));
  assert.deepEqual([...names].sort(), Object.keys(hms).sort());
});

test("every action and selector that the documentation names is there", () => {
  const named = `${read("docs/script.md")}${read("docs/session-metadata.md")}`.matchAll(
    /`(select\w+|[a-z]+[A-Z]\w+(?=\())/gu,
  );
  const types = read("static/rooms/hms.d.ts");
  assert.deepEqual(
    [...new Set([...named].map(([, name]) => name))].filter((name) => !new RegExp(`\\b${name}\\b`, "u").test(types)),
    [],
  );
});
