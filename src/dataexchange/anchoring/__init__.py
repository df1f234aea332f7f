"""Anchor the log's checkpoints on an EVM chain, and check the anchors.

The only room that knows web3; it needs the extra `evm`. Import from its modules:

    `deployment`    deploy the contract, rotate the anchor key, record a fork
    `worker`        the process that anchors; `store`, `source`, `plan` say what it needs
    `status`        how anchoring stands
    `verify`        check receipts offline and against the chain
    `keyfile`       keep keys in files
    `local_chain`   a private chain for tests and demonstrations

The contract's ABI and bytecode are in `artifact/`, compiled from `contracts/src/`.
"""
