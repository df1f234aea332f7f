// Compiles the contracts with npm's solc and fixed settings, so that equal sources give equal bytes.
//
//   node compile.mjs            writes the artifact of CheckpointAnchor
//   node compile.mjs --check    exits 1 unless the committed artifact is what the sources give
//   node compile.mjs --harness NAME  prints the artifact of a test harness
//
// No metadata hash is appended (bytecodeHash none, appendCBOR false): the bytecode depends on the
// sources' meaning, not on comments or paths.

import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import solc from "solc";

const here = dirname(fileURLToPath(import.meta.url));
const artifactPath = join(
  here, "../src/dataexchange/anchoring/artifact/CheckpointAnchor.json",
);
const settings = {
  // Paris knows no PUSH0: the bytecode runs on older and on permissioned chains too.
  evmVersion: "paris",
  optimizer: { enabled: true, runs: 10000 },
  metadata: { bytecodeHash: "none", appendCBOR: false },
};

function compile(path, name) {
  const read = (file) => ({ content: readFileSync(join(here, file), "utf8") });
  const files = ["src/RFC9162.sol", "src/CheckpointAnchor.sol", path];
  const output = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object",
    "evm.deployedBytecode.immutableReferences"];
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(files.map((file) => [file, read(file)])),
    settings: { ...settings, outputSelection: { [path]: { [name]: output } } },
  };
  const result = JSON.parse(solc.compile(JSON.stringify(input)));
  for (const error of result.errors ?? []) {
    process.stderr.write(error.formattedMessage);
  }
  if (result.errors?.length) {
    process.exit(1);
  }
  return artifact(name, result.contracts[path][name]);
}

function artifact(name, { abi, evm }) {
  const spots = Object.values(evm.deployedBytecode.immutableReferences).flat();
  const document = {
    contractName: name,
    compiler: { name: "solc", version: solc.version(), settings },
    abi,
    bytecode: `0x${evm.bytecode.object}`,
    deployedBytecode: `0x${evm.deployedBytecode.object}`,
    immutableSpots: spots.sort((a, b) => a.start - b.start),
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

const [mode, harness] = process.argv.slice(2);
if (mode === "--harness") {
  process.stdout.write(compile(`test/${harness}.sol`, harness));
} else {
  const fresh = compile("src/CheckpointAnchor.sol", "CheckpointAnchor");
  if (mode === "--check") {
    if (readFileSync(artifactPath, "utf8") !== fresh) {
      process.stderr.write("the committed artifact differs from what the sources give\n");
      process.exit(1);
    }
  } else {
    writeFileSync(artifactPath, fresh);
  }
}
