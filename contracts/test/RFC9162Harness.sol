// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RFC9162} from "../src/RFC9162.sol";

/// @title Opens the library's internal functions to the tests; never deployed elsewhere.
contract RFC9162Harness {
    function leafHash(bytes calldata entry) external pure returns (bytes32) {
        return RFC9162.leafHash(entry);
    }

    function includes(
        uint256 index,
        uint256 size,
        bytes32 leaf,
        bytes32 root,
        bytes32[] calldata proof
    ) external view returns (bool) {
        return RFC9162.includes(index, size, leaf, root, proof);
    }

    function isExtendedBy(
        uint256 size1,
        uint256 size2,
        bytes32 root1,
        bytes32 root2,
        bytes32[] calldata proof
    ) external view returns (bool) {
        return RFC9162.isExtendedBy(size1, size2, root1, root2, proof);
    }
}
