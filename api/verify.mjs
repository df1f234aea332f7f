// A second verifier of bundles 证据包的第二个验证程序: one file, no dependency, Node 20.12+ or a browser.
//
//   node api/verify.mjs BUNDLE --policy FILE [--known-checkpoint FILE] [--json]
//   import { verifyBundle } from "./verify.mjs"
//
// Written from docs/ledger-format.md and the C2SP and RFC texts that it names, and not from the
// Python verifier, so that their agreement means something. In this order it checks:
//
//   1. The checkpoint: a signed note, by a log of the policy, cosigned by the policy's quorum.
//   2. The members of the zip: each once, all that a log of that size has, and no other.
//   3. Every entry: canonical JSON, form, index, the log's chain and every subject's chain, time,
//      the statement once, linked groups whole, `expects`, the actor's signature.
//   4. That the key was valid for its actor at that index, by the events of parties and keys.
//   5. The Merkle root, the hash tiles, and a checkpoint known from elsewhere as a prefix.
//   6. That the log calls itself by the checkpoint's name and announced the key that signs for it.
//   7. All content: it has the hash that names it, and a statement that refers to it.
//   8. Openings of sealed fields: of a commitment that an entry makes.
//   9. Anchor receipts: they are of this log, and their roots are its own.
//
// What it does NOT check is in `NOT_CHECKED`, and every verdict repeats it. Exit status of the
// command: 0 sound, 1 unsound, 2 unusable.

export const NOT_CHECKED = [
  {
    zh: "业务规则未重放：除主体与密钥外，不检查事件类型、载荷模式、角色和各环节的条件",
    en:
      "business rules are not replayed: apart from parties and keys, no event's type, schema," +
      " role or condition is checked",
  },
  {
    zh: "条目应涉及哪些主体与对象由规则决定，此处只检查所列各链是否相连",
    en: "which subjects an entry must have follows from the rules; here the chains of those listed",
  },
  {
    zh: "锚定凭证只与账本比对，锚定密钥的签名与区块证据不验",
    en: "anchors are compared with the log only: neither the anchor key nor a block is checked",
  },
  {
    zh: "账户合计、评估数字、公布的指标和所提交的映射不复算",
    en: "accounts, figures of valuations, published indicators and maps are not computed again",
  },
];

// ---------------------------------------------------------------------------------- verdicts

/** What makes a bundle unsound; `index` is the entry at fault, where one is. */
export class Unsound extends Error {
  constructor(code, zh, en, index = null) {
    super(`${code}: ${en}`);
    Object.assign(this, { code, zh, en, index });
  }
}

/** Nothing can be judged: no policy, no zip, a form that this verifier does not know. */
export class Unusable extends Error {
  constructor(zh, en) {
    super(en);
    Object.assign(this, { code: "unusable", zh, en });
  }
}

// ------------------------------------------------------------------------------------- bytes

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export const utf8 = (text) => ENCODER.encode(text);
const fromUtf8 = (bytes) => DECODER.decode(bytes); // throws where it is not UTF-8

export function hex(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 1) text += HEX[bytes[at]];
  return text;
}

export const fromHex = (text) =>
  Uint8Array.from(text.match(/../g) ?? [], (two) => parseInt(two, 16));

export function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

const equal = (left, right) =>
  left.length === right.length && left.every((one, at) => one === right[at]);
const binary = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
const fromBinary = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));
export const base64 = (bytes) => btoa(binary(bytes));

/** Return the bytes of canonical standard base64, or null: padding kept, no stray bit, no space. */
export function fromBase64(text) {
  try {
    const decoded = atob(text);
    return btoa(decoded) === text ? fromBinary(decoded) : null;
  } catch {
    return null;
  }
}

const bigEndian = (bytes) => BigInt(`0x${hex(bytes) || "0"}`);
const littleEndian = (bytes) => bigEndian(Uint8Array.from(bytes).reverse());
const toBigEndian = (number, size) => fromHex(number.toString(16).padStart(2 * size, "0"));
const u64 = (number) => toBigEndian(BigInt(number), 8);

// ------------------------------------------------------------------------------------ hashes
// Ours is synchronous: to hash an entry takes less time than to wait for a promise of its hash.

const PRIMES = [];
for (let one = 2; PRIMES.length < 80; one += 1) {
  if (PRIMES.every((prime) => one % prime)) PRIMES.push(one);
}

/** Return the first 64 bits of the fraction of a prime's `degree`-th root (FIPS 180-4, 4.2). */
function rootFraction(prime, degree) {
  const target = BigInt(prime) << (64n * degree);
  let root = 0n;
  for (let bit = 1n << 68n; bit; bit >>= 1n) {
    if ((root | bit) ** degree <= target) root |= bit;
  }
  return root & 0xffffffffffffffffn;
}

const K512 = PRIMES.map((prime) => rootFraction(prime, 3n));
const H512 = PRIMES.slice(0, 8).map((prime) => rootFraction(prime, 2n));
const K256 = Int32Array.from(K512.slice(0, 64), (word) => Number(word >> 32n));
const H256 = Int32Array.from(H512, (word) => Number(word >> 32n));
const W256 = new Int32Array(64);

/** Return the joined parts with the padding of Merkle–Damgård hashes, in whole blocks. */
function padded(parts, blockSize, lengthSize) {
  const size = parts.reduce((total, part) => total + part.length, 0);
  const whole = Math.ceil((size + 1 + lengthSize) / blockSize) * blockSize;
  const block = new Uint8Array(whole);
  let at = 0;
  for (const part of parts) {
    block.set(part, at);
    at += part.length;
  }
  block[at] = 0x80;
  const view = new DataView(block.buffer);
  view.setUint32(whole - 8, size / 2 ** 29);
  view.setUint32(whole - 4, (size << 3) >>> 0);
  return block;
}

/** SHA-256 (FIPS 180-4) of the joined parts. */
export function sha256(...parts) {
  const data = padded(parts, 64, 8);
  const view = new DataView(data.buffer);
  const state = H256.slice();
  for (let at = 0; at < data.length; at += 64) {
    for (let i = 0; i < 16; i += 1) W256[i] = view.getInt32(at + 4 * i);
    for (let i = 16; i < 64; i += 1) {
      const x = W256[i - 15];
      const y = W256[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      W256[i] = (W256[i - 16] + s0 + W256[i - 7] + s1) | 0;
    }
    let a = state[0],
      b = state[1],
      c = state[2],
      d = state[3];
    let e = state[4],
      f = state[5],
      g = state[6],
      h = state[7];
    for (let i = 0; i < 64; i += 1) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K256[i] + W256[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
    state[5] += f;
    state[6] += g;
    state[7] += h;
  }
  return fromWords(state);
}

function fromWords(words) {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < words.length; at += 1) view.setInt32(4 * at, words[at]);
  return bytes;
}

/** SHA-512 (FIPS 180-4) of the joined parts; slow, for where WebCrypto has no Ed25519. */
export function sha512(...parts) {
  const data = padded(parts, 128, 16);
  const mask = 0xffffffffffffffffn;
  const rotate = (word, by) => ((word >> by) | (word << (64n - by))) & mask;
  const state = H512.slice();
  for (let at = 0; at < data.length; at += 128) {
    const w = [];
    for (let i = 0; i < 16; i += 1) w.push(bigEndian(data.subarray(at + 8 * i, at + 8 * i + 8)));
    for (let i = 16; i < 80; i += 1) {
      const s0 = rotate(w[i - 15], 1n) ^ rotate(w[i - 15], 8n) ^ (w[i - 15] >> 7n);
      const s1 = rotate(w[i - 2], 19n) ^ rotate(w[i - 2], 61n) ^ (w[i - 2] >> 6n);
      w.push((w[i - 16] + s0 + w[i - 7] + s1) & mask);
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 80; i += 1) {
      const s1 = rotate(e, 14n) ^ rotate(e, 18n) ^ rotate(e, 41n);
      const t1 = h + s1 + ((e & f) ^ (~e & mask & g)) + K512[i] + w[i];
      const s0 = rotate(a, 28n) ^ rotate(a, 34n) ^ rotate(a, 39n);
      const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      [a, b, c, d, e, f, g, h] = [(t1 + t2) & mask, a, b, c, (d + t1) & mask, e, f, g];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => (state[i] = (state[i] + word) & mask));
  }
  return concat(...state.map((word) => toBigEndian(word, 8)));
}

/** SM3 (GM/T 0004-2012) of the joined parts. */
export function sm3(...parts) {
  const data = padded(parts, 64, 8);
  const view = new DataView(data.buffer);
  const rotate = (word, by) => (word << (by % 32)) | (word >>> (-by % 32));
  const p0 = (x) => x ^ rotate(x, 9) ^ rotate(x, 17);
  const p1 = (x) => x ^ rotate(x, 15) ^ rotate(x, 23);
  const state = Int32Array.of(
    0x7380166f,
    0x4914b2b9,
    0x172442d7,
    0xda8a0600,
    0xa96f30bc,
    0x163138aa,
    0xe38dee4d,
    0xb0fb0e4e,
  );
  const w = new Int32Array(68);
  for (let at = 0; at < data.length; at += 64) {
    for (let i = 0; i < 16; i += 1) w[i] = view.getInt32(at + 4 * i);
    for (let i = 16; i < 68; i += 1) {
      w[i] = p1(w[i - 16] ^ w[i - 9] ^ rotate(w[i - 3], 15)) ^ rotate(w[i - 13], 7) ^ w[i - 6];
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i += 1) {
      const t = i < 16 ? 0x79cc4519 : 0x7a879d8a;
      const ss1 = rotate((rotate(a, 12) + e + rotate(t, i)) | 0, 7);
      const ff = i < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
      const gg = i < 16 ? e ^ f ^ g : (e & f) | (~e & g);
      const tt1 = (ff + d + (ss1 ^ rotate(a, 12)) + (w[i] ^ w[i + 4])) | 0;
      const tt2 = (gg + h + ss1 + w[i]) | 0;
      [a, b, c, d, e, f, g, h] = [tt1, a, rotate(b, 9), c, p0(tt2), e, rotate(f, 19), g];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => (state[i] ^= word));
  }
  return fromWords(state);
}

/** The permutation Keccak-f[1600] (FIPS 202, 3.3) on 25 lanes of 64 bits, lane x + 5y. */
function keccak(lanes) {
  const mask = 0xffffffffffffffffn;
  const rotate = (word, by) => (by ? ((word << by) | (word >> (64n - by))) & mask : word);
  let lfsr = 1;
  for (let round = 0; round < 24; round += 1) {
    const columns = [0, 1, 2, 3, 4].map(
      (x) => lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20],
    );
    for (let x = 0; x < 5; x += 1) {
      const by = columns[(x + 4) % 5] ^ rotate(columns[(x + 1) % 5], 1n);
      for (let y = 0; y < 25; y += 5) lanes[x + y] ^= by;
    }
    let [x, y, current] = [1, 0, lanes[1]];
    for (let step = 0; step < 24; step += 1) {
      [x, y] = [y, (2 * x + 3 * y) % 5];
      const by = BigInt((((step + 1) * (step + 2)) / 2) % 64);
      [current, lanes[x + 5 * y]] = [lanes[x + 5 * y], rotate(current, by)];
    }
    for (let row = 0; row < 25; row += 5) {
      const old = lanes.slice(row, row + 5);
      for (let i = 0; i < 5; i += 1) {
        lanes[row + i] = old[i] ^ (~old[(i + 1) % 5] & mask & old[(i + 2) % 5]);
      }
    }
    for (let bit = 0; bit < 7; bit += 1) {
      if (lfsr & 1) lanes[0] ^= 1n << BigInt(2 ** bit - 1);
      lfsr = (lfsr << 1) ^ (lfsr & 0x80 ? 0x171 : 0);
    }
  }
}

/** A sponge over Keccak-f: absorb `data`, pad from `suffix`, then yield block after block. */
function* sponge(rate, suffix, data) {
  const padded = new Uint8Array(Math.ceil((data.length + 1) / rate) * rate);
  padded.set(data);
  padded[data.length] ^= suffix;
  padded[padded.length - 1] ^= 0x80;
  const lanes = new Array(25).fill(0n);
  for (let at = 0; at < padded.length; at += rate) {
    for (let i = 0; i < rate / 8; i += 1) {
      lanes[i] ^= littleEndian(padded.subarray(at + 8 * i, at + 8 * i + 8));
    }
    keccak(lanes);
  }
  for (;;) {
    yield concat(...lanes.slice(0, rate / 8).map((lane) => toBigEndian(lane, 8).reverse()));
    keccak(lanes);
  }
}

/** Keccak-256 with the padding of before FIPS 202, as EVM chains use it. */
export const keccak256 = (...parts) =>
  sponge(136, 0x01, concat(...parts))
    .next()
    .value.subarray(0, 32);

const shake128 = (...parts) => sponge(168, 0x1f, concat(...parts));
const shake256 = (...parts) => sponge(136, 0x1f, concat(...parts));

// ---------------------------------------------------------------------------- canonical JSON

