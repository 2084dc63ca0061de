#!/usr/bin/env node
// A stage in JavaScript, without packages: gives each pair x-margin, how far its score is from the threshold, and drops pairs that are farther than LIMIT.
//
//     verify --all faces.xfv | node doubtful.mjs 0.1 | fggb-grad | report -o doubtful.html
//
// JavaScript has one kind of number: whoever decodes a record and encodes it again turns 1.0 into 1 and f32 into f64, which the stream's rules forbid. So
// values that are not ours are never encoded again: their bytes are copied. (Of the package @msgpack/msgpack use the decoder, for the same reason.)
import { once } from "node:events";

const limit = process.argv.length > 2 ? Number(process.argv[2]) : Infinity;
const fail = (why, status = 3) => { process.stderr.write(`doubtful: ${why}\n`); process.exit(status); };
if (Number.isNaN(limit)) fail("usage: doubtful.mjs [LIMIT]", 2);

// ---- MessagePack: where a value ends, what it is ----
class Half extends Error {} // the buffer ends within a value
const need = (b, at, n) => { if (at + n > b.length) throw new Half(); return at + n; };
const uint = (b, at, n) => { need(b, at, n); return n === 8 ? Number(b.readBigUInt64BE(at)) : b.readUIntBE(at, n); };

// head(b, at): {type, size, body}: the value's type, its length (of an array or map: of elements or keys), where its contents begin
function head(b, at) {
  need(b, at, 1);
  const t = b[at];
  if (t < 0x80 || t >= 0xe0) return { type: "int", size: 0, body: at + 1, value: t < 0x80 ? t : t - 256 };
  if (t < 0x90) return { type: "map", size: t & 15, body: at + 1 };
  if (t < 0xa0) return { type: "array", size: t & 15, body: at + 1 };
  if (t < 0xc0) return { type: "str", size: t & 31, body: at + 1 };
  const sized = (type, n, more = 0) => ({ type, size: uint(b, at + 1, n) + more, body: at + 1 + n });
  const plain = (type, size) => ({ type, size, body: at + 1 });
  switch (t) {
    case 0xc0: return { ...plain("nil", 0), value: null };
    case 0xc2: case 0xc3: return { ...plain("bool", 0), value: t === 0xc3 };
    case 0xc4: case 0xc5: case 0xc6: return sized("bin", 1 << (t - 0xc4));
    case 0xc7: case 0xc8: case 0xc9: return sized("ext", 1 << (t - 0xc7), 1);
    case 0xca: return plain("f32", 4);
    case 0xcb: return plain("f64", 8);
    case 0xcc: case 0xcd: case 0xce: case 0xcf: return plain("uint", 1 << (t - 0xcc));
    case 0xd0: case 0xd1: case 0xd2: case 0xd3: return plain("sint", 1 << (t - 0xd0));
    case 0xd4: case 0xd5: case 0xd6: case 0xd7: case 0xd8: return plain("ext", (1 << (t - 0xd4)) + 1);
    case 0xd9: case 0xda: case 0xdb: return sized("str", 1 << (t - 0xd9));
    case 0xdc: case 0xdd: return sized("array", t === 0xdc ? 2 : 4);
    case 0xde: case 0xdf: return sized("map", t === 0xde ? 2 : 4);
    default: return fail("this is no MessagePack");
  }
}
function skip(b, at, depth = 0) { // the end of the value that begins at `at`
  const h = head(b, at);
  if (h.type !== "map" && h.type !== "array") return need(b, h.body, h.size);
  if (depth > 16) fail("the record is nested too deep");
  let p = h.body;
  for (let i = 0; i < h.size * (h.type === "map" ? 2 : 1); i++) p = skip(b, p, depth + 1);
  return p;
}
function value(b, at) { // numbers, texts, booleans
  const h = head(b, at);
  if (h.type === "str") return b.toString("utf8", h.body, h.body + h.size);
  if (h.type === "f32") return b.readFloatBE(h.body);
  if (h.type === "f64") return b.readDoubleBE(h.body);
  if (h.type === "uint") return uint(b, h.body, h.size);
  if (h.type === "sint") return h.size === 8 ? Number(b.readBigInt64BE(h.body)) : b.readIntBE(h.body, h.size);
  return h.value;
}
function entries(b, at = 0) { // of a map: [key, the key's bytes, the value's bytes]
  const h = head(b, at);
  if (h.type !== "map") fail("a record that is no map: this is no xfv stream");
  const list = [];
  for (let i = 0, p = h.body; i < h.size; i++) {
    const v = skip(b, p), end = skip(b, v);
    list.push([value(b, p), b.subarray(p, v), b.subarray(v, end)]);
    p = end;
  }
  return list;
}
// ---- and back: only what is ours ----
const bytes = (...x) => Buffer.from(x);
const big = (short, mark, n) => (n < 16 ? bytes(short | n) : n < 65536 ? bytes(mark, n >> 8, n & 255) : fail("a map or list that is too long"));
const packText = (s) => { const t = Buffer.from(s); return Buffer.concat([t.length < 32 ? bytes(0xa0 | t.length) : bytes(0xd9, t.length), t]); };
const packUint = (n) => { // the shortest encoding
  if (n < 128) return bytes(n);
  if (n < 256) return bytes(0xcc, n);
  if (n < 65536) return bytes(0xcd, n >> 8, n & 255);
  const out = Buffer.alloc(5, 0xce);
  out.writeUInt32BE(n, 1);
  return out;
};
const packReal = (x) => { const out = Buffer.alloc(9, 0xcb); out.writeDoubleBE(x, 1); return out; };
const packMap = (list) => Buffer.concat([big(0x80, 0xde, list.length), ...list.flatMap(([, k, v]) => [k, v])]);
function set(list, key, packed) { // in place where it is there, at the end where not
  const old = list.find(([k]) => k === key);
  if (old) old[2] = packed;
  else list.push([key, packText(key), packed]);
}

