// node driver.mjs SERVER ACCESS_KEY SECRET: a back end on the published server SDK. A call is a line of JSON,
// {path: "rooms.create", args: […]}; its answer a line of "= " and {result | error, sent}, with how many requests it took.
import { createInterface } from "node:readline";

import HMS from "@100mslive/server-sdk";

const [server, accessKey, secret] = process.argv.slice(2);
const hms = new HMS.SDK(accessKey, secret);
hms.api["axios"].defaults.baseURL = `${server}/v2`;

let sent = 0;
hms.api["axios"].interceptors.request.use((config) => {
  sent += 1;
  return config;
});

async function call(path, args) {
  const names = path.split(".");
  const method = names.pop();
  const wrapper = names.reduce((value, name) => value[name], hms);
  const made = wrapper[method](...args);
  if (made[Symbol.asyncIterator] === undefined) return await made;
  const all = [];
  for await (const one of made) all.push(one);
  return all;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { path, args } = JSON.parse(line);
  sent = 0;
  const answer = await call(path, args).then(
    (result) => ({ result }),
    // The SDK's own errors are plain objects, those of its wrappers are not.
    (error) => ({ error: error instanceof Error ? { message: error.message } : error }),
  );
  console.log(`= ${JSON.stringify({ ...answer, sent })}`);
}
