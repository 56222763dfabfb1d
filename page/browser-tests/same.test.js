// The model in WebAssembly gives what the native one gave: REQUESTS is what `cargo run --package pidlab-page --example requests` printed.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { test } from "node:test";

test("the model in WebAssembly gives what the native one gave", { skip: !process.env.REQUESTS }, async () => {
  const { instance } = await WebAssembly.instantiate(readFileSync(process.env.WASM), {});
  const { memory, room, answer, answered } = instance.exports;
  const began = performance.now();
  let count = 0;
  let steps = 0;
  for await (const line of createInterface({ input: createReadStream(process.env.REQUESTS) })) {
    const { request, answer: expected } = JSON.parse(line);
    const bytes = new TextEncoder().encode(request);
    const place = room(bytes.length);
    new Uint8Array(memory.buffer, place, bytes.length).set(bytes);
    const length = answer();
    const given = new Uint8Array(memory.buffer, answered(), length);
    assert.equal(createHash("sha256").update(given).digest("hex"), expected, request);
    count += 1;
    steps += (request.match(/\bby = /g) || []).length;
  }
  assert.ok(count > 400);
  console.log(`${count} requests with ${steps} steps: the same, in ${Math.round(performance.now() - began)} ms`);
});