const DEPTH_MAX = 64;
const STRING = /"[^"\\\0-\x1f]*(?:\\(?:["\\bfnrt]|u00(?:0[1-7be-f]|1[0-9a-f]))[^"\\\0-\x1f]*)*"/y;
const NUMBER = /0|-?[1-9][0-9]{0,15}(?![0-9])/y;
const WORD = /true|false|null/y;
const ASCII = /^[\0-\x7f]*$/;

/**
 * Return what canonical JSON says, and where each member of the outermost object stands.
 *
 * RFC 8785 over I-JSON without floats: one spelling only. Escapes are the shortest; a lone
 * surrogate has no UTF-8 and, escaped, is no shortest form; keys ascend, so none comes twice.
 */
export function parseCanonical(bytes) {
  let text;
  try {
    text = fromUtf8(bytes);
  } catch {
    throw notCanonical("not UTF-8");
  }
  const spans = new Map();
  let at = 0;

  function take(token) {
    token.lastIndex = at;
    const found = token.exec(text);
    if (found === null) throw notCanonical(`unexpected at ${at}`);
    at = token.lastIndex;
    return found[0];
  }

  function expect(character) {
    if (text[at] !== character) throw notCanonical(`'${character}' expected at ${at}`);
    at += 1;
  }

  function value(depth) {
    const first = text[at];
    if (first === "{" || first === "[") {
      if (depth > DEPTH_MAX) throw notCanonical(`nested deeper than ${DEPTH_MAX}`);
      at += 1;
      if (first === "{") members(depth);
      else items(depth);
    } else if (first === '"') take(STRING);
    else if (first === "-" || (first >= "0" && first <= "9")) number();
    else take(WORD);
  }

  function members(depth) {
    let previous = null;
    while (text[at] !== "}") {
      if (previous !== null) expect(",");
      const quoted = take(STRING);
      const key = quoted.includes("\\") ? JSON.parse(quoted) : quoted.slice(1, -1);
      if (!ASCII.test(key)) throw notCanonical("a key is not ASCII");
      if (previous !== null && key <= previous) throw notCanonical(`key ${key} is out of order`);
      expect(":");
      const start = at;
      value(depth + 1);
      if (depth === 1) spans.set(key, [start, at]);
      previous = key;
      if (text[at] !== "," && text[at] !== "}") throw notCanonical(`unexpected at ${at}`);
    }
    at += 1;
  }

  function items(depth) {
    for (let first = true; text[at] !== "]"; first = false) {
      if (!first) expect(",");
      value(depth + 1);
      if (text[at] !== "]" && text[at] !== ",") throw notCanonical(`unexpected at ${at}`);
    }
    at += 1;
  }

  function number() {
    if (!Number.isSafeInteger(Number(take(NUMBER)))) throw notCanonical("an integer too large");
  }

  value(1);
  if (at !== text.length) throw notCanonical(`more after the end, at ${at}`);
  // Parsed by the platform: it makes own properties even of keys such as __proto__.
  return { value: JSON.parse(text), text, spans };
}

const notCanonical = (why) =>
  new Unsound("json.not_canonical", `JSON 不是规范形式：${why}`, `not in canonical form: ${why}`);

// ---------------------------------------------------------------------- Ed25519, the strict one

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const mod = (number, modulus) => ((number % modulus) + modulus) % modulus;

export function power(base, exponent, modulus) {
  let [result, square] = [1n, mod(base, modulus)];
  for (let left = exponent; left; left >>= 1n) {
    if (left & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

const inverse = (number, modulus) => power(number, modulus - 2n, modulus);
const D = mod(-121665n * inverse(121666n, P), P);
const ROOT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n, P);

/** Points are (X : Y : Z : T) with x = X/Z, y = Y/Z, xy = T/Z (RFC 8032, 5.1.4). */
const NEUTRAL = [0n, 1n, 1n, 0n];

function addPoints([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = ((y1 - x1) * (y2 - x2)) % P;
  const b = ((y1 + x1) * (y2 + x2)) % P;
  const c = (2n * t1 * D * t2) % P;
  const d = (2n * z1 * z2) % P;
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [(e * f) % P, (g * h) % P, (f * g) % P, (e * h) % P];
}

/** Return u·left + v·right, by joint doubling. */
function combine(u, left, v, right, add, neutral) {
  const both = add(left, right);
  let sum = neutral;
  for (
    let bit = BigInt(Math.max(u.toString(2).length, v.toString(2).length)) - 1n;
    bit >= 0n;
    bit -= 1n
  ) {
    sum = add(sum, sum);
    const [one, other] = [(u >> bit) & 1n, (v >> bit) & 1n];
    if (one || other) sum = add(sum, one && other ? both : one ? left : right);
  }
  return sum;
}

/** Return the point of a canonical encoding, or null (RFC 8032, 5.1.3). */
export function decodePoint(bytes) {
  if (bytes.length !== 32) return null;
  const encoded = littleEndian(bytes);
  const [sign, y] = [encoded >> 255n, encoded & ((1n << 255n) - 1n)];
  if (y >= P) return null;
  const [u, v] = [mod(y * y - 1n, P), mod(D * y * y + 1n, P)];
  let x = (u * power(v, 3n, P) * power(u * power(v, 7n, P), (P - 5n) / 8n, P)) % P;
  if ((v * x * x) % P !== u) x = (x * ROOT_OF_MINUS_ONE) % P;
  if ((v * x * x) % P !== u || (x === 0n && sign)) return null;
  if ((x & 1n) !== sign) x = P - x;
  return [x, y, 1n, (x * y) % P];
}

function encodePoint([x, y, z]) {
  const inverted = inverse(mod(z, P), P);
  const [affineX, affineY] = [mod(x * inverted, P), mod(y * inverted, P)];
  return toBigEndian(affineY | ((affineX & 1n) << 255n), 32).reverse();
}

const BASE = decodePoint(toBigEndian(mod(4n * inverse(5n, P), P), 32).reverse());

// y of the points whose order divides 8. A point of small order is a key that signs anything.
const SMALL_ORDER_Y = (() => {
  for (let y = 2n; ; y += 1n) {
    const point = decodePoint(toBigEndian(y, 32).reverse());
    if (point === null) continue;
    const generator = combine(L, point, 0n, NEUTRAL, addPoints, NEUTRAL);
    const multiples = [NEUTRAL];
    while (multiples.length < 8) multiples.push(addPoints(multiples.at(-1), generator));
    const found = new Set(
      multiples.map((one) => littleEndian(encodePoint(one)) & ((1n << 255n) - 1n)),
    );
    if (found.size === 5) return found;
  }
})();

/** Tell whether 32 bytes are spelt canonically and not of small order; not yet, whether a point. */
function isFitEncoding(bytes) {
  const y = littleEndian(bytes) & ((1n << 255n) - 1n);
  return bytes.length === 32 && y < P && !SMALL_ORDER_Y.has(y);
}

const pointsOfKeys = new Map();

/** Tell whether `key` is a public key: a point in its canonical encoding, not of small order. */
export function isEd25519Key(key) {
  const name = hex(key);
  if (!pointsOfKeys.has(name)) pointsOfKeys.set(name, isFitEncoding(key) && decodePoint(key));
  return Boolean(pointsOfKeys.get(name));
}

/** Tell whether S·B = R + k·A, without cofactor, all in plain arithmetic. */
export function verifyEd25519InArithmetic(key, message, signature) {
  const [x, y, z, t] = pointsOfKeys.get(hex(key)) || decodePoint(key);
  const [r, s] = [signature.subarray(0, 32), littleEndian(signature.subarray(32))];
  const k = littleEndian(sha512(r, key, message)) % L;
  const found = combine(s, BASE, k, [P - x, y, z, P - t], addPoints, NEUTRAL);
  return equal(encodePoint(found), r);
}

/** The strict predicate: S < L; A and R canonical, points, not of small order; no cofactor. */
export async function verifyEd25519(key, message, signature) {
  if (signature.length !== 64 || !isEd25519Key(key)) return false;
  if (!isFitEncoding(signature.subarray(0, 32))) return false;
  if (littleEndian(signature.subarray(32)) >= L) return false;
  return (await backend())(key, message, signature);
}

/** The platform's Ed25519 where it answers as the predicate does on cases that others let pass. */
let chosen = null;
const backend = () => (chosen ??= choose());

async function choose() {
  if (!globalThis.crypto?.subtle) return verifyEd25519InArithmetic;
  try {
    for (const [valid, key, signature] of TRIALS) {
      const found = await verifyOnPlatform(fromHex(key), utf8("trial"), fromHex(signature));
      if (found !== valid) return verifyEd25519InArithmetic;
    }
    return verifyOnPlatform;
  } catch {
    return verifyEd25519InArithmetic; // it has no Ed25519
  }
}

const importedKeys = new Map();

async function verifyOnPlatform(key, message, signature) {
  const name = hex(key);
  if (!importedKeys.has(name)) {
    if (importedKeys.size > 10_000) importedKeys.clear();
    importedKeys.set(
      name,
      crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]),
    );
  }
  return crypto.subtle.verify(
    { name: "Ed25519" },
    await importedKeys.get(name),
    signature,
    message,
  );
}

// Over "trial": a plain signature; the same with a bit changed; one whose R has a part of small
// order, which only an equation with cofactor accepts; and one by a key with such a part, which
// holds without cofactor.
const TRIALS = [
  [
    true,
    "ce0835d5eef35d3d7194904428ab19ee30b76afce559883b3b3542994e42af45",
    "7ab6b9c61da451954fbf4cf51b231678fb5e4b7cd74f80a464f07f29cff3142d" +
      "aa10d97f00a6296368cd7d7e890fc7892acc07fcc2251d35a375142cc5da8100",
  ],
  [
    false,
    "ce0835d5eef35d3d7194904428ab19ee30b76afce559883b3b3542994e42af45",
    "7ab6b9c61da451954fbf4cf51b231678fb5e4b7cd74f80a464f07f29cff3142d" +
      "aa11d97f00a6296368cd7d7e890fc7892acc07fcc2251d35a375142cc5da8100",
  ],
  [
    false,
    "ce0835d5eef35d3d7194904428ab19ee30b76afce559883b3b3542994e42af45",
    "076fe1bbc49ed949c1c79f65817b4a86801afc326401be5a09e1c21e4cf7742c" +
      "d36384d7698f91d8ace5fa96b65e8766b949af0171ed573d6550dcde469bac06",
  ],
  [
    true,
    "11cafa6189fadaeb44521804c87f0e5cbc49236185e67e41742c3dbcfc553d92",
    "2f1132ca61ab38dff00f2fea3228f24c6c71d58085b80e47e19515cb27e8d047" +
      "4cdab72106f7051f4ed5a08feb9f783d3d07aab6b14a3d389f758485c569f406",
  ],
];

// --------------------------------------------------------------- secp256k1 and SM2, in arithmetic

/** y² = x³ + ax + b over p, with generator g of prime order n; p ≡ 3 mod 4. */
const SECP256K1 = {
  p: 2n ** 256n - 2n ** 32n - 977n,
  a: 0n,
  b: 7n,
  n: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  g: [
    0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798n,
    0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8n,
  ],
};
const SM2 = {
  p: 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn,
  a: 0xfffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffcn,
  b: 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n,
  n: 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n,
  g: [
    0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n,
    0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n,
  ],
};

/** Return the point of a compressed encoding (SEC 1, 2.3.4), or null. */
function decompress({ p, a, b }, bytes) {
  if (bytes.length !== 33 || (bytes[0] !== 2 && bytes[0] !== 3)) return null;
  const x = bigEndian(bytes.subarray(1));
  if (x >= p) return null;
  const square = (x * x * x + a * x + b) % p;
  const y = power(square, (p + 1n) / 4n, p);
  if ((y * y) % p !== square) return null;
  return [x, (y & 1n) === BigInt(bytes[0] & 1) ? y : (p - y) % p];
}

/** Return the addition of points (X : Y : Z), x = X/Z², y = Y/Z³; Z = 0 at infinity. */
function jacobian({ p, a }) {
  function twice([x, y, z]) {
    const yy = (y * y) % p;
    const s = (4n * x * yy) % p;
    const m = (3n * x * x + a * z ** 4n) % p;
    const x3 = mod(m * m - 2n * s, p);
    return [x3, mod(m * (s - x3) - 8n * yy * yy, p), (2n * y * z) % p];
  }

  return function add(left, right) {
    const [[x1, y1, z1], [x2, y2, z2]] = [left, right];
    if (z1 === 0n) return right;
    if (z2 === 0n) return left;
    const [zz1, zz2] = [(z1 * z1) % p, (z2 * z2) % p];
    const [u1, u2] = [(x1 * zz2) % p, (x2 * zz1) % p];
    const [s1, s2] = [(y1 * zz2 * z2) % p, (y2 * zz1 * z1) % p];
    if (u1 === u2) return s1 === s2 ? twice(left) : [1n, 1n, 0n];
    const [h, r] = [mod(u2 - u1, p), mod(s2 - s1, p)];
    const hh = (h * h) % p;
    const v = (u1 * hh) % p;
    const x3 = mod(r * r - h * hh - 2n * v, p);
    return [x3, mod(r * (v - x3) - s1 * h * hh, p), (h * z1 * z2) % p];
  };
}

/** Return the affine x of u·G + v·Q, or null at infinity. */
function xOfSum(curve, u, v, [x, y]) {
  const add = jacobian(curve);
  const sum = combine(u, [...curve.g, 1n], v, [x, y, 1n], add, [1n, 1n, 0n]);
  if (sum[2] === 0n) return null;
  const inverted = inverse(sum[2], curve.p);
  return (sum[0] * inverted * inverted) % curve.p;
}

/** r and s of a signature, or null where one of them is out of [1, most]. */
function scalars(signature, rMost, sMost) {
  if (signature.length !== 64) return null;
  const [r, s] = [bigEndian(signature.subarray(0, 32)), bigEndian(signature.subarray(32))];
  return r >= 1n && r <= rMost && s >= 1n && s <= sMost ? [r, s] : null;
}

/** ECDSA over EIP-191's digest, low s only. */
export function verifySecp256k1(key, message, signature) {
  const { n } = SECP256K1;
  const [point, pair] = [decompress(SECP256K1, key), scalars(signature, n - 1n, (n - 1n) / 2n)];
  if (point === null || pair === null) return false;
  const prefix = utf8(`\x19Ethereum Signed Message:\n${message.length}`);
  const [z, w] = [bigEndian(keccak256(prefix, message)), inverse(pair[1], n)];
  const x = xOfSum(SECP256K1, (z * w) % n, (pair[0] * w) % n, point);
  return x !== null && x % n === pair[0];
}

/** SM2 with SM3 (GM/T 0003.2-2012), the signer's id being the default one. */
export function verifySm2(key, message, signature) {
  const { a, b, g, n } = SM2;
  const [point, pair] = [decompress(SM2, key), scalars(signature, n - 1n, n - 1n)];
  if (point === null || pair === null) return false;
  const curve = [a, b, ...g, ...point].map((number) => toBigEndian(number, 32));
  const z = sm3(Uint8Array.of(0, 0x80), utf8("1234567812345678"), ...curve);
  const [e, t] = [bigEndian(sm3(z, message)), (pair[0] + pair[1]) % n];
  const x = t === 0n ? null : xOfSum(SM2, pair[1], t, point);
  return x !== null && (e + x) % n === pair[0];
}

// ------------------------------------------------------------------------ ML-DSA-44 of FIPS 204
// Only verification, of what logs and witnesses may sign with beside Ed25519. Names as in FIPS 204.

const Q = 8380417;
const [TAU, GAMMA1, GAMMA2, BETA, OMEGA, ROWS] = [39, 2 ** 17, (Q - 1) / 88, 78, 80, 4];
const ML_DSA_44_KEY_SIZE = 32 + ROWS * 320;
const ML_DSA_44_SIGNATURE_SIZE = 32 + ROWS * 576 + OMEGA + ROWS;

const modQ = (number) => ((number % Q) + Q) % Q;
const rows = (make) => Array.from({ length: ROWS }, (_, row) => make(row));
const ZETAS = Array.from({ length: 256 }, (_, at) => {
  const reversed = parseInt(at.toString(2).padStart(8, "0").split("").reverse().join(""), 2);
  return Number(power(1753n, BigInt(reversed), BigInt(Q)));
});

/** The number-theoretic transform of 256 coefficients (algorithm 41). */
function ntt(polynomial) {
  const w = polynomial.map(modQ);
  let k = 0;
  for (let half = 128; half >= 1; half /= 2) {
    for (let start = 0; start < 256; start += 2 * half) {
      k += 1;
      for (let j = start; j < start + half; j += 1) {
        const t = (ZETAS[k] * w[j + half]) % Q;
        [w[j], w[j + half]] = [(w[j] + t) % Q, (w[j] - t + Q) % Q];
      }
    }
  }
  return w;
}

/** Its inverse (algorithm 42). */
function inverseNtt(transformed) {
  const w = [...transformed];
  let k = 256;
  for (let half = 1; half < 256; half *= 2) {
    for (let start = 0; start < 256; start += 2 * half) {
      k -= 1;
      for (let j = start; j < start + half; j += 1) {
        const [a, b] = [w[j], w[j + half]];
        [w[j], w[j + half]] = [(a + b) % Q, (ZETAS[k] * (b - a + Q)) % Q];
      }
    }
  }
  return w.map((one) => (one * 8347681) % Q); // 256⁻¹
}

/** Return the numbers of `width` bits that bytes are, the least bits first. */
function unpackBits(bytes, width) {
  const numbers = [];
  let [held, count] = [0, 0];
  for (const byte of bytes) {
    held += byte * 2 ** count;
    count += 8;
    for (; count >= width; count -= width) {
      numbers.push(held % 2 ** width);
      held = Math.floor(held / 2 ** width);
    }
  }
  return numbers;
}

/** Return the bytes of numbers of 6 bits each. */
function packSixBits(numbers) {
  const bytes = [];
  for (let at = 0; at < numbers.length; at += 4) {
    const four =
      numbers[at] | (numbers[at + 1] << 6) | (numbers[at + 2] << 12) | (numbers[at + 3] << 18);
    bytes.push(four & 0xff, (four >> 8) & 0xff, four >> 16);
  }
  return Uint8Array.from(bytes);
}

/** Sample a polynomial below q from a seed (algorithm 30). */
function rejectionSampled(...seed) {
  const found = [];
  for (const block of shake128(...seed)) {
    for (let at = 0; at < block.length; at += 3) {
      const number = block[at] + 256 * block[at + 1] + 65_536 * (block[at + 2] & 0x7f);
      if (number < Q) found.push(number);
      if (found.length === 256) return found;
    }
  }
}

/** Sample the challenge, tau coefficients of ±1 (algorithm 29). */
function sampleInBall(seed) {
  const polynomial = new Array(256).fill(0);
  const bytes = (function* () {
    for (const block of shake256(seed)) yield* block;
  })();
  const next = () => bytes.next().value;
  const signs = littleEndian(Uint8Array.from({ length: 8 }, next));
  for (let i = 256 - TAU; i < 256; i += 1) {
    let j = next();
    while (j > i) j = next();
    polynomial[i] = polynomial[j];
    polynomial[j] = (signs >> BigInt(i + TAU - 256)) & 1n ? -1 : 1;
  }
  return polynomial;
}

/** Return the hints, a set of places in each row, or null where they are not spelt canonically. */
function unpackHints(bytes) {
  const hints = rows(() => new Set());
  let at = 0;
  for (let row = 0; row < ROWS; row += 1) {
    const end = bytes[OMEGA + row];
    if (end < at || end > OMEGA) return null;
    for (const first = at; at < end; at += 1) {
      if (at > first && bytes[at - 1] >= bytes[at]) return null;
      hints[row].add(bytes[at]);
    }
  }
  return bytes.subarray(at, OMEGA).every((byte) => byte === 0) ? hints : null;
}

/** Return the high part of a coefficient, corrected by its hint (algorithms 36 and 40). */
function useHint(number, hinted) {
  let low = number % (2 * GAMMA2);
  if (low > GAMMA2) low -= 2 * GAMMA2;
  let high = (number - low) / (2 * GAMMA2);
  if (number - low === Q - 1) [high, low] = [0, low - 1];
  if (!hinted) return high;
  return (high + (low > 0 ? 1 : 43)) % 44;
}

/** FIPS 204, algorithms 3 and 8, with an empty context. */
export function verifyMlDsa44(key, message, signature) {
  if (key.length !== ML_DSA_44_KEY_SIZE || signature.length !== ML_DSA_44_SIGNATURE_SIZE)
    return false;
  const [rho, challenge] = [key.subarray(0, 32), signature.subarray(0, 32)];
  const t1 = rows((row) => unpackBits(key.subarray(32 + 320 * row, 352 + 320 * row), 10));
  const z = rows((row) =>
    unpackBits(signature.subarray(32 + 576 * row, 608 + 576 * row), 18).map((one) => GAMMA1 - one),
  );
  const hints = unpackHints(signature.subarray(32 + ROWS * 576));
  if (hints === null || z.flat().some((one) => Math.abs(one) >= GAMMA1 - BETA)) return false;
  const hash64 = (...parts) =>
    shake256(...parts)
      .next()
      .value.subarray(0, 64);
  const mu = hash64(hash64(key), Uint8Array.of(0, 0), message);
  const [c, zs] = [ntt(sampleInBall(challenge)), z.map(ntt)];
  const high = rows((row) => {
    const scaled = ntt(t1[row].map((one) => one * 2 ** 13));
    const sum = c.map((one, at) => Q - ((one * scaled[at]) % Q));
    for (let column = 0; column < ROWS; column += 1) {
      const a = rejectionSampled(rho, Uint8Array.of(column, row));
      a.forEach((one, at) => (sum[at] = (sum[at] + one * zs[column][at]) % Q));
    }
    return packSixBits(inverseNtt(sum).map((one, at) => useHint(one, hints[row].has(at))));
  });
  const found = shake256(mu, ...high)
    .next()
    .value.subarray(0, 32);
  return equal(found, challenge);
}

// -------------------------------------------------------------------------- keys of parties

const BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const SUITES = {
  ed25519: { prefix: "ed01", isKey: isEd25519Key, verify: verifyEd25519 },
  secp256k1: {
    prefix: "e701",
    isKey: (key) => decompress(SECP256K1, key) !== null,
    verify: verifySecp256k1,
  },
  sm2: { prefix: "8624", isKey: (key) => decompress(SM2, key) !== null, verify: verifySm2 },
};

function fromBase58(text) {
  let number = 0n;
  for (const character of text) {
    const digit = BASE58.indexOf(character);
    if (digit < 0) return null;
    number = number * 58n + BigInt(digit);
  }
  const digits = number ? number.toString(16) : "";
  const zeros = text.length - text.replace(/^1+/, "").length;
  return concat(new Uint8Array(zeros), fromHex(digits.length % 2 ? `0${digits}` : digits));
}

const keysById = new Map();

/** Return the suite and the bytes of a key id; base58btc as in did:key has one spelling. */
export function parseKey(id) {
  if (!keysById.has(id)) keysById.set(id, readKey(id));
  const key = keysById.get(id);
  if (key) return key;
  throw new Unsound(
    "signature.bad_key",
    `密钥标识无法使用：${id}`,
    `the key id ${id} cannot be used`,
  );
}

function readKey(id) {
  const coded = id.length <= 64 && id[0] === "z" ? fromBase58(id.slice(1)) : null;
  if (coded === null) return null;
  for (const [name, suite] of Object.entries(SUITES)) {
    const raw = coded.subarray(2);
    if (hex(coded.subarray(0, 2)) === suite.prefix)
      return suite.isKey(raw) ? { name, suite, raw } : null;
  }
  return null;
}

// ------------------------------------------------------------------- Merkle tree of RFC 9162

export const leafHash = (entry) => sha256(Uint8Array.of(0), entry);
const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);
const EMPTY_ROOT = sha256();

/** Return the root that an inclusion path leads to (RFC 9162, 2.1.3.2), or null. */
export function rootFromInclusion(leaf, index, size, path) {
  if (!(index >= 0 && index < size) || [leaf, ...path].some((one) => one.length !== 32))
    return null;
  let [position, last, node] = [index, size - 1, leaf];
  for (const sibling of path) {
    if (last === 0) return null;
    if (position % 2 || position === last) {
      node = nodeHash(sibling, node);
      while (position % 2 === 0 && position !== 0)
        [position, last] = [position / 2, Math.floor(last / 2)];
    } else {
      node = nodeHash(node, sibling);
    }
    [position, last] = [Math.floor(position / 2), Math.floor(last / 2)];
  }
  return last === 0 ? node : null;
}

/** Tell whether a tree of `size` continues that of `oldSize` (RFC 9162, 2.1.4.2). */
export function isConsistent(oldSize, size, proof, oldRoot, root) {
  if (oldSize === size) {
    return proof.length === 0 && equal(oldRoot, root) && (size > 0 || equal(root, EMPTY_ROOT));
  }
  // Every tree grew from nothing: such a proof would prove nothing.
  if (!(oldSize > 0 && oldSize < size)) return false;
  if ([oldRoot, ...proof].some((one) => one.length !== 32)) return false;
  let [position, last] = [oldSize - 1, size - 1];
  while (position % 2) [position, last] = [Math.floor(position / 2), Math.floor(last / 2)];
  const nodes = position === 0 ? [oldRoot, ...proof] : proof;
  if (nodes.length === 0) return false;
  let [before, after] = [nodes[0], nodes[0]];
  for (const node of nodes.slice(1)) {
    if (last === 0) return false;
    if (position % 2 || position === last) {
      [before, after] = [nodeHash(node, before), nodeHash(node, after)];
      while (position % 2 === 0 && position !== 0)
        [position, last] = [position / 2, Math.floor(last / 2)];
    } else {
      after = nodeHash(after, node);
    }
    [position, last] = [Math.floor(position / 2), Math.floor(last / 2)];
  }
  return last === 0 && equal(before, oldRoot) && equal(after, root);
}

/** Return the root over hashes; an odd last node is promoted, never paired with itself. */
export function rootOf(hashes) {
  let level = hashes;
  while (level.length > 1) {
    const parents = [];
    for (let at = 0; at + 1 < level.length; at += 2)
      parents.push(nodeHash(level[at], level[at + 1]));
    level = level.length % 2 ? [...parents, level.at(-1)] : parents;
  }
  return level.length ? level[0] : EMPTY_ROOT;
}

const TILE_WIDTH = 256;

/** The tree as it grows: per level of tiles the hashes of the last, unfinished tile. */
class Tree {
  size = 0;
  rows = [];

  /** Append a leaf hash; `onTile(level, index, hashes)` hears of each tile that it completes. */
  append(leaf, onTile) {
    this.size += 1;
    let [hash, count] = [leaf, this.size];
    for (let level = 0; ; level += 1) {
      const row = (this.rows[level] ??= []);
      row.push(hash);
      if (row.length < TILE_WIDTH) return;
      onTile(level, count / TILE_WIDTH - 1, row);
      [hash, count, this.rows[level]] = [rootOf(row), count / TILE_WIDTH, []];
    }
  }

  /** The root: each row's perfect subtrees, the larger ones left, joined from the right. */
  root() {
    const subtrees = [];
    for (const row of [...this.rows].reverse()) {
      let at = 0;
      for (let width = TILE_WIDTH / 2; width >= 1; width /= 2) {
        if (!(row.length & width)) continue;
        subtrees.push(rootOf(row.slice(at, at + width)));
        at += width;
      }
    }
    return subtrees.length
      ? subtrees.reduceRight((right, left) => nodeHash(left, right))
      : EMPTY_ROOT;
  }
}

/** Return the path of a tile in a bundle; `level` may be "entries" (C2SP tlog-tiles). */
export function tilePath(level, index, width) {
  const groups = [];
  for (let left = index; groups.length === 0 || left > 0; left = Math.floor(left / 1000)) {
    groups.unshift(`${groups.length ? "x" : ""}${String(left % 1000).padStart(3, "0")}`);
  }
  return `tile/${level}/${groups.join("/")}${width === TILE_WIDTH ? "" : `.p/${width}`}`;
}

/** Yield [level, index, width] of the tiles of a row that covers `size`. */
function* rowOfTiles(level, size) {
  for (let index = 0; index * TILE_WIDTH < size; index += 1) {
    yield [level, index, Math.min(TILE_WIDTH, size - index * TILE_WIDTH)];
  }
}

function* hashTiles(size) {
  for (
    let [level, count] = [0, size];
    count > 0;
    level += 1, count = Math.floor(count / TILE_WIDTH)
  ) {
    yield* rowOfTiles(level, count);
  }
}

// -------------------------------------- notes, checkpoints, cosignatures, policies (C2SP texts)

const LOG_KEY = 0x01;
const COSIGNER_KEY = 0x04;
const ML_DSA_44_KEY = 0x06;
const NAME = /^[^\p{White_Space}+\0-\x1f]+$/u;
const badNote = (en) => new Unsound("checkpoint.malformed", `检查点格式有误：${en}`, en);

/** Return the key that a vkey `name+hash+base64` is, or null where it is none of a known type. */
export function parseVkey(text) {
  const [, name, id, encoded] = /^([^+]*)\+([^+]*)\+(.*)$/s.exec(text) ?? [];
  const typed = encoded === undefined ? null : fromBase64(encoded);
  if (!typed?.length || !NAME.test(name)) return null;
  const [type, key] = [typed[0], typed.subarray(1)];
  const isKey = {
    [LOG_KEY]: isEd25519Key,
    [COSIGNER_KEY]: isEd25519Key,
    [ML_DSA_44_KEY]: ({ length }) => length === ML_DSA_44_KEY_SIZE,
  }[type];
  const keyId = hex(sha256(utf8(name), Uint8Array.of(0x0a), typed).subarray(0, 4));
  return isKey?.(key) && id.toLowerCase() === keyId ? { name, type, key, keyId, vkey: text } : null;
}

/** Return the text of a note and its signature lines (C2SP signed-note), none verified. */
export function parseNote(bytes) {
  if (bytes.length > 1_000_000) throw badNote("a note has a million bytes at most");
  let note;
  try {
    note = fromUtf8(bytes);
  } catch {
    throw badNote("a note is UTF-8");
  }
  if (/[\0-\x09\x0b-\x1f]/.test(note)) throw badNote("a note holds no control character");
  const at = note.lastIndexOf("\n\n");
  if (at < 0 || !note.endsWith("\n")) throw badNote("no signature lines under a text");
  const lines = note.slice(at + 2, -1).split("\n");
  if (lines.length > 100) throw badNote("a note has 100 signatures at most");
  return { text: note.slice(0, at + 1), signatures: lines.map(parseSignatureLine) };
}

function parseSignatureLine(line) {
  const [, name, encoded] = /^— ([^ ]+) ([^ ]+)$/.exec(line) ?? [];
  const data = encoded === undefined ? null : fromBase64(encoded);
  if (!data || data.length <= 4 || !NAME.test(name))
    throw badNote("a signature line is '— name base64'");
  return { name, keyId: hex(data.subarray(0, 4)), value: data.subarray(4) };
}

/** Return origin, size and root of a checkpoint's text (C2SP tlog-checkpoint, no extension). */
export function parseCheckpoint(text) {
  const lines = text.split("\n");
  const root =
    lines.length === 4 && lines[3] === "" && lines[0] !== "" ? fromBase64(lines[2]) : null;
  if (root?.length !== 32 || !/^(0|[1-9][0-9]{0,15})$/.test(lines[1])) {
    throw badNote("a checkpoint is origin, size and base64 root");
  }
  const size = Number(lines[1]);
  if (!Number.isSafeInteger(size)) throw badNote("no log is so large");
  if (size === 0 && !equal(root, EMPTY_ROOT)) throw badNote("an empty log has the root of nothing");
  return { origin: lines[0], size, root };
}

/** Tell whether a note signature is `key`'s on `text` (types 01, 04 and 06). */
async function isSignedBy({ type, key, name }, text, value) {
  if (type === LOG_KEY) return verifyEd25519(key, utf8(text), value);
  const [time, signature] = [value.subarray(0, 8), value.subarray(8)];
  if (time.length !== 8 || time[0] & 0x80) return false;
  if (type === COSIGNER_KEY) {
    const message = utf8(`cosignature/v1\ntime ${bigEndian(time)}\n${text}`);
    return verifyEd25519(key, message, signature);
  }
  const { origin, size, root } = parseCheckpoint(text);
  const [cosigner, log] = [utf8(name), utf8(origin)];
  if (cosigner.length > 255 || log.length > 255) return false;
  const message = [utf8("subtree/v1\n\0"), [cosigner.length], cosigner, time, [log.length], log];
  return verifyMlDsa44(key, concat(...message, u64(0), u64(size), root), signature);
}

/** Return the policy that a file is (C2SP tlog-policy); its octets beyond ASCII are opaque. */
export function parsePolicy(bytes) {
  const policy = { logs: [], witnesses: new Map(), groups: [], quorum: null };
  const [names, members, keys] = [new Set(), new Set(), new Set()];

  function fail(en) {
    throw new Unusable(`验证策略无法使用：${en}`, `the policy cannot be used: ${en}`);
  }

  function define(name) {
    if (name === "none" || names.has(name)) fail(`the name ${name} is taken`);
    names.add(name);
  }

  function key(vkey, ...types) {
    let parsed;
    try {
      parsed = parseVkey(fromUtf8(fromBinary(vkey)));
    } catch {
      parsed = null; // not UTF-8
    }
    if (!types.includes(parsed?.type)) fail(`no key of a type that signs here: ${vkey}`);
    // A key counts once, whatever names it is listed under.
    if (keys.has(hex(parsed.key))) fail(`the key of ${parsed.name} is listed twice`);
    keys.add(hex(parsed.key));
    return parsed;
  }

  const takers = {
    log(words) {
      if (words.length < 1 || words.length > 2) fail("a log line is 'log <vkey> [<url>]'");
      policy.logs.push(key(words[0], LOG_KEY, ML_DSA_44_KEY));
    },
    witness(words) {
      if (words.length < 2 || words.length > 3)
        fail("a witness line is 'witness <name> <vkey> [<url>]'");
      define(words[0]);
      policy.witnesses.set(words[0], key(words[1], COSIGNER_KEY, ML_DSA_44_KEY));
    },
    group([name, threshold, ...those]) {
      if (those.length === 0) fail("a group line is 'group <name> all|any|<k> <member>...'");
      for (const member of those) {
        if (!names.has(member) || members.has(member)) fail(`${member} is unknown or counts twice`);
        members.add(member);
      }
      define(name);
      const least = { any: "1", all: String(those.length) }[threshold] ?? threshold;
      if (!/^[1-9][0-9]{0,5}$/.test(least) || least > those.length)
        fail(`no threshold: ${threshold}`);
      policy.groups.push({ name, least: Number(least), members: those });
    },
    quorum(words) {
      if (words.length !== 1 || policy.quorum !== null) fail("a policy has one quorum line");
      if (words[0] !== "none" && !names.has(words[0])) fail(`${words[0]} is not defined above`);
      policy.quorum = words[0];
    },
  };

  const text = binary(bytes);
  if (bytes.length > 1_000_000 || /[^\t\n\x20-\x7e\x80-\xff]/.test(text))
    fail("it holds control characters");
  if (!text.endsWith("\n")) fail("every line ends in a newline");
  for (const line of text.slice(0, -1).split("\n")) {
    const [keyword, ...words] = line.replace(/^[ \t]+|[ \t]+$/g, "").split(/[ \t]+/);
    if (keyword === "" || keyword.startsWith("#")) continue;
    if (!Object.hasOwn(takers, keyword)) fail(`unknown keyword ${keyword}`);
    takers[keyword](words);
  }
  if (policy.quorum === null) fail("a policy has one quorum line");
  return policy;
}

/** Return a name of the policy's, whose octets are opaque, as text where it is UTF-8. */
function readable(name) {
  try {
    return fromUtf8(fromBinary(name));
  } catch {
    return name;
  }
}

/** Return the checkpoint in a note if a log of the policy signed it and the quorum agrees. */
export async function openCheckpoint(policy, bytes) {
  const { text, signatures } = parseNote(bytes);
  const known = [...policy.logs, ...policy.witnesses.values()];
  const signed = new Set();
  for (const { name, keyId, value } of signatures) {
    const key = known.find((one) => one.name === name && one.keyId === keyId);
    if (key === undefined) continue; // a line of an unknown key says nothing
    if (!(await isSignedBy(key, text, value)))
      throw badNote(`the signature of ${name} does not verify`);
    signed.add(key);
  }
  const checkpoint = parseCheckpoint(text);
  const named = policy.logs.filter((key) => key.name === checkpoint.origin);
  const logs = named.filter((key) => signed.has(key));
  if (logs.length === 0) throw badNote(`no log of the policy signed as ${checkpoint.origin}`);
  // Keys of one type follow each other, so any will do; keys of two types stand together.
  const absent = named.find(({ type }) => !logs.some((one) => one.type === type));
  if (absent !== undefined)
    throw badNote(`${checkpoint.origin} did not sign with a key of type 0${absent.type}`);
  const agreed = new Set(
    [...policy.witnesses].filter(([, key]) => signed.has(key)).map(([name]) => name),
  );
  const witnesses = [...agreed].map(readable);
  for (const group of policy.groups) {
    if (group.members.filter((one) => agreed.has(one)).length >= group.least)
      agreed.add(group.name);
  }
  if (policy.quorum !== "none" && !agreed.has(policy.quorum)) {
    throw badNote(
      `cosigned by ${witnesses.join(", ") || "no witness"}, not by quorum ${policy.quorum}`,
    );
  }
  return { ...checkpoint, logs, witnesses };
}

/** Return what a tlog-proof file says (C2SP tlog-proof); nothing in it has been checked. */
export function parseProof(bytes) {
  let text;
  try {
    text = fromUtf8(bytes);
  } catch {
    throw badNote("a proof is UTF-8");
  }
  const [head, checkpoint] = [text.split("\n\n", 1)[0], text.slice(text.indexOf("\n\n") + 2)];
  const [version, ...lines] = head.split("\n");
  const extra = lines[0]?.startsWith("extra ") ? fromBase64(lines.shift().slice(6)) : undefined;
  const [, index] = /^index (0|[1-9][0-9]{0,15})$/.exec(lines.shift() ?? "") ?? [];
  const path = lines.map(fromBase64);
  const spelt = extra === undefined || extra?.length > 0;
  const fits = spelt && path.every((one) => one?.length === 32) && path.length <= 63;
  if (version !== "c2sp.org/tlog-proof@v1" || index === undefined || head === text || !fits) {
    throw badNote("this is no tlog-proof");
  }
  return { index: Number(index), path, checkpoint: utf8(checkpoint) };
}

function isIncluded(entry, { index, path }, { size, root }) {
  const found = rootFromInclusion(leafHash(entry), index, size, path);
  return found !== null && equal(found, root);
}

/** Tell whether a tlog-proof file proves `entry` to be in the log `origin` that a policy believes. */
export async function verifyEntryProof(entry, bytes, policy, origin) {
  const proof = parseProof(bytes);
  const checkpoint = await openCheckpoint(policy, proof.checkpoint);
  return checkpoint.origin === origin && isIncluded(entry, proof, checkpoint);
}

// ----------------------------------------------------------------------------------- the zip

const CRC = Int32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit += 1) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  return rest;
});

