// Runs many cases against api/verify.mjs in one process: JSON lines in, JSON lines out.

import fs from "node:fs";
import * as v from "../../api/verify.mjs";

const bytes = (base64) => new Uint8Array(Buffer.from(base64, "base64"));
const optional = (base64) => (base64 ? bytes(base64) : undefined);

function accepts(check) {
  try {
    check();
    return true;
  } catch (fault) {
    if (fault instanceof v.Unsound || fault instanceof v.Unusable) return false;
    throw fault;
  }
}

const CHECKS = {
  bundle: async ({ path, policy, known }) =>
    v.verifyBundle(await fs.openAsBlob(path), optional(policy), {
      knownCheckpoint: optional(known),
    }),
  hash: ({ name, data }) => v.hex(v[name](bytes(data))),
  canonical: ({ data }) => accepts(() => v.parseCanonical(bytes(data))),
  entry: ({ data }) => accepts(() => v.parseEntry(bytes(data))),
  note: ({ data }) => accepts(() => v.parseNote(bytes(data))),
  policy: ({ data }) => accepts(() => v.parsePolicy(bytes(data))),
  vkey: ({ text }) => v.parseVkey(text) !== null,
  key: ({ id }) => accepts(() => v.parseKey(id)),
  ed25519: ({ key, message, signature }) =>
    v.verifyEd25519(bytes(key), bytes(message), bytes(signature)),
  arithmetic: ({ key, message, signature }) =>
    v.isEd25519Key(bytes(key)) &&
    v.verifyEd25519InArithmetic(bytes(key), bytes(message), bytes(signature)),
  /** The predicate on a platform that lets every signature pass, or that has no Ed25519. */
  async beside({ platform, key, message, signature }) {
    const { importKey, verify } = crypto.subtle;
    if (platform === "lenient") crypto.subtle.verify = async () => true;
    else crypto.subtle.importKey = () => Promise.reject(new Error("no Ed25519"));
    try {
      const apart = await import(`../../api/verify.mjs?${platform}`);
      return await apart.verifyEd25519(bytes(key), bytes(message), bytes(signature));
    } finally {
      Object.assign(crypto.subtle, { importKey, verify });
    }
  },
  secp256k1: ({ key, message, signature }) =>
    v.verifySecp256k1(bytes(key), bytes(message), bytes(signature)),
  sm2: ({ key, message, signature }) =>
    v.verifySm2(bytes(key), bytes(message), bytes(signature)),
  mldsa44: ({ key, message, signature }) =>
    v.verifyMlDsa44(bytes(key), bytes(message), bytes(signature)),
  statement: ({ statement, signature }) =>
    v.isStatementSigned(JSON.parse(statement), v.utf8(statement), signature),
  inclusion({ leafIdx, treeSize, root, leafHash, proof }) {
    const path = (proof ?? []).map(bytes);
    const found = v.rootFromInclusion(bytes(leafHash), leafIdx, treeSize, path);
    return found !== null && v.base64(found) === root;
  },
  consistency: ({ size1, size2, root1, root2, proof }) =>
    v.isConsistent(size1, size2, (proof ?? []).map(bytes), bytes(root1), bytes(root2)),
  async checkpoint({ data, policy }) {
    try {
      const found = await v.openCheckpoint(v.parsePolicy(bytes(policy)), bytes(data));
      return { origin: found.origin, size: found.size, witnesses: found.witnesses };
    } catch (fault) {
      if (fault instanceof v.Unsound) return null;
      throw fault;
    }
  },
  async proof({ entry, proof, policy, origin }) {
    try {
      return await v.verifyEntryProof(
        v.utf8(entry),
        v.utf8(proof),
        v.parsePolicy(bytes(policy)),
        origin,
      );
    } catch (fault) {
      if (fault instanceof v.Unsound) return false;
      throw fault;
    }
  },
};

for (const line of fs.readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const { check, ...given } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await CHECKS[check](given))}\n`);
}
