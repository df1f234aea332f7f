// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RFC9162} from "./RFC9162.sol";

/// @title Checkpoint anchor of one append-only log
/// @notice Holds roots of one RFC 9162 log. A root is accepted only if the anchor key authorised it,
/// the log has grown, and a consistency proof shows that nothing anchored before was changed.
/// @dev No owner, no proxy, no pause: the code that was deployed is the code that decides. Whoever
/// sends a transaction pays for it and decides nothing; all authority is in EIP-712 signatures.
contract CheckpointAnchor {
    /// @notice A root that an anchor key signed for some size.
    struct SignedRoot {
        /// The epoch of the key that signed.
        uint32 epoch;
        /// The Merkle root.
        bytes32 root;
        /// 65 bytes r || s || v over the EIP-712 message `Checkpoint`.
        bytes signature;
    }

    /// @notice Two different roots that anchor keys signed for one size.
    struct Fork {
        bytes32 rootA;
        bytes32 rootB;
        uint32 epochA;
        uint32 epochB;
    }

    /// @notice A root was anchored.
    /// @param size The number of entries of the log that the root covers.
    /// @param root The Merkle root of these entries.
    /// @param previousSize The size anchored before, which the root was proved to extend; 0 at first.
    /// @param epoch The epoch of the key that authorised it.
    event Anchored(
        uint64 indexed size,
        bytes32 indexed root,
        uint64 previousSize,
        uint32 epoch
    );

    /// @notice The anchor key was replaced.
    /// @param epoch The epoch that the new key begins.
    /// @param oldKey The key that authorised the change.
    /// @param newKey The key that counts from now on.
    event KeyRotated(uint32 indexed epoch, address indexed oldKey, address indexed newKey);

    /// @notice Proof was given that two roots were signed for one size: the log shows two histories.
    event ForkRecorded(
        uint64 indexed size,
        bytes32 rootA,
        bytes32 rootB,
        uint32 epochA,
        uint32 epochB
    );

    /// @notice The origin is zero.
    error ZeroOrigin();
    /// @notice The key is the zero address.
    error ZeroKey();
    /// @notice The root is zero, which marks sizes that were never anchored.
    error ZeroRoot();
    /// @notice The size does not exceed the size anchored last.
    error SizeNotGrowing(uint64 size, uint64 headSize);
    /// @notice The proof does not show that the new tree extends the one anchored last.
    error InconsistentRoot(uint64 headSize, uint64 size);
    /// @notice The signature is not 65 bytes, not in its low-s form, or recovers to nothing.
    error MalformedSignature();
    /// @notice Somebody signed, but not the key that has to.
    error WrongSigner(address signer, address expected);
    /// @notice No root was anchored at this size.
    error SizeNotAnchored(uint64 size);
    /// @notice No key ever had this epoch.
    error UnknownEpoch(uint32 epoch);
    /// @notice The two signed roots are the same: no fork.
    error EqualRoots();
    /// @notice A fork at this size is on record already.
    error ForkAlreadyRecorded(uint64 size);

    string private constant NAME = "dataexchange CheckpointAnchor";
    string private constant VERSION = "1";
    bytes32 private constant DOMAIN_TYPEHASH = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    );
    bytes32 private constant CHECKPOINT_TYPEHASH =
        keccak256("Checkpoint(bytes32 origin,uint32 epoch,uint64 size,bytes32 root)");
    bytes32 private constant ROTATION_TYPEHASH =
        keccak256("KeyRotation(bytes32 origin,uint32 epoch,address newKey)");
    /// Half the order of secp256k1: a signature with a greater s has a twin and is refused (EIP-2).
    uint256 private constant HALF_ORDER =
        0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice SHA-256 of the log's origin (the first line of its checkpoints, without the newline).
    bytes32 public immutable origin;

    /// @notice The key that authorises roots now.
    address public anchorKey;
    /// @notice How often the key was rotated.
    uint32 public epoch;
    /// @notice The size anchored last; 0 if none was.
    uint64 public headSize;

    /// @notice The root anchored at a size; zero if none was.
    mapping(uint64 size => bytes32 root) public rootAt;
    /// @notice The key of an epoch; zero if there was no such epoch.
    mapping(uint32 epoch => address key) public keyAt;
    /// @notice The fork on record at a size; zero roots if there is none.
    mapping(uint64 size => Fork fork) public forkAt;
    /// @notice At how many sizes a fork is on record. Anything but 0 means: do not trust this log.
    uint256 public forkCount;

    /// @param origin_ SHA-256 of the log's origin.
    /// @param anchorKey_ The first anchor key, epoch 0.
    constructor(bytes32 origin_, address anchorKey_) {
        if (origin_ == 0) revert ZeroOrigin();
        if (anchorKey_ == address(0)) revert ZeroKey();
        origin = origin_;
        anchorKey = anchorKey_;
        keyAt[0] = anchorKey_;
        emit KeyRotated(0, address(0), anchorKey_);
    }

    /// @notice Anchors a root that extends the one anchored last.
    /// @dev A copied transaction changes only who pays: it anchors the same root.
    /// @param size The number of entries, greater than `headSize`.
    /// @param root The Merkle root of these entries.
    /// @param proof The RFC 9162 consistency proof from `headSize` to `size`; empty for the first.
    /// @param signature By `anchorKey`, over
    /// `Checkpoint(bytes32 origin,uint32 epoch,uint64 size,bytes32 root)`.
    function anchor(
        uint64 size,
        bytes32 root,
        bytes32[] calldata proof,
        bytes calldata signature
    ) external {
        uint64 previousSize = headSize;
        uint32 currentEpoch = epoch;
        if (size <= previousSize) revert SizeNotGrowing(size, previousSize);
        if (root == 0) revert ZeroRoot();
        _requireSigner(_checkpointDigest(currentEpoch, size, root), signature, anchorKey);
        if (!_extendsHead(previousSize, size, root, proof)) {
            revert InconsistentRoot(previousSize, size);
        }
        headSize = size;
        rootAt[size] = root;
        emit Anchored(size, root, previousSize, currentEpoch);
    }

    /// @notice Replaces the anchor key.
    /// @dev The old key authorises; the new key proves that somebody holds it. Both sign the same
    /// message, which names the epoch to come and so works once.
    /// @param newKey The key that counts from now on.
    /// @param oldSignature By `anchorKey`, over
    /// `KeyRotation(bytes32 origin,uint32 epoch,address newKey)` with `epoch` one more than now.
    /// @param newSignature By `newKey`, over the same message.
    function rotateKey(
        address newKey,
        bytes calldata oldSignature,
        bytes calldata newSignature
    ) external {
        if (newKey == address(0)) revert ZeroKey();
        address oldKey = anchorKey;
        uint32 nextEpoch = epoch + 1;
        bytes32 digest = _digest(keccak256(abi.encode(ROTATION_TYPEHASH, origin, nextEpoch, newKey)));
        _requireSigner(digest, oldSignature, oldKey);
        _requireSigner(digest, newSignature, newKey);
        anchorKey = newKey;
        epoch = nextEpoch;
        keyAt[nextEpoch] = newKey;
        emit KeyRotated(nextEpoch, oldKey, newKey);
    }

    /// @notice Records that two different roots were signed for one size. Anyone may.
    /// @dev Roots need not be anchored: signing was the offence. Anchoring goes on, because the
    /// record cannot be undone and a halt would help whoever wants no more anchors.
    /// @param size The size that both signatures name.
    /// @param a One signed root.
    /// @param b Another signed root.
    function recordFork(uint64 size, SignedRoot calldata a, SignedRoot calldata b) external {
        if (a.root == b.root) revert EqualRoots();
        if (forkAt[size].rootA != forkAt[size].rootB) revert ForkAlreadyRecorded(size);
        _requireSignedRoot(size, a);
        _requireSignedRoot(size, b);
        forkAt[size] = Fork(a.root, b.root, a.epoch, b.epoch);
        ++forkCount;
        emit ForkRecorded(size, a.root, b.root, a.epoch, b.epoch);
    }

    /// @notice Whether an entry is in the log as anchored at `size`. Reverts if nothing was anchored.
    /// @param size A size that was anchored.
    /// @param index The entry's index, from 0.
    /// @param entry The entry's bytes.
    /// @param proof The RFC 9162 inclusion proof in the tree of `size` entries.
    function verifyEntry(
        uint64 size,
        uint64 index,
        bytes calldata entry,
        bytes32[] calldata proof
    ) external view returns (bool) {
        return verifyInclusion(size, index, RFC9162.leafHash(entry), proof);
    }

    /// @notice Whether a leaf hash is in the log as anchored at `size`. Reverts if nothing was
    /// anchored. Who holds the entry itself should ask `verifyEntry`.
    /// @param size A size that was anchored.
    /// @param index The entry's index, from 0.
    /// @param leafHash SHA-256(00 || entry).
    /// @param proof The RFC 9162 inclusion proof in the tree of `size` entries.
    function verifyInclusion(
        uint64 size,
        uint64 index,
        bytes32 leafHash,
        bytes32[] calldata proof
    ) public view returns (bool) {
        bytes32 root = rootAt[size];
        if (root == 0) revert SizeNotAnchored(size);
        return RFC9162.includes(index, size, leafHash, root, proof);
    }

    /// @notice Whether a later tree extends the log as anchored at `size1`. Reverts if nothing was.
    /// @param size1 A size that was anchored.
    /// @param size2 The size of the later tree.
    /// @param root2 The root of the later tree, anchored or not.
    /// @param proof The RFC 9162 consistency proof from `size1` to `size2`.
    function verifyConsistency(
        uint64 size1,
        uint64 size2,
        bytes32 root2,
        bytes32[] calldata proof
    ) external view returns (bool) {
        bytes32 root1 = rootAt[size1];
        if (root1 == 0) revert SizeNotAnchored(size1);
        return RFC9162.isExtendedBy(size1, size2, root1, root2, proof);
    }

    /// @notice Returns the size and root anchored last; zeros if none was.
    function head() external view returns (uint64 size, bytes32 root) {
        size = headSize;
        root = rootAt[size];
    }

    /// @notice Returns the EIP-712 domain (EIP-5267).
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        return (0x0f, NAME, VERSION, block.chainid, address(this), 0, new uint256[](0));
    }

    function _extendsHead(
        uint64 previousSize,
        uint64 size,
        bytes32 root,
        bytes32[] calldata proof
    ) private view returns (bool) {
        if (previousSize == 0) return proof.length == 0;
        return RFC9162.isExtendedBy(previousSize, size, rootAt[previousSize], root, proof);
    }

    function _requireSignedRoot(uint64 size, SignedRoot calldata signed) private view {
        address key = keyAt[signed.epoch];
        if (key == address(0)) revert UnknownEpoch(signed.epoch);
        _requireSigner(_checkpointDigest(signed.epoch, size, signed.root), signed.signature, key);
    }

    function _checkpointDigest(
        uint32 epoch_,
        uint64 size,
        bytes32 root
    ) private view returns (bytes32) {
        return _digest(keccak256(abi.encode(CHECKPOINT_TYPEHASH, origin, epoch_, size, root)));
    }

    /// @dev The domain is computed anew each time: a chain that splits off gets its own chain id
    /// and must not accept what was signed for the other.
    function _digest(bytes32 structHash) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                DOMAIN_TYPEHASH,
                keccak256(bytes(NAME)),
                keccak256(bytes(VERSION)),
                block.chainid,
                address(this)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }

    function _requireSigner(
        bytes32 digest,
        bytes calldata signature,
        address expected
    ) internal pure {
        if (signature.length != 65) revert MalformedSignature();
        bytes32 r = bytes32(signature[0:32]);
        bytes32 s = bytes32(signature[32:64]);
        if (uint256(s) > HALF_ORDER) revert MalformedSignature();
        address signer = ecrecover(digest, uint8(signature[64]), r, s);
        // ecrecover answers zero for what is no signature; zero is never a key.
        if (signer == address(0)) revert MalformedSignature();
        if (signer != expected) revert WrongSigner(signer, expected);
    }
}