function crc32(bytes) {
  let rest = -1;
  for (let at = 0; at < bytes.length; at += 1) rest = CRC[(rest ^ bytes[at]) & 0xff] ^ (rest >>> 8);
  return ~rest >>> 0;
}

/** The members of a zip, read one at a time from a `Blob`; stored or deflated, nothing else. */
class Zip {
  members = new Map();
  #blob;
  #whole = null; // the bytes of a small one

  static async open(blob) {
    const zip = new Zip();
    zip.#blob = blob;
    try {
      if (blob.size <= 2 ** 24) zip.#whole = await blob.arrayBuffer();
      await zip.#readDirectory();
    } catch (error) {
      if (error instanceof Unsound) throw error;
      throw new Unusable("不是可读的证据包", `not a readable bundle: ${error.message}`);
    }
    return zip;
  }

  async #bytes(start, end) {
    if (start < 0 || start > end || end > this.#blob.size) throw new RangeError("cut short");
    return this.#whole?.slice(start, end) ?? (await this.#blob.slice(start, end).arrayBuffer());
  }

  async #view(start, end) {
    return new DataView(await this.#bytes(start, end));
  }

  async #readDirectory() {
    const { start, size, count } = await this.#directory();
    const view = await this.#view(start, start + size);
    let at = 0;
    for (let left = count; left > 0; left -= 1) {
      if (view.getUint32(at, true) !== 0x02014b50) throw new RangeError("no directory entry");
      const lengths = [28, 30, 32].map((place) => view.getUint16(at + place, true));
      const raw = new Uint8Array(view.buffer, at + 46, lengths[0]);
      const extra = new DataView(view.buffer, at + 46 + lengths[0], lengths[1]);
      const name = binary(raw); // every name of ours is ASCII
      const member = {
        flags: view.getUint16(at + 8, true),
        method: view.getUint16(at + 10, true),
        crc: view.getUint32(at + 16, true),
        packed: view.getUint32(at + 20, true),
        size: view.getUint32(at + 24, true),
        offset: view.getUint32(at + 42, true),
        raw,
      };
      widen(member, extra);
      if (this.members.has(name))
        throw new Unsound("bundle.duplicate", "证据包有重名成员", `member ${name} appears twice`);
      this.members.set(name, member);
      at += 46 + lengths[0] + lengths[1] + lengths[2];
    }
    if (at !== size) throw new RangeError("the directory holds more than its entries");
  }

  /** Find the directory by the record that ends the file, and by its zip64 form before it. */
  async #directory() {
    const base = Math.max(0, this.#blob.size - 42);
    const tail = await this.#view(base, this.#blob.size);
    const at = tail.byteLength - 22;
    if (at < 0 || tail.getUint32(at, true) !== 0x06054b50) throw new RangeError("no end of a zip");
    const found = {
      count: tail.getUint16(at + 10, true),
      size: tail.getUint32(at + 12, true),
      start: tail.getUint32(at + 16, true),
    };
    if (at < 20 || tail.getUint32(at - 20, true) !== 0x07064b50) return found;
    const place = Number(tail.getBigUint64(at - 12, true));
    const wide = await this.#view(place, place + 56);
    if (place + 56 !== base + at - 20 || wide.getUint32(0, true) !== 0x06064b50)
      throw new RangeError("no zip64 end");
    const [count, size, start] = [32, 40, 48].map((field) =>
      Number(wide.getBigUint64(field, true)),
    );
    return { count, size, start };
  }

  /** Return a member's bytes, `most` at most, its sizes and its CRC-32 as the directory says. */
  async read(name, most) {
    const member = this.members.get(name);
    if (member.size > most) throw tooLarge(name);
    try {
      const local = await this.#view(member.offset, member.offset + 30);
      const start = member.offset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
      const spelt = await this.#view(member.offset + 30, member.offset + 30 + member.raw.length);
      if (
        local.getUint32(0, true) !== 0x04034b50 ||
        local.getUint16(26, true) !== member.raw.length
      )
        throw null;
      if (!equal(new Uint8Array(spelt.buffer), member.raw) || member.flags & 0x41) throw null;
      const data = await unpacked(await this.#bytes(start, start + member.packed), member);
      if (data.length !== member.size || crc32(data) !== member.crc) throw null;
      return data;
    } catch {
      throw new Unsound(
        "bundle.damaged",
        `${name} 已损坏`,
        `${name} cannot be read`,
        firstIndex(name),
      );
    }
  }
}

