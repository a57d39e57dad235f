// node serve.mjs SERVER [PORT]: Prebuilt at /prebuilt/<room code>/, joining the rooms of SERVER (an origin).
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const built = join(dirname(fileURLToPath(import.meta.url)), "built");
const server = new URL(process.argv[2] ?? "http://127.0.0.1:8000").origin;
const port = Number(process.argv[3] ?? 8010);

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Prebuilt</title>
<link rel="icon" href="data:,">
<body style="margin: 0" data-server="${server}">
<div id="root"></div>
<script type="module" src="/page.js"></script>
`;

const listener = createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  if (/^\/prebuilt\/([\w-]+\/)?$/.test(pathname)) {
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
  } else if (/^\/[\w-]+\.js$/.test(pathname)) {
    createReadStream(join(built, pathname))
      .on("open", () => response.writeHead(200, { "content-type": "text/javascript" }))
      .on("error", () => response.writeHead(404).end())
      .pipe(response);
  } else {
    response.writeHead(404).end("Not found");
  }
});

listener.listen(port, "127.0.0.1", () => {
  console.log(`Prebuilt is at http://127.0.0.1:${listener.address().port}/prebuilt/<room code>/`);
});
