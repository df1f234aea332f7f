"""The log: canonical JSON, statements, entries, hash chains, Merkle tree, checkpoints, proofs."""