/** Take the wide sizes and offset of a zip64 extra field, where the narrow ones are all ones. */
function widen(member, extra) {
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.getUint16(at + 2, true)) {
    if (extra.getUint16(at, true) !== 1) continue;
    let place = at + 4;
    for (const field of ["size", "packed", "offset"]) {
      if (member[field] !== 0xffffffff) continue;
      member[field] = Number(extra.getBigUint64(place, true));
      place += 8;
    }
  }
}

/** Return the bytes of a packed member; never more than one byte beyond what it claims to be. */
async function unpacked(packed, { method, size }) {
  if (method === 0) return new Uint8Array(packed);
  if (method !== 8) throw null;
  const inflate = new DecompressionStream("deflate-raw");
  const reader = new Blob([packed]).stream().pipeThrough(inflate).getReader();
  const chunks = [];
  let total = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    chunks.push(next.value);
    total += next.value.length;
    if (total > size) {
      await reader.cancel();
      throw null;
    }
  }
  return concat(...chunks);
}

const tooLarge = (name) => new Unsound("bundle.too_large", `${name} 过大`, `${name} is too large`);

/** Return the index of the first entry that a member holds, or null where it holds none. */
function firstIndex(name) {
  const digits = /^tile\/entries\/([x0-9/]+)/.exec(name)?.[1].replace(/[x/]/g, "");
  return digits ? Number(digits) * TILE_WIDTH : null;
}

