// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title RFC 9162 Merkle tree proofs
/// @notice Checks inclusion and consistency proofs of Certificate Transparency's Merkle tree.
/// @dev Leaf hash SHA-256(00 || entry), node hash SHA-256(01 || left || right). A tree's size fixes
/// the length of every proof, so a node can never pass for a leaf nor a proof for a longer one.
/// Both checks return false rather than revert: the caller chooses the error. A zero root proves
/// nothing: it is what storage answers where no root was ever written, and without this rule it
/// would vouch for a zero leaf in a tree of one.
library RFC9162 {
    /// @notice Returns the leaf hash of an entry (section 2.1.1).
    /// @param entry The entry's bytes as the log holds them.
    function leafHash(bytes calldata entry) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(bytes1(0x00), entry));
    }

    /// @notice Whether a leaf is at `index` in the tree of `size` leaves (section 2.1.3.2).
    /// @param index The leaf's position, from 0.
    /// @param size The number of leaves of the tree.
    /// @param leaf The leaf hash.
    /// @param root The root of the tree.
    /// @param proof The inclusion path, from the leaf up.
    function includes(
        uint256 index,
        uint256 size,
        bytes32 leaf,
        bytes32 root,
        bytes32[] calldata proof
    ) internal view returns (bool) {
        if (index >= size || root == 0) return false;
        uint256 fn = index;
        uint256 sn = size - 1;
        bytes32 r = leaf;
        for (uint256 i = 0; i < proof.length; ++i) {
            if (sn == 0) return false;
            bytes32 p = proof[i];
            if (fn & 1 == 1 || fn == sn) {
                r = _node(p, r);
                // A last node without a sibling is promoted, not paired with itself.
                while (fn & 1 == 0 && fn != 0) {
                    fn >>= 1;
                    sn >>= 1;
                }
            } else {
                r = _node(r, p);
            }
            fn >>= 1;
            sn >>= 1;
        }
        return sn == 0 && r == root;
    }

    /// @notice Whether the tree of `size2` leaves starts with the tree of `size1` (section 2.1.4.2).
    /// @dev The empty tree is consistent with everything and so proves nothing: `size1 == 0` is
    /// refused. Equal sizes need equal roots and an empty proof.
    /// @param size1 The number of leaves of the older tree, at least 1.
    /// @param size2 The number of leaves of the newer tree.
    /// @param root1 The root of the older tree.
    /// @param root2 The root of the newer tree.
    /// @param proof The consistency path.
    function isExtendedBy(
        uint256 size1,
        uint256 size2,
        bytes32 root1,
        bytes32 root2,
        bytes32[] calldata proof
    ) internal view returns (bool) {
        if (size1 == 0 || size1 > size2 || root1 == 0) return false;
        if (size1 == size2) return proof.length == 0 && root1 == root2;
        if (proof.length == 0) return false;
        uint256 fn = size1 - 1;
        uint256 sn = size2 - 1;
        while (fn & 1 == 1) {
            fn >>= 1;
            sn >>= 1;
        }
        // fn is 0 exactly when size1 is a power of two: the older root is then a node of the
        // newer tree, and the prover leaves it out of the path.
        uint256 i = fn == 0 ? 0 : 1;
        bytes32 fr = i == 0 ? root1 : proof[0];
        bytes32 sr = fr;
        for (; i < proof.length; ++i) {
            if (sn == 0) return false;
            bytes32 c = proof[i];
            if (fn & 1 == 1 || fn == sn) {
                fr = _node(c, fr);
                sr = _node(c, sr);
                while (fn & 1 == 0 && fn != 0) {
                    fn >>= 1;
                    sn >>= 1;
                }
            } else {
                sr = _node(sr, c);
            }
            fn >>= 1;
            sn >>= 1;
        }
        return sn == 0 && fr == root1 && sr == root2;
    }

    /// @dev SHA-256(01 || left || right) by the precompile at address 2. The 65 bytes are written
    /// past the free memory pointer, which stays where it is: nothing is allocated per node.
    function _node(bytes32 left, bytes32 right) private view returns (bytes32 hash) {
        bool ok;
        assembly ("memory-safe") {
            let p := mload(0x40)
            mstore8(p, 0x01)
            mstore(add(p, 0x01), left)
            mstore(add(p, 0x21), right)
            ok := staticcall(gas(), 0x02, p, 0x41, 0x00, 0x20)
            // A chain without the precompile answers success and no bytes.
            ok := and(ok, eq(returndatasize(), 0x20))
            hash := mload(0x00)
        }
        assert(ok);
    }
}