const table = Array.from({ length: 256 }, (_, n) => { for (let i = 0; i < 8; i++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1; return n >>> 0; });
const crc32 = (crc, b) => { let c = ~crc >>> 0; for (const x of b) c = table[(c ^ x) & 255] ^ (c >>> 8); return ~c >>> 0; };

// ---- the stage ----
let open = false, read = 0, written = 0, got = 0, gave = 0, errors = 0;
async function put(b) {
  written = crc32(written, b);
  if (!process.stdout.write(b)) await once(process.stdout, "drain");
}
async function handle(b) {
  const list = entries(b), at = (key) => list.find(([k]) => k === key)?.[2], get = (key) => at(key) && value(at(key), 0);
  const kind = get("_");
  if ((kind === "head") === open) fail(open ? "a head before the end: the stream was cut" : "the stream does not begin with a head");
  if (kind === "head") {
    open = true;
    read = crc32(0, b); // each segment of a joined stream has a checksum and counts of its own
    written = got = gave = errors = 0;
    const old = at("provenance"), h = head(old, 0);
    const me = packMap([["tool", "doubtful"], ["version", "1.0.0"]].map(([k, v]) => [k, packText(k), packText(v)]).concat([["args", packText("args"),
      limit === Infinity ? bytes(0x90) : Buffer.concat([bytes(0x91), packText(String(limit))])]]));
    set(list, "provenance", Buffer.concat([big(0x90, 0xdc, h.size + 1), old.subarray(h.body), me]));
    return put(packMap(list));
  }
  if (kind === "end") {
    if (get("records") !== got || get("crc32") !== read) fail("the stream is damaged");
    open = false;
    for (const [key, n] of [["records", gave], ["errors", errors], ["crc32", written]]) set(list, key, packUint(n));
    return put(packMap(list));
  }
  read = crc32(read, b);
  got++;
  if (kind === "pair") {
    const margin = Math.abs(get("score") - get("threshold"));
    if (margin > limit) return;
    set(list, "x-margin", packReal(margin));
  }
  gave++;
  if (kind === "err") errors++;
  return put(kind === "pair" ? packMap(list) : b);
}

process.stdout.on("error", () => process.exit(4)); // the reader went away
let rest = Buffer.alloc(0);
for await (const chunk of process.stdin) {
  rest = rest.length ? Buffer.concat([rest, chunk]) : chunk;
  for (let at = 0, end; ; at = end) {
    try { end = skip(rest, at); } catch (e) {
      if (!(e instanceof Half)) throw e;
      rest = rest.subarray(at); // the record is not whole: read on
      break;
    }
    await handle(rest.subarray(at, end));
  }
}
if (open || rest.length || !read) fail("the stream was cut"); // its end is not written: every later stage fails, too