// ------------------------------------------------------------------- statements and entries

const STATEMENT_SIZE_MAX = 57_344;
const BATCH_SIZE_MAX = 1_000;
const NO_PREVIOUS = "0".repeat(64);
const HASH = /^[0-9a-f]{64}$/;
const PARTY = /^party_[0-7][0-9a-hjkmnp-tv-z]{25}$/;
const STATEMENT_ID = /^evt_[0-7][0-9a-hjkmnp-tv-z]{25}$/;
const EVENT = /^[a-z_]+\.[a-z_]+@[1-9][0-9]{0,3}$/;
const TIME = /^(?!0000)\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z$/;

const isText = (value) => typeof value === "string";
const isCount = (value) => Number.isInteger(value) && value >= 1;
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isMapOf = (value, test) => isObject(value) && Object.values(value).every(test);
const isListOf = (value, test) => Array.isArray(value) && value.every(test);

function isTime(text) {
  if (!isText(text) || !TIME.test(text)) return false;
  const seconds = text.slice(0, 19);
  const moment = new Date(`${seconds}Z`);
  return !Number.isNaN(moment.valueOf()) && moment.toISOString().slice(0, 19) === seconds;
}

const microseconds = (time) =>
  BigInt(Date.parse(`${time.slice(0, 19)}Z`)) * 1000n + BigInt(time.slice(20, 26));

/** Refuse an object that lacks a member, has another, or has one that fails its test. */
function requireMembers(what, object, required, optional = {}) {
  if (!isObject(object)) throw malformed(`${what} is no object`);
  for (const name of Object.keys(object)) {
    if (!Object.hasOwn(required, name) && !Object.hasOwn(optional, name))
      throw malformed(`${what} has a member ${name}`);
  }
  for (const [name, test] of Object.entries(required)) {
    if (!Object.hasOwn(object, name) || !test(object[name])) throw malformed(`${what}: ${name}`);
  }
  for (const [name, test] of Object.entries(optional)) {
    if (Object.hasOwn(object, name) && !test(object[name])) throw malformed(`${what}: ${name}`);
  }
}

const malformed = (en) => new Unsound("entry.malformed", `条目格式有误：${en}`, en);
const isOne = (value) => value === 1;

const ENTRY_MEMBERS = {
  index: (value) => Number.isInteger(value) && value >= 0,
  prev: (value) => isText(value) && HASH.test(value),
  recorded_at: isTime,
  signature: isObject,
  statement: isObject,
  subjects: isObject,
  v: isOne,
};
const LINK_MEMBERS = { prev: ENTRY_MEMBERS.prev, seq: isCount };
const SIGNATURE_MEMBERS = {
  suite: (value) => isText(value) && Object.hasOwn(SUITES, value),
  value: isText,
};
const BATCH_MEMBERS = {
  path: (value) => isListOf(value, isText),
  position: (value) => Number.isInteger(value) && value >= 0,
  size: (value) => isCount(value) && value <= BATCH_SIZE_MAX,
};
const STATEMENT_MEMBERS = {
  actor: (value) => isText(value) && PARTY.test(value),
  event: (value) => isText(value) && EVENT.test(value),
  id: (value) => isText(value) && STATEMENT_ID.test(value),
  key: isText,
  log: isText,
  not_after: isTime,
  occurred_at: isTime,
  payload: isObject,
  v: isOne,
};
const STATEMENT_OPTIONS = {
  expects: (value) => isMapOf(value, Number.isInteger),
  linked: (value) =>
    isListOf(value, isText) && new Set(value).size === value.length && value.length !== 1,
  sealed: (value) => isMapOf(value, (one) => isText(one) && HASH.test(one)),
};

/** Return the entry that canonical bytes are: its members, and the exact bytes of its statement. */
export function parseEntry(bytes) {
  let parsed;
  try {
    parsed = parseCanonical(bytes);
  } catch (fault) {
    throw malformed(fault.en);
  }
  const { value: fields, text, spans } = parsed;
  requireMembers("the entry", fields, ENTRY_MEMBERS);
  const { signature, statement, subjects } = fields;
  requireMembers("the signature", signature, SIGNATURE_MEMBERS, { batch: isObject });
  if (Object.hasOwn(signature, "batch"))
    requireMembers("the batch", signature.batch, BATCH_MEMBERS);
  requireMembers("the statement", statement, STATEMENT_MEMBERS, STATEMENT_OPTIONS);
  for (const link of Object.values(subjects)) requireMembers("a subject", link, LINK_MEMBERS);
  if (!Object.hasOwn(subjects, statement.actor))
    throw malformed("the actor is not among the subjects");
  const { id, linked = [] } = statement;
  if (linked.length && !linked.includes(id)) throw malformed("linked leaves out its own statement");
  const body = utf8(text.slice(...spans.get("statement")));
  if (body.length > STATEMENT_SIZE_MAX) throw malformed("the statement is too large");
  return { ...fields, body };
}

/** DSSE's pre-authentication encoding (DSSE v1.0.2). */
export function preAuthentication(type, body) {
  return concat(utf8(`DSSEv1 ${type.length} ${type} ${body.length} `), body);
}

const STATEMENT_TYPE = "application/vnd.dataexchange.statement+json";
const BATCH_TYPE = "application/vnd.dataexchange.batch";
const batches = new Map();

/** Tell whether the signature is the named key's over the statement, alone or in its batch. */
export async function isStatementSigned({ key: id, log }, body, { suite, value, batch }) {
  const key = parseKey(id);
  const signature = fromBase64(value);
  if (signature?.length !== 64 || key.name !== suite) return false;
  if (batch === undefined)
    return key.suite.verify(key.raw, preAuthentication(STATEMENT_TYPE, body), signature);
  const path = batch.path.map(fromBase64);
  const root = path.includes(null)
    ? null
    : rootFromInclusion(leafHash(body), batch.position, batch.size, path);
  if (root === null) return false;
  const text = `dataexchange-batch/v1\n${log}\n${id}\n${batch.size}\n${base64(root)}\n`;
  const name = text + value;
  if (!batches.has(name)) {
    if (batches.size > 1_000) batches.clear();
    batches.set(
      name,
      key.suite.verify(key.raw, preAuthentication(BATCH_TYPE, utf8(text)), signature),
    );
  }
  return batches.get(name);
}

// --------------------------------------------------------------- who may sign: parties and keys

function demand(condition, code, zh, en) {
  if (!condition) throw new Unsound(code, zh, en);
}

const AUTHORITIES = ["operator", "regulator"];
const OF_NO_PARTY = ["party.grouped@1", "log.key_added@1", "log.key_retired@1"];

/** The parties of a log and their keys, folded from the events that say so. */
class Parties {
  #parties = new Map();

  /** Refuse a statement whose actor may not sign now, or not this; then take what it changes. */
  take({ actor, event, key, payload }) {
    if (event === "log.opened@1") return this.#open(actor, key, payload);
    if (event === "party.applied@1") return this.#apply(actor, key, payload);
    const party = this.#parties.get(actor);
    demand(
      party?.status === "active",
      "party.not_active",
      `主体 ${actor} 不在有效状态`,
      `party ${actor} is not active`,
    );
    demand(
      party.keys.get(key) === true,
      "key.not_valid",
      `密钥 ${key} 此时无效`,
      `key ${key} is not valid at this index`,
    );
    if (Object.hasOwn(Parties.#CHANGES, event)) {
      Parties.#CHANGES[event].call(this, { actor, roles: party.roles, payload });
    } else if (/^(party|key|log)\./.test(event) && !OF_NO_PARTY.includes(event)) {
      throw new Unusable(
        `本验证程序不认识事件 ${event}`,
        `this verifier does not know the event ${event}`,
      );
    }
    return undefined;
  }

  /** Tell whether the actor has one of `roles`. */
  hasRole(actor, roles) {
    return roles.some((role) => this.#parties.get(actor)?.roles.has(role));
  }

  #open(actor, key, { operator, regulators }) {
    requireSame(operator.party, actor);
    requireSame(operator.key, key);
    demand(
      operator.roles.includes("operator"),
      "log.roles_at_opening",
      "开账主体不是运营机构",
      "the opener is no operator",
    );
    for (const profile of regulators) {
      demand(
        String(profile.roles) === "regulator",
        "log.roles_at_opening",
        "监管机构只能是 regulator",
        "a regulator has another role",
      );
    }
    for (const profile of [operator, ...regulators]) this.#add(profile, "active");
  }

  #apply(actor, key, profile) {
    requireSame(profile.party, actor);
    requireSame(profile.key, key);
    demand(
      !profile.roles.includes("operator"),
      "party.role_reserved",
      "不可申请 operator",
      "nobody applies to be operator",
    );
    this.#add(profile, "applied");
  }

  #add({ party, key, roles }, status) {
    demand(
      !this.#parties.has(party),
      "aggregate.exists",
      `主体 ${party} 已存在`,
      `party ${party} exists`,
    );
    parseKey(key);
    this.#parties.set(party, { status, roles: new Set(roles), keys: new Map([[key, true]]) });
  }

  #get(id, status) {
    const party = this.#parties.get(id);
    demand(party !== undefined, "aggregate.not_found", `没有主体 ${id}`, `there is no party ${id}`);
    const fits = status === undefined || party.status === status;
    demand(
      fits,
      "aggregate.wrong_status",
      `主体 ${id} 不是 ${status}`,
      `party ${id} is not ${status}`,
    );
    return party;
  }

  #addKey(id, key) {
    const { keys } = this.#get(id);
    parseKey(key);
    demand(!keys.has(key), "key.known", `密钥 ${key} 登记过`, `key ${key} was recorded before`);
    keys.set(key, true);
  }

  #endKey(id, key) {
    const { keys } = this.#get(id);
    demand(keys.get(key) === true, "key.unknown", `没有有效密钥 ${key}`, `no valid key ${key}`);
    keys.set(key, false);
    demand(
      [...keys.values()].includes(true),
      "key.last",
      "这是最后一把密钥",
      "it is the last valid key",
    );
  }

  /** Return the party named, whose status an authority may set from `before`. */
  #decided({ roles, payload }, before) {
    const by = AUTHORITIES.some((role) => roles.has(role));
    demand(by, "role.missing", "须由运营或监管机构签署", "an operator or regulator signs this");
    return this.#get(payload.party, before);
  }

  /** The party itself ends a key, or an authority for it. */
  #ended({ actor, roles, payload }) {
    if (!AUTHORITIES.some((role) => roles.has(role))) requireSame(payload.party, actor);
    this.#endKey(payload.party, payload.key);
  }

  static #CHANGES = {
    "party.admitted@1"(by) {
      const party = this.#decided(by, "applied");
      const granted = new Set(by.payload.roles);
      const offered = [...granted].every((role) => party.roles.has(role));
      demand(offered, "party.role_not_applied_for", "有未申请的角色", "a role was not applied for");
      requireRegulatorFor(granted, by.roles);
      Object.assign(party, { status: "active", roles: granted });
    },
    "party.suspended@1"(by) {
      const party = this.#decided(by, "active");
      requireRegulatorFor(party.roles, by.roles);
      party.status = "suspended";
    },
    "party.reinstated@1"(by) {
      this.#decided(by, "suspended").status = "active";
    },
    "party.left@1"({ actor, payload }) {
      requireSame(payload.party, actor);
      this.#get(actor).status = "left";
    },
    "key.added@1"({ actor, payload }) {
      requireSame(payload.party, actor);
      this.#addKey(payload.party, payload.key);
    },
    "key.rotated@1"({ actor, payload }) {
      requireSame(payload.party, actor);
      this.#addKey(payload.party, payload.new_key);
      this.#endKey(payload.party, payload.old_key);
    },
    "key.revoked@1"(by) {
      this.#ended(by);
    },
    "key.compromised@1"(by) {
      this.#ended(by);
    },
  };
}

function requireRegulatorFor(roles, deciding) {
  const may = !roles.has("regulator") || deciding.has("regulator");
  demand(
    may,
    "party.role_reserved",
    "只有监管机构可决定",
    "only a regulator decides on a regulator",
  );
}

function requireSame(named, needed) {
  demand(
    named === needed,
    "event.mismatch",
    `载荷写 ${named}，应为 ${needed}`,
    `the payload names ${named}, not ${needed}`,
  );
}

// ------------------------------------------------------------------------------- the whole log

/** A log as it grows again from nothing; each entry is held against all before it. */
class Log {
  size = 0;
  prev = NO_PREVIOUS;
  recordedAt = "";
  events = {};
  #heads = new Map();
  #seen = new Set();
  #group = { ids: [], at: 0 };
  #parties = new Parties();
  #limits = null;
  #logKeys = new Map(); // vkey → whether it is in use

  constructor(origin) {
    this.origin = origin;
  }

  /** Tell whether a key may sign checkpoints of the log as it is now. */
  isLogKey(vkey) {
    return this.#logKeys.get(vkey) === true;
  }

  /** Append a parsed entry with its leaf hash (hex), or refuse it. Its signature is not asked for. */
  append(entry, leaf) {
    const { statement, subjects } = entry;
    this.#requireOnce(statement);
    this.#requireGroup(statement);
    this.#requirePlace(entry);
    this.#requireFresh(entry);
    this.#parties.take(statement);
    this.#requireExpected(statement);
    for (const [key, link] of Object.entries(subjects)) {
      const [seq, head] = this.#heads.get(key) ?? [0, NO_PREVIOUS];
      if (link.seq !== seq + 1 || link.prev !== head) throw differs(`the chain of ${key}`);
      this.#heads.set(key, [link.seq, leaf]);
    }
    this.#takeParameters(statement);
    this.events[statement.event] = (this.events[statement.event] ?? 0) + 1;
    this.size += 1;
    this.prev = leaf;
    this.recordedAt = entry.recorded_at;
  }

