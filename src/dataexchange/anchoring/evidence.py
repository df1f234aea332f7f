"""Prove that a block holds an event: its header, and a path through its receipts trie. Pure.

A block's hash is Keccak-256 of its RLP header (Yellow Paper section 4.4); the header holds the
root of a Merkle-Patricia trie (appendix D) of the RLP receipts (section 4.4.1, EIP-2718). So a
header and a path prove an event to anyone who trusts the block's hash, without asking the chain.

Chains that hash other headers (some of named validators) or keep other receipts (some rollups) give
no such evidence: `EvidenceError`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import rlp  # type: ignore[import-untyped]
from eth_utils.crypto import keccak
from hexbytes import HexBytes
from rlp.exceptions import RLPException  # type: ignore[import-untyped]
from rlp.sedes import big_endian_int  # type: ignore[import-untyped]
from trie.exceptions import BadTrieProof, InvalidNode, ValidationError
from trie.hexary import HexaryTrie

from dataexchange.errors import IntegrityError

_HEADER: Final = (
    "parentHash",
    "sha3Uncles",
    "miner",
    "stateRoot",
    "transactionsRoot",
    "receiptsRoot",
    "logsBloom",
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "extraData",
    "mixHash",
    "nonce",
)
# Each fork appended to the header; a block has a prefix of these.
_HEADER_LATER: Final = (
    "baseFeePerGas",
    "withdrawalsRoot",
    "blobGasUsed",
    "excessBlobGas",
    "parentBeaconBlockRoot",
    "requestsHash",
)
_RECEIPTS_ROOT, _NUMBER, _TIMESTAMP = 5, 8, 11
_RECEIPT_FIELDS = 4


class EvidenceError(IntegrityError):
    """The block cannot be proved, or the proof does not hold."""


class BlockEvidence(msgspec.Struct, frozen=True):
    """A header in RLP, and the trie's nodes from its receipts root to one receipt."""

    header: HexBytes
    transaction_index: int
    nodes: tuple[HexBytes, ...]


class Header(NamedTuple):
    """What a header says, as far as anchors need it."""

    hash: bytes
    number: int
    timestamp: int
    receipts_root: bytes


class Log(NamedTuple):
    """One event of a receipt: who emitted it, and what."""

    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


def make_evidence(
    block: Mapping[str, Any], receipts: Sequence[Mapping[str, Any]], transaction_index: int
) -> BlockEvidence:
    """Return the proof of one receipt of a block, from the block's JSON and all its receipts."""
    header = encode_header(block)
    trie: Any = HexaryTrie({})
    for index, receipt in enumerate(receipts):
        trie.set(_key(index), encode_receipt(receipt))
    if trie.root_hash != bytes(block["receiptsRoot"]):
        raise EvidenceError("the receipts do not hash to the header's root")
    nodes = trie.get_proof(_key(transaction_index))
    return BlockEvidence(
        header, transaction_index, tuple(HexBytes(rlp.encode(node)) for node in nodes)
    )


def encode_header(block: Mapping[str, Any]) -> HexBytes:
    """Return a block's header in RLP; `EvidenceError` unless it hashes to the block's hash."""
    # web3 renames the extra data of chains that seal blocks there.
    named = {"extraData": block.get("proofOfAuthorityData"), **block}
    fields = [*_HEADER, *(name for name in _HEADER_LATER if named.get(name) is not None)]
    if any(named.get(name) is None for name in fields):
        raise EvidenceError("the header lacks a field")
    encoded: bytes = rlp.encode([_item(named[name]) for name in fields])
    if keccak(encoded) != bytes(block["hash"]):
        raise EvidenceError("the header does not hash to the block's hash")
    return HexBytes(encoded)


def encode_receipt(receipt: Mapping[str, Any]) -> bytes:
    """Return a receipt as the trie holds it: RLP, after its type unless that is 0 (EIP-2718)."""
    logs = [
        [_item(log["address"]), [_item(topic) for topic in log["topics"]], _item(log["data"])]
        for log in receipt["logs"]
    ]
    outcome = receipt.get("status", receipt.get("root"))
    fields = [outcome, receipt["cumulativeGasUsed"], receipt["logsBloom"]]
    body: bytes = rlp.encode([*map(_item, fields), logs])
    kind = _item(receipt.get("type", 0))
    return kind + body


def read_header(evidence: BlockEvidence) -> Header:
    """Return what the header says, and its hash."""
    fields = _decode_list(evidence.header)
    if not len(_HEADER) <= len(fields) or not all(isinstance(field, bytes) for field in fields):
        raise EvidenceError("not a header")
    return Header(
        keccak(bytes(evidence.header)),
        _integer(fields[_NUMBER]),
        _integer(fields[_TIMESTAMP]),
        fields[_RECEIPTS_ROOT],
    )


def read_logs(evidence: BlockEvidence, receipts_root: bytes) -> Iterable[Log]:
    """Return the events of the receipt that the path leads to; of a failed transaction, none."""
    try:
        nodes = [rlp.decode(bytes(node)) for node in evidence.nodes]
        key = _key(evidence.transaction_index)
        reader: Any = HexaryTrie
        encoded = reader.get_from_proof(receipts_root, key, nodes)
    except (BadTrieProof, InvalidNode, ValidationError, RLPException, TypeError, ValueError):
        raise EvidenceError("the path does not lead to the header's receipts root") from None
    status, _, _, logs = _receipt_fields(encoded)
    return [_log(log) for log in logs] if status == b"\x01" else []


def _receipt_fields(encoded: bytes) -> list[Any]:
    # A typed receipt starts with its type, below 80; a list never does.
    typed = bool(encoded) and encoded[0] < 0x80
    fields = _decode_list(encoded[1:] if typed else encoded)
    if len(fields) != _RECEIPT_FIELDS or not isinstance(fields[3], list):
        raise EvidenceError("not a receipt")
    return fields


def _log(fields: object) -> Log:
    match fields:
        case [bytes(address), list(topics), bytes(data)]:
            return Log(address, tuple(topics), data)
        case _:
            raise EvidenceError("not a log")


def _decode_list(encoded: bytes) -> list[Any]:
    try:
        fields = rlp.decode(bytes(encoded))
    except (RLPException, TypeError):
        raise EvidenceError("not RLP") from None
    if not isinstance(fields, list):
        raise EvidenceError("not a list")
    return fields


def _integer(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _key(index: int) -> bytes:
    key: bytes = rlp.encode(index)
    return key


def _item(value: object) -> bytes:
    """Return what RLP encodes: integers without leading zeros, hex and bytes as they are."""
    match value:
        case bytes():
            return bytes(value)
        case int():
            return bytes(big_endian_int.serialize(value))
        case str() if value.startswith("0x"):
            return bytes.fromhex(value[2:].zfill((len(value) - 1) // 2 * 2))
        case _:
            raise EvidenceError(f"cannot encode {type(value).__name__}")
