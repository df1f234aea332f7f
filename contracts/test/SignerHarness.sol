// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CheckpointAnchor} from "../src/CheckpointAnchor.sol";

/// @title Opens the contract's check of signatures to the tests; never deployed elsewhere.
contract SignerHarness is CheckpointAnchor {
    constructor() CheckpointAnchor(bytes32(uint256(1)), address(1)) {}

    function requireSigner(
        bytes32 digest,
        bytes calldata signature,
        address expected
    ) external pure {
        _requireSigner(digest, signature, expected);
    }
}