  /** Check what only the end shows. */
  finish() {
    if (this.#group.ids.length > 0) {
      const [zh, en] = ["关联条目被截断", "a linked group is cut off"];
      throw new Unsound("linked.cut", zh, en, this.size - 1);
    }
    if (this.size === 0) {
      throw new Unsound("log.not_opened", "账本没有开立条目", "the log was never opened", 0);
    }
  }

  #requireOnce({ actor, id }) {
    const name = `${actor} ${id}`;
    demand(
      !this.#seen.has(name),
      "statement.twice",
      "同一陈述出现两次",
      "a statement appears twice",
    );
    this.#seen.add(name);
  }

  #requireGroup({ id, linked = [] }) {
    const open = this.#group.ids.length > 0;
    const { ids, at } = open ? this.#group : { ids: linked, at: 0 };
    const same = linked.length === ids.length && linked.every((one, place) => one === ids[place]);
    const fits = same && (linked.length === 0 || linked[at] === id);
    demand(fits, "linked.broken", "关联条目不连续", "a linked group is broken up");
    this.#group = at + 1 < ids.length ? { ids, at: at + 1 } : { ids: [], at: 0 };
  }

  #requirePlace({ index, prev, recorded_at: recordedAt, statement }) {
    if (index !== this.size) throw differs("index");
    if (prev !== this.prev) throw differs("prev");
    if (recordedAt < this.recordedAt) throw differs("recorded_at, which decreases");
    const { log, event } = statement;
    demand(log === this.origin, "statement.wrong_log", `陈述属于 ${log}`, `a statement for ${log}`);
    demand(
      (index === 0) === (event === "log.opened@1"),
      "log.not_first",
      "log.opened 是且只是第 0 条",
      "entry 0, and only it, opens the log",
    );
  }

  #requireFresh({ recorded_at: recordedAt, statement }) {
    if (this.#limits === null) return;
    const [now, from, until] = [recordedAt, statement.occurred_at, statement.not_after].map(
      microseconds,
    );
    const fits = now <= until && until - from <= this.#limits.life;
    demand(
      fits,
      "statement.expired",
      "陈述已过期或有效期过长",
      "the statement had expired, or lives too long",
    );
    demand(
      from <= now + this.#limits.skew,
      "statement.from_the_future",
      "陈述来自未来",
      "it occurred after it was recorded",
    );
  }

  #requireExpected({ expects = {} }) {
    for (const [key, seq] of Object.entries(expects)) {
      const found = this.#heads.get(key)?.[0] ?? 0;
      demand(
        found === seq,
        "statement.expectation_failed",
        `${key} 为第 ${found} 条`,
        `${key} is at seq ${found}, not ${seq}`,
      );
    }
  }

  /** Keep what the opening and the operator say of parameters and of the log's own keys. */
  #takeParameters({ actor, event, payload }) {
    if (!Object.hasOwn(Log.#PARAMETERS, event)) return;
    const may = event === "log.opened@1" || this.#parties.hasRole(actor, ["operator"]);
    demand(may, "role.missing", "须由运营机构签署", "an operator signs this");
    Log.#PARAMETERS[event].call(this, payload);
  }

  #setLimits({ statement_life_seconds_max: life, clock_skew_seconds_max: skew }) {
    this.#limits = { life: BigInt(life) * 1_000_000n, skew: BigInt(skew) * 1_000_000n };
  }

  #addLogKey(vkey) {
    const fits = parseVkey(vkey)?.name === this.origin;
    demand(fits, "log.key_unfit", "不能用作检查点密钥", "not a key for this log's checkpoints");
    const isNew = !this.#logKeys.has(vkey);
    demand(isNew, "log.key_known", "检查点密钥公布过", "this log key was announced before");
    this.#logKeys.set(vkey, true);
  }

  static #PARAMETERS = {
    "log.opened@1"({ origin, log_keys: vkeys, parameters }) {
      requireSame(origin, this.origin);
      for (const vkey of vkeys) this.#addLogKey(vkey);
      this.#setLimits(parameters);
    },
    "policy.set@1"({ parameters }) {
      this.#setLimits(parameters);
    },
    "log.key_added@1"({ vkey }) {
      this.#addLogKey(vkey);
    },
    "log.key_retired@1"({ vkey }) {
      demand(this.isLogKey(vkey), "log.key_unknown", "没有这把密钥", "no such log key is in use");
      this.#logKeys.set(vkey, false);
    },
  };
}

const differs = (what) =>
  new Unsound(
    "entry.differs",
    `条目与其前文不符（${what}）`,
    `does not follow from what is before it: ${what}`,
  );

/** Append entries in order; the fault that is thrown is that of the first entry at fault. */
async function appendAll(log, bodies, onLeaf) {
  const checks = [];
  for (const bytes of bodies) {
    const index = log.size;
    try {
      const entry = parseEntry(bytes);
      checks.push(signatureFault(entry, index));
      const leaf = leafHash(bytes);
      log.append(entry, hex(leaf));
      onLeaf(leaf, entry);
    } catch (error) {
      checks.push(faultAt(error, index));
      break;
    }
  }
  for (const check of checks) {
    const fault = await check;
    if (fault !== null) throw fault;
  }
}

async function signatureFault({ body, signature, statement }, index) {
  try {
    if (await isStatementSigned(statement, body, signature)) return null;
    return new Unsound(
      "signature.bad",
      "签名与陈述及密钥不符",
      `not signed by key ${statement.key}`,
      index,
    );
  } catch (error) {
    return faultAt(error, index);
  }
}

/** Return the fault with its index; what a payload lacks shows as an error of the platform. */
function faultAt(error, index) {
  if (error instanceof Unusable) return error;
  if (error instanceof Unsound) return Object.assign(error, { index });
  return new Unsound(
    "event.payload_invalid",
    "载荷不合其模式",
    `the payload is not of its schema: ${error.message}`,
    index,
  );
}

// ---------------------------------------------------------------------------------- the bundle

const OPENING = /^sealed\/([0-9a-f]{64})$/;
const CONTENT = /^content\/([0-9a-f]{64})$/;
const ANCHOR = /^anchors\/[0-9]{20}-[0-9a-f]{16}\.json$/;
const ANCHOR_SIZE_MAX = 1_000_000;
const NAMED_HASH = /"([0-9a-f]{64})"/g;
const TILE_SIZE_MAX = TILE_WIDTH * 65_537;
const CONTENT_SIZE_MAX = 2 ** 30;

/**
 * Return the verdict on a bundle: `{verdict: "sound" | "unsound" | "unusable", …}`.
 *
 * `bundle` is a Blob or bytes, `policy` the bytes of a tlog-policy file. Options: `knownCheckpoint`
 * (bytes of a signed note), `progress(done, total)` and, for the bundle of one asset's title,
 * `regulatorKeys` (ids of keys known to be regulators'). None of it may come out of the bundle.
 */
export async function verifyBundle(bundle, policy, options = {}) {
  try {
    if (!policy) throw new Unusable("没有验证策略（--policy）", "no policy was given (--policy)");
    const blob = bundle instanceof Blob ? bundle : new Blob([bundle]);
    const believed = parsePolicy(policy);
    const known = await openKnown(believed, options.knownCheckpoint);
    const found = await judgeEither(blob, believed, { ...options, known });
    return { verdict: "sound", notChecked: NOT_CHECKED, ...found };
  } catch (fault) {
    const verdict =
      fault instanceof Unsound ? "unsound" : fault instanceof Unusable ? "unusable" : null;
    if (verdict === null) throw fault;
    const { code, zh, en, index = null } = fault;
    return { verdict, code, index, zh, en, notChecked: NOT_CHECKED };
  }
}

/** Judge the bundle of a log or, where it has the member `dossier`, of one asset's title. */
async function judgeEither(blob, policy, options) {
  const start = new Uint8Array(await blob.slice(0, TITLE_JSON.length).arrayBuffer());
  if (equal(start, utf8(TITLE_JSON))) return judgeTitle(await titleOfJson(blob), policy, options);
  const zip = await Zip.open(blob);
  if (zip.members.has("dossier")) return judgeTitle(await titleOfZip(zip), policy, options);
  return judge(zip, policy, options);
}

async function judge(zip, policy, { known, progress = () => {} }) {
  if (!zip.members.has("checkpoint")) {
    throw new Unusable("证据包里没有检查点", "the bundle has no checkpoint");
  }
  const checkpoint = await openBundled(policy, await zip.read("checkpoint", 1_000_000));
  if (known !== null) requireNotBehind(checkpoint, known);
  requireMembersOf(zip, checkpoint.size);
  const [log, tree, tiles] = [new Log(checkpoint.origin), new Tree(), new Tiles(zip)];
  const [prefix, contents, openings] = [new Prefix(known), new Contents(zip), new Openings(zip)];
  const beside = [contents, new Anchors(await readAnchors(zip)), openings];
  for (const [level, index, width] of rowOfTiles("entries", checkpoint.size)) {
    const bodies = await entriesOf(zip, tilePath(level, index, width), index, width);
    await appendAll(log, bodies, (leaf, entry) => {
      tree.append(leaf, (...tile) => tiles.complete(...tile));
      for (const one of [prefix, ...beside]) one.see(entry, tree);
    });
    prefix.compare();
    await tiles.compare();
    progress(log.size, checkpoint.size);
  }
  log.finish();
  const [zh, en] = ["条目的默克尔根与检查点不符", "the entries have not the root that is signed"];
  demand(equal(tree.root(), checkpoint.root), "log.root_differs", zh, en);
  await tiles.finish(tree);
  requireLogKeys(log, checkpoint);
  for (const one of beside) await one.compare(checkpoint);
  const alone = known === null && checkpoint.witnesses.length === 0;
  return {
    kind: "log",
    origin: checkpoint.origin,
    size: checkpoint.size,
    root: hex(checkpoint.root),
    witnesses: checkpoint.witnesses,
    knownSize: known?.size ?? null,
    contents: contents.size,
    openings: openings.size,
    events: log.events,
    warnings: [...(alone ? [NO_TAIL] : []), ...openings.warnings],
  };
}

function requireLogKeys(log, { logs }) {
  demand(
    logs.every(({ vkey }) => log.isLogKey(vkey)),
    "log.key_not_announced",
    "签署检查点的密钥，账本未公布或已停用",
    "the log did not announce a key that signs this checkpoint, or retired it before",
  );
}

const NO_TAIL = {
  zh: "未给出已知检查点，也没有见证签名：若末尾被整体删去，本次验证看不出来",
  en: "no known checkpoint and no witness: a dropped tail would not show here",
};

/** Return the bundle's checkpoint, which must meet the whole policy. */
async function openBundled(policy, note) {
  try {
    return await openCheckpoint(policy, note);
  } catch (fault) {
    if (!(fault instanceof Unsound)) throw fault;
    throw new Unsound(
      "checkpoint.bundle_not_trusted",
      `检查点不符合验证策略：${fault.en}`,
      `the bundle checkpoint does not meet the policy: ${fault.en}`,
    );
  }
}

/**
 * Return the checkpoint that the verifier knows from elsewhere, or null where none was given. Its
 * log's signature is enough: a history that no witness saw is just what must come to light.
 */
async function openKnown(policy, note) {
  if (!note) return null;
  try {
    return await openCheckpoint({ ...policy, quorum: "none" }, note);
  } catch (fault) {
    if (!(fault instanceof Unsound)) throw fault;
    throw new Unusable(
      `已知检查点无法使用：${fault.en}`,
      `the known checkpoint cannot be used, no log of the policy signed it: ${fault.en}`,
    );
  }
}

function requireNotBehind(checkpoint, known) {
  demand(
    checkpoint.origin === known.origin,
    "checkpoint.other_log",
    `已知检查点属于 ${known.origin}`,
    `the known checkpoint is of ${known.origin}`,
  );
  if (checkpoint.size < known.size) {
    const [zh, en] = [
      `证据包只有 ${checkpoint.size} 条，已知有 ${known.size} 条：末尾被删去`,
      `the bundle has ${checkpoint.size} entries, ${known.size} are known: the tail was dropped`,
    ];
    throw new Unsound("log.tail_dropped", zh, en, checkpoint.size);
  }
}

/** Yield the names of all that a log of `size` has; entries come first. */
function* membersOf(size) {
  yield "checkpoint";
  for (const tile of rowOfTiles("entries", size)) yield tilePath(...tile);
  for (const tile of hashTiles(size)) yield tilePath(...tile);
}

/**
 * Refuse a zip without all that a log of `size` has, or with more. What is missing is told first:
 * the log can have signed any size, and no more names are made than the zip has members, and one.
 */
function requireMembersOf(zip, size) {
  const needed = new Set();
  for (const name of membersOf(size)) {
    needed.add(name);
    if (zip.members.has(name)) continue;
    throw new Unsound(
      "bundle.missing_member",
      `证据包缺少 ${name}`,
      `member ${name} is missing`,
      firstIndex(name),
    );
  }
  const unknown = [...zip.members.keys()].find(
    (name) => !needed.has(name) && ![CONTENT, ANCHOR, OPENING].some((form) => form.test(name)),
  );
  demand(
    unknown === undefined,
    "bundle.unknown_member",
    `成员 ${unknown} 不属于该检查点`,
    `member ${unknown} belongs to nothing that the checkpoint covers`,
  );
}

/** Return the entries of a bundle of `width`: `u16 length ‖ entry` for each. */
async function entriesOf(zip, name, index, width) {
  const data = await zip.read(name, TILE_SIZE_MAX);
  const entries = [];
  let at = 0;
  while (at < data.length && entries.length < width) {
    const end = at + 2 + data[at] * 256 + data[at + 1];
    entries.push(data.subarray(at + 2, end));
    at = end;
  }
  const whole = at === data.length && entries.length === width;
  if (!whole)
    throw new Unsound(
      "bundle.damaged",
      `${name} 已损坏`,
      `${name} does not hold ${width} entries`,
      index * TILE_WIDTH,
    );
  return entries;
}

/** Hash tiles are redundant: each must say what the entries say. Entries' own faults come first. */
class Tiles {
  #complete = [];
  #fault = null;

  constructor(zip) {
    this.zip = zip;
  }

  complete(level, index, hashes) {
    this.#complete.push([tilePath(level, index, hashes.length), concat(...hashes)]);
  }

  async compare() {
    for (const [name, data] of this.#complete.splice(0)) {
      if (!equal(await this.zip.read(name, TILE_SIZE_MAX), data)) {
        this.#fault ??= new Unsound(
          "tile.differs",
          `${name} 与条目不符`,
          `${name} is not of these entries`,
        );
      }
    }
  }

  /** Compare the last, unfinished tile of each level too. */
  async finish({ size, rows }) {
    rows.forEach((row, level) => {
      if (row.length) this.complete(level, Math.floor(size / TILE_WIDTH ** (level + 1)), row);
    });
    await this.compare();
    if (this.#fault !== null) throw this.#fault;
  }
}

/** A checkpoint known from elsewhere, or null: it must sign the first entries of this very log. */
class Prefix {
  #known;
  #forked = false;

  constructor(known) {
    this.#known = known;
  }

  see(_entry, tree) {
    if (tree.size === this.#known?.size) this.#forked = !equal(tree.root(), this.#known.root);
  }

  compare() {
    const en = "history was rewritten: the known checkpoint is no prefix of this log";
    demand(!this.#forked, "log.forked", "历史被改写：与已知检查点不符", en);
  }
}

/** Return the hashes that members of a form are named by. */
const hashesOf = (zip, form) =>
  [...zip.members.keys()].map((name) => form.exec(name)?.[1]).filter(Boolean);

/** What hashes in entries stand for: a statement must name it, and it must have that hash. */
class Contents {
  #zip;
  #names;
  #unnamed;

  constructor(zip) {
    this.#zip = zip;
    this.#names = hashesOf(zip, CONTENT);
    this.#unnamed = new Set(this.#names);
  }

  get size() {
    return this.#names.length;
  }

  see({ body }) {
    if (this.#unnamed.size === 0) return;
    for (const [, name] of fromUtf8(body).matchAll(NAMED_HASH)) this.#unnamed.delete(name);
  }

  async compare() {
    const [stray] = this.#unnamed;
    const [zh, en] = [`没有条目引用内容 ${stray}`, `no entry refers to content ${stray}`];
    demand(stray === undefined, "content.unnamed", zh, en);
    for (const name of this.#names) {
      const data = await this.#zip.read(`content/${name}`, CONTENT_SIZE_MAX);
      const fits = hex(await hashOfLarge(data)) === name;
      demand(fits, "content.differs", `内容 ${name} 已被改动`, `content ${name} was changed`);
    }
  }
}

/** SHA-256 by the platform where it has one: faster than ours on what is large. */
async function hashOfLarge(data) {
  const { subtle } = globalThis.crypto ?? {};
  return subtle ? new Uint8Array(await subtle.digest("SHA-256", data)) : sha256(data);
}

const PREFIXED_HASH = /^0x[0-9a-f]{64}$/;
const isPrefixedHash = (value) => isText(value) && PREFIXED_HASH.test(value);
const ANCHOR_MEMBERS = {
  origin: isText,
  chain_id: Number.isInteger,
  contract: (value) => isText(value) && /^0x[0-9a-fA-F]{40}$/.test(value),
  size: isCount,
  root: isPrefixedHash,
  previous_size: (value) => Number.isInteger(value) && value >= 0,
  previous_root: isPrefixedHash,
  block_number: Number.isInteger,
  block_hash: isPrefixedHash,
  block_time: isText,
};

const NO_ROOT = `0x${"0".repeat(64)}`; // before the first anchor there is none

/** Return the anchor receipts, by name; null for what is none. */
async function readAnchors(zip) {
  const found = new Map();
  for (const name of [...zip.members.keys()].filter((one) => ANCHOR.test(one)).sort())
    found.set(name, parseAnchor(await zip.read(name, ANCHOR_SIZE_MAX)));
  return found;
}

function parseAnchor(bytes) {
  try {
    const said = JSON.parse(fromUtf8(bytes));
    const isReceipt =
      isObject(said) &&
      Object.entries(ANCHOR_MEMBERS).every(
        ([name, test]) => Object.hasOwn(said, name) && test(said[name]),
      );
    return isReceipt ? said : null;
  } catch {
    return null;
  }
}

/** Anchor receipts beside the log as it grows: each must have the log's own roots. */
class Anchors {
  #receipts;
  #roots;

  constructor(receipts) {
    this.#receipts = receipts;
    const sizes = [...receipts.values()]
      .filter(Boolean)
      .flatMap((said) => [said.size, said.previous_size]);
    this.#roots = new Map(sizes.map((size) => [size, null]));
  }

  see(_entry, tree) {
    if (this.#roots.has(tree.size)) this.#roots.set(tree.size, `0x${hex(tree.root())}`);
  }

  /** Compare each; `holds` tells whether the first `size` entries, from 1 on, have a root. */
  compare({ origin, size }, holds = (one, root) => this.#roots.get(one) === root) {
    const isPrefix = (one, root) => (one === 0 ? root === NO_ROOT : holds(one, root));
    for (const [name, said] of this.#receipts) {
      demand(said !== null, "anchor.form", `${name} 不是锚定凭证`, `${name} is no anchor receipt`);
      const named = `anchors/${`${said.size}`.padStart(20, "0")}-${said.block_hash.slice(2, 18)}.json`;
      demand(name === named, "anchor.name", `${name} 名实不符`, `${name} should be ${named}`);
      demand(
        said.origin === origin,
        "anchor.site",
        `${name} 属于他处`,
        `${name} is of another log`,
      );
      if (said.size > size) {
        const zh = `${name} 锚定了 ${said.size} 条：末尾被删去`;
        const en = `${name} anchored ${said.size} entries: the tail was dropped`;
        throw new Unsound("log.tail_dropped", zh, en, size);
      }
      demand(
        holds(said.size, said.root),
        "anchor.root",
        `${name}：历史被改写`,
        `${name}: the log has another root at ${said.size}`,
      );
      demand(
        said.previous_size < said.size && isPrefix(said.previous_size, said.previous_root),
        "anchor.consistency",
        `${name}：前一锚定不是本账本的前缀`,
        `${name}: the anchor before it is no prefix of this log`,
      );
    }
  }
}

const SALT_SIZE = 32;

/** What opens sealed fields: `sealed/<commitment>` is salt ‖ JCS(value), and that is its hash. */
class Openings {
  warnings = [];
  #zip;
  #sealed; // commitment → the fields that it is the commitment of
  #signers = new Map(); // index of an entry that seals → its actor
  #erased = new Map(); // index and field → index of the order

  constructor(zip) {
    this.#zip = zip;
    this.#sealed = new Map(hashesOf(zip, OPENING).map((name) => [name, []]));
  }

  get size() {
    return this.#sealed.size;
  }

  see({ index, statement: { actor, event, payload, sealed } }) {
    if (this.size === 0) return;
    if (sealed !== undefined) this.#signers.set(index, actor);
    for (const [field, commitment] of Object.entries(sealed ?? {})) {
      this.#sealed.get(commitment)?.push({ index, field });
    }
    if (event === "opening.erased@1" && this.#signers.get(payload.index) === payload.sealed_by) {
      this.#erased.set(`${payload.index} ${payload.field}`, index);
    }
  }

  async compare() {
    const first = (places) => places[0]?.index ?? -1;
    const named = [...this.#sealed].sort(([, one], [, other]) => first(one) - first(other));
    for (const [commitment, places] of named) {
      const en = `no entry commits to ${commitment}`;
      demand(places.length, "opening.unnamed", `没有条目含有承诺 ${commitment}`, en);
      await this.#requireOpens(commitment, places[0]);
      places.forEach((place) => this.#warn(place));
    }
  }

  async #requireOpens(commitment, { index, field }) {
    const data = await this.#zip.read(`sealed/${commitment}`, SALT_SIZE + STATEMENT_SIZE_MAX);
    try {
      parseCanonical(data.subarray(SALT_SIZE));
    } catch ({ en }) {
      throw new Unsound(
        "opening.malformed",
        `${field} 的打开值有误：${en}`,
        `${field}: ${en}`,
        index,
      );
    }
    if (hex(sha256(data)) === commitment) return;
    const [zh, en] = [
      `${field} 的打开值与承诺不符`,
      `the opening of ${field} is not of its commitment`,
    ];
    throw new Unsound("opening.differs", zh, en, index);
  }

  #warn({ index, field }) {
    const by = this.#erased.get(`${index} ${field}`);
    if (by === undefined) return;
    this.warnings.push({
      zh: `第 ${by} 条责令删除第 ${index} 条的 ${field}，证据包仍带有其打开值`,
      en: `entry ${by} orders ${field} of entry ${index} to be erased; the bundle still opens it`,
    });
  }
}

// --------------------------------------------------------------------- the title of one asset

const TITLE_JSON = '{"members":{';
const TITLE_SIZE_MAX = 2 ** 28;
const TITLE_KEY = /^[A-Za-z0-9_/.:-]{1,300}$/;
const LOG_STATE = "log/exchange";
const CONSISTENCY = "consistency/";
const NO_BRANCH = new Uint8Array(32);

const TITLE_NOT_CHECKED = [
  {
    zh: "映射是否属实由重放全部账本者证明：见所列监管确认",
    en: "that the map is right is shown by whoever replayed the log: see the confirmations",
  },
  {
    zh: "各方签名密钥在当时是否有效，仅凭一项资产的条目无法判断",
    en: "whether a key was valid then cannot be seen from the entries of one asset",
  },
];

async function titleOfJson(blob) {
  if (blob.size > TITLE_SIZE_MAX) throw tooLarge("the bundle");
  const { value, spans } = parseCanonical(new Uint8Array(await blob.arrayBuffer()));
  const members = Object.entries(value.members);
  if (spans.size !== 1 || !members.every(([, text]) => isText(text))) throw badTitle("members");
  return new Map(members.map(([name, text]) => [name, utf8(text)]));
}

async function titleOfZip(zip) {
  const members = new Map();
  let left = TITLE_SIZE_MAX;
  for (const [name, { size }] of zip.members) {
    members.set(name, await zip.read(name, left));
    left -= size;
  }
  return members;
}

const badTitle = (en, index = null) =>
  new Unsound("title.malformed", `资产证据包有误：${en}`, `the bundle of the asset: ${en}`, index);

/** The members of a title bundle, each taken by who needs it; in the end none may be left. */
class Shelf {
  #left;

  constructor(members) {
    this.members = members;
    this.#left = new Set(members.keys());
  }

  take(name) {
    const data = this.members.get(name);
    const [zh, en] = [`证据包缺少 ${name}`, `member ${name} is missing`];
    demand(data !== undefined, "bundle.missing_member", zh, en);
    this.#left.delete(name);
    return data;
  }

  finish() {
    const [left] = this.#left;
    const [zh, en] = [`成员 ${left} 与该资产无关`, `member ${left} does not belong to this title`];
    demand(left === undefined, "bundle.unknown_member", zh, en);
  }
}

const isIndex = (value) => Number.isInteger(value) && value >= 0;
const isListOfEachOnce = (value, isOne) =>
  isListOf(value, isOne) && new Set(value).size === value.length;
const DOSSIER_MEMBERS = {
  also: (value) => isListOfEachOnce(value, (key) => isText(key) && TITLE_KEY.test(key)),
  asset: (value) => isText(value) && TITLE_KEY.test(value),
  confirmed: (value) => isListOfEachOnce(value, isIndex),
  map: isIndex,
  v: Number.isInteger,
};

/** Judge a title; what a payload or a state lacks shows as an error of the platform. */
async function judgeTitle(...given) {
  try {
    return await titleOf(...given);
  } catch (error) {
    throw error instanceof TypeError ? badTitle(error.message) : error;
  }
}

async function titleOf(members, policy, { known, regulatorKeys = [] }) {
  const shelf = new Shelf(members);
  const { value: dossier } = parseCanonical(shelf.take("dossier"));
  requireMembers("the dossier", dossier, DOSSIER_MEMBERS);
  if (dossier.v !== 1) throw new Unusable("未知的证据包版本", "a bundle of an unknown version");
  const note = shelf.take("checkpoint");
  const checkpoint = await openBundled(policy, note);
  const entries = await entriesOfTitle(shelf, checkpoint, note);
  const opened = saidAt(entries, 0, "log.opened@1");
  requireSame(opened.origin, checkpoint.origin);
  const { covers, root } = saidAt(entries, dossier.map, "map.committed@1");
  if (!isCount(covers) || covers > dossier.map)
    throw badTitle("the map covers itself", dossier.map);

  const states = new TitleStates(shelf, fromHex(root));
  const needed = new Set([0, dossier.map, ...dossier.confirmed]);
  for (const value of states.close(dossier)) {
    for (const index of wholeHistory(entries, value, covers)) needed.add(index);
  }
  const stray = [...entries.keys()].find((index) => !needed.has(index));
  if (stray !== undefined) throw badTitle(`entry ${stray} does not belong to this title`, stray);
  anchorsOfTitle(shelf).compare(checkpoint, titleRoots(shelf, checkpoint));
  shelf.finish();
  requireAnnounced(states.state(LOG_STATE), checkpoint);
  const keys = new Set([...regulatorKeys, ...opened.regulators.map(({ key }) => key)]);
  const confirmed = confirmations(entries, dossier, { covers, root }, keys);
  const warnings = titleWarnings(checkpoint, covers, confirmed, dossier.confirmed.length);
  if (known !== null) compareKnown(checkpoint, known, warnings);
  return {
    kind: "title",
    origin: checkpoint.origin,
    size: checkpoint.size,
    root: hex(checkpoint.root),
    witnesses: checkpoint.witnesses,
    covers,
    asset: dossier.asset,
    state: states.state(dossier.asset),
    proven: [...states.keys()].sort(),
    confirmed,
    entries: entries.size,
    warnings,
    notChecked: TITLE_NOT_CHECKED,
  };
}

/** Return the receipts of a title; what their blocks and signatures show is not asked here. */
function anchorsOfTitle(shelf) {
  const names = [...shelf.members.keys()].filter((name) => ANCHOR.test(name)).sort();
  return new Anchors(new Map(names.map((name) => [name, parseAnchor(shelf.take(name))])));
}

/** Return what tells whether a root of fewer entries leads to the checkpoint's: its proof does. */
function titleRoots(shelf, { size, root }) {
  return (oldSize, claimed) => {
    const oldRoot = fromHex(claimed.slice(2));
    if (oldSize === size) return equal(oldRoot, root);
    const name = `${CONSISTENCY}${oldSize}`;
    if (!shelf.members.has(name)) return false;
    const { value: proof } = parseCanonical(shelf.take(name));
    if (!isListOf(proof, isHash)) throw badTitle(`${name} is no consistency proof`);
    return isConsistent(oldSize, size, proof.map(fromHex), oldRoot, root);
  };
}

/** Demand that the log, as of the map, had announced a key of the checkpoint, and retired none. */
function requireAnnounced({ keys: { valid, retired = {} } }, { logs }) {
  const inUse = logs.some(({ vkey }) => Object.hasOwn(valid, vkey));
  const wasRetired = logs.some(({ vkey }) => Object.hasOwn(retired, hex(sha256(utf8(vkey)))));
  demand(
    inUse && !wasRetired,
    "log.key_not_announced",
    "签署检查点的密钥，账本未公布或已停用",
    "the log, as of the map, did not announce a key of this checkpoint, or had retired it",
  );
}

/** Return the entries that are given, by index, each proven under the bundle's own checkpoint. */
async function entriesOfTitle(shelf, checkpoint, note) {
  const entries = new Map();
  for (const name of shelf.members.keys()) {
    const [, number] = /^entry\/(0|[1-9][0-9]{0,14})$/.exec(name) ?? [];
    if (number === undefined) continue;
    const index = Number(number);
    const bytes = shelf.take(name);
    const proofBytes = shelf.take(`proof/${number}`);
    try {
      const proof = parseProof(proofBytes);
      if (proof.index !== index || !equal(proof.checkpoint, note))
        throw badTitle("a proof of another");
      if (!isIncluded(bytes, proof, checkpoint)) throw badTitle("an entry that is not in the log");
      const entry = parseEntry(bytes);
      if (entry.index !== index) throw differs("index");
      requireSame(entry.statement.log, checkpoint.origin);
      const fault = await signatureFault(entry, index);
      if (fault !== null) throw fault;
      entries.set(index, { ...entry, leaf: hex(leafHash(bytes)) });
    } catch (error) {
      throw faultAt(error, index);
    }
  }
  return entries;
}

function saidAt(entries, index, event) {
  const statement = entries.get(index)?.statement;
  if (statement?.event !== event) throw badTitle(`entry ${index} should be ${event}`, index);
  return statement.payload;
}

/** Return the indexes of all entries about an aggregate that the map covers, chained to its head. */
function wholeHistory(entries, { key, count, head }, covers) {
  const about = [...entries.values()].filter(
    ({ index, subjects }) => index < covers && Object.hasOwn(subjects, key),
  );
  about.sort((one, other) => one.subjects[key].seq - other.subjects[key].seq);
  let previous = NO_PREVIOUS;
  about.forEach(({ index, subjects, leaf }, at) => {
    const { seq, prev } = subjects[key];
    if (seq !== at + 1 || prev !== previous)
      throw badTitle(`the history of ${key} is broken`, index);
    previous = leaf;
  });
  if (about.length !== count || previous !== head)
    throw badTitle(`the history of ${key} is not whole`);
  return about.map(({ index }) => index);
}

function confirmations(entries, { confirmed, map }, committed, keys) {
  const found = [];
  for (const index of confirmed) {
    const said = saidAt(entries, index, "map.confirmed@1");
    const same = said.covers === committed.covers && said.root === committed.root;
    if (!same || said.map !== entries.get(map).leaf) throw badTitle("confirms another map", index);
    const { statement, recorded_at: recordedAt } = entries.get(index);
    if (keys.has(statement.key)) found.push({ regulator: statement.actor, index, recordedAt });
  }
  return found;
}

function titleWarnings({ size, witnesses }, covers, confirmed, given) {
  const warnings = [];
  if (covers < size) {
    const [zh, en] = [
      `第 ${covers} 条至第 ${size - 1} 条不在证明范围内`,
      `what happened in entries ${covers} to ${size - 1} is not covered`,
    ];
    warnings.push({ zh, en });
  }
  if (confirmed.length === 0) {
    warnings.push({
      zh: "没有已知监管密钥确认此映射",
      en: "no regulator's known key confirmed this map",
    });
  }
  if (confirmed.length < given) {
    warnings.push({
      zh: "有确认由未知密钥签署",
      en: "there are confirmations by keys not known here",
    });
  }
  if (witnesses.length === 0) {
    warnings.push({
      zh: "检查点没有见证签名",
      en: "no witness cosigned: a second log would not show here",
    });
  }
  return warnings;
}

function compareKnown(checkpoint, known, warnings) {
  demand(
    known.origin === checkpoint.origin,
    "checkpoint.other_log",
    "属于另一账本",
    `is of ${known.origin}`,
  );
  const forked = known.size === checkpoint.size && !equal(known.root, checkpoint.root);
  demand(!forked, "log.forked", "同一大小有两个根", "two roots signed for one size");
  if (known.size !== checkpoint.size) {
    warnings.push({
      zh: "已知检查点大小不同，无法比较",
      en: `the known checkpoint has ${known.size} entries; it cannot be compared`,
    });
  }
}

const isHash = (value) => isText(value) && HASH.test(value);
const MAP_PROOF_MEMBERS = {
  key: isText,
  siblings: (value) => isListOf(value, isHash) && value.length <= 256,
};
const MAP_VALUE_MEMBERS = { count: isCount, head: isHash, key: isText, state: isHash };
const isPair = (value) => isListOf(value, isHash) && value.length === 2;

/** Return what a map of `root` holds of `key`, null for nothing; a proof has one spelling. */
export function valueInMap(root, key, bytes) {
  const { value: proof, text, spans } = parseCanonical(bytes);
  requireMembers("the map proof", proof, MAP_PROOF_MEMBERS, { other: isPair, value: isObject });
  const [path, { value, other }] = [sha256(utf8(key)), proof];
  if (value !== undefined) requireMembers("the value", value, MAP_VALUE_MEMBERS);
  const about =
    proof.key === key && (value === undefined || (value.key === key && other === undefined));
  if (!about) throw badTitle(`the map proof of ${key} is about something else`);
  const bit = (bits, at) => (bits[at >> 3] >> (7 - (at & 7))) & 1;
  let found = NO_BRANCH;
  if (value !== undefined) {
    found = sha256(Uint8Array.of(2), path, sha256(utf8(text.slice(...spans.get("value")))));
  } else if (other !== undefined) {
    const [elsewhere, hash] = other.map(fromHex);
    const beside = proof.siblings.every((_, at) => bit(elsewhere, at) === bit(path, at));
    if (!beside || equal(elsewhere, path)) throw badTitle(`the map proof of ${key} ends elsewhere`);
    found = sha256(Uint8Array.of(2), elsewhere, hash);
  }
  for (let at = proof.siblings.length - 1; at >= 0; at -= 1) {
    const [beside, three] = [fromHex(proof.siblings[at]), Uint8Array.of(3)];
    found = bit(path, at) ? sha256(three, beside, found) : sha256(three, found, beside);
  }
  if (!equal(found, root)) throw badTitle(`the map proof of ${key} does not lead to the root`);
  return value ?? null;
}

/**
 * What a state draws into the title, by the kind of its key: `whole` with all of its history,
 * `parties` as they stand.
 */
const DRAWN = {
  asset: {
    whole: ({
      id,
      holder,
      latest_version: latest = 0,
      liens = [],
      rights = {},
      incidents = [],
      ...one
    }) => [
      ...Array.from({ length: latest }, (_, at) => `version/${id}/${at + 1}`),
      ...liens.map(({ by }) => by),
      ...Object.values(rights).map(({ registration }) => registration),
      ...[one.claim_open, one.exclusive_licence].filter((key) => key),
      ...incidents,
      `insured/${id}/${holder}`,
    ],
    parties: ({ holder, liens = [], rights = {} }) => [
      holder,
      ...[...liens, ...Object.values(rights)].map((one) => one.holder),
    ],
  },
  pledge: {
    whole: ({ valuation }) => [valuation].filter((key) => key),
    parties: ({ pledgor, lender }) => [pledgor, lender],
  },
  insured: { whole: ({ covers = {} }) => Object.keys(covers) },
  cover: { parties: ({ insurer }) => [insurer] },
  valuation: { parties: ({ appraiser }) => [appraiser] },
  guarantee: { parties: ({ guarantor }) => [guarantor] },
  licence: { parties: ({ buyer }) => [buyer] },
};
const kindOf = (key) => /^[a-z]+/.exec(key)?.[0] ?? "";

/** The aggregates of a title, each as the map holds it: those that its states name, and no other. */
class TitleStates {
  #states = new Map();
  #values = new Map();

  constructor(shelf, root) {
    this.shelf = shelf;
    this.root = root;
  }

  keys() {
    return this.#states.keys();
  }

  state(key) {
    return this.#states.get(key).value;
  }

  /** Prove the whole set; return what the map says of those whose history belongs to it. */
  close({ asset, also }) {
    if (kindOf(asset) !== "asset") throw badTitle(`${asset} is no asset`);
    const alone = [...this.#reach([asset]).keys()];
    const found = this.#reach([asset, LOG_STATE, ...also]);
    for (const key of also) {
      const text = this.#states.get(key)?.text ?? "";
      if (alone.includes(key) || !alone.some((one) => text.includes(`"${one}"`)))
        throw badTitle(`${key} does not name this title`);
    }
    return [...found]
      .filter(([key, whole]) => whole && this.#values.has(key))
      .map(([key]) => this.#values.get(key));
  }

  #reach(keys) {
    const found = new Map();
    const queue = keys.map((key) => [key, true]);
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const [key, whole] = next;
      if (found.has(key)) {
        found.set(key, found.get(key) || whole);
        continue;
      }
      found.set(key, whole);
      const [state, drawn] = [this.#state(key), DRAWN[kindOf(key)]];
      if (state === null) continue;
      for (const one of drawn?.whole?.(state.value) ?? []) queue.push([one, true]);
      for (const one of drawn?.parties?.(state.value) ?? []) queue.push([one, false]);
    }
    return found;
  }

  #state(key) {
    if (this.#states.has(key)) return this.#states.get(key);
    const value = valueInMap(this.root, key, this.shelf.take(`map/${key}`));
    if (value === null) {
      if (kindOf(key) !== "insured") throw badTitle(`the map holds nothing of ${key}`);
      return null;
    }
    const data = this.shelf.take(`state/${key}`);
    if (hex(sha256(data)) !== value.state)
      throw badTitle(`the state of ${key} is not that of the map`);
    const { value: state, text } = parseCanonical(data);
    this.#values.set(key, value);
    this.#states.set(key, { value: state, text });
    return this.#states.get(key);
  }
}

// --------------------------------------------------------------------------------- the command

const USAGE =
  "node verify.mjs BUNDLE --policy FILE [--known-checkpoint FILE] [--regulator KEY_ID]... [--json]";

/** Return what a sound verdict says, as [label, value] for people. */
export function facts(found) {
  const shared = [
    ["账本 log", found.origin],
    ["条目 entries", found.size],
    ["根 root", found.root],
    ["见证 witnesses", found.witnesses.join(", ") || "—"],
  ];
  if (found.kind === "log") {
    return [
      ...shared,
      ["已知检查点 known checkpoint", found.knownSize ?? "—"],
      ["内容 contents", found.contents],
      ["已打开的密封字段 opened fields", found.openings],
    ];
  }
  const { title, holder, liens = [], freezes = [] } = found.state;
  return [
    ...shared,
    ["资产 asset", `${found.asset} ${title}`],
    ["截至条目 as of entry", found.covers],
    ["持有人 holder", holder],
    ["担保 liens", liens.map((lien) => `${lien.by} (${lien.holder})`).join(", ") || "—"],
    ["冻结 freezes", freezes.join(", ") || "—"],
    ["已证明 proven", found.proven.join(", ")],
    ["监管确认 confirmed by", found.confirmed.map(({ regulator }) => regulator).join(", ") || "—"],
  ];
}

/** Return the heading of a verdict. */
export function heading({ verdict, kind }) {
  if (verdict === "unsound") return "✗ 不可信 UNSOUND";
  if (verdict === "unusable") return "? 无法验证 unusable";
  if (kind === "title") return "✓ 权属可信 SOUND, the title as of its map";
  return "✓ 可信（业务规则未重放） SOUND, business rules not replayed";
}

/** Return a verdict in lines for people. */
export function inWords(found) {
  if (found.verdict !== "sound") {
    const place = found.index === null ? "" : `第 ${found.index} 条 entry ${found.index} · `;
    return [`${heading(found)} ${place}${found.code}`, `  ${found.zh}`, `  ${found.en}`];
  }
  return [
    heading(found),
    ...facts(found).map(([label, value]) => `  ${label}: ${value}`),
    ...found.warnings.flatMap(({ zh, en }) => [`  ! ${zh}`, `    ${en}`]),
    ...found.notChecked.flatMap(({ zh, en }) => [`  · ${zh}`, `    ${en}`]),
  ];
}

/** Spell out what could steer a terminal: a bundle's names are anyone's text. */
const harmless = (line) =>
  line.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

async function main(fs, { argv, stdout, stderr }) {
  const { parseArgs } = await import("node:util");
  let given;
  try {
    given = parseArgs({
      args: argv.slice(2),
      allowPositionals: true,
      options: {
        policy: { type: "string" },
        "known-checkpoint": { type: "string" },
        regulator: { type: "string", multiple: true },
        json: { type: "boolean" },
      },
    });
    if (given.positionals.length !== 1) throw new Error("one bundle");
  } catch (error) {
    stderr.write(`${error.message}\n${USAGE}\n`);
    return 2;
  }
  const { policy, "known-checkpoint": known, regulator: regulatorKeys, json } = given.values;
  let found;
  try {
    found = await verifyBundle(
      await fs.openAsBlob(given.positionals[0]),
      policy && fs.readFileSync(policy),
      {
        knownCheckpoint: known && fs.readFileSync(known),
        regulatorKeys,
      },
    );
  } catch (error) {
    found = {
      verdict: "unusable",
      code: "unusable",
      index: null,
      zh: error.message,
      en: error.message,
    };
  }
  stdout.write(`${json ? JSON.stringify(found) : inWords(found).map(harmless).join("\n")}\n`);
  return { sound: 0, unsound: 1, unusable: 2 }[found.verdict];
}

if (globalThis.process?.versions?.node) {
  const [fs, { pathToFileURL }] = await Promise.all([import("node:fs"), import("node:url")]);
  const [, script] = process.argv;
  if (
    script &&
    fs.existsSync(script) &&
    import.meta.url === pathToFileURL(fs.realpathSync(script)).href
  ) {
    process.exitCode = await main(fs, process);
  }
}
