"""Signatures of actors: key ids, DSSE, and one signature over a batch.

A key id is the key itself: base58btc multibase of the multicodec-prefixed public key, as in
`did:key`. So a statement can be checked without asking anyone; whether the key was valid for its
actor at that index is a rule, not a matter of bytes. The key's prefix names its suite, and the
suite's strict predicate judges its signatures (`ledger.suites`).
"""

import base64
import binascii
from dataclasses import dataclass
from functools import lru_cache

import msgspec

from dataexchange.errors import RefusalCode
from dataexchange.ledger import merkle
from dataexchange.ledger.suites import SUITES, SuiteName

STATEMENT_TYPE = b"application/vnd.dataexchange.statement+json"
BATCH_TYPE = b"application/vnd.dataexchange.batch"
BATCH_SIZE_MAX = 1_000

BAD_KEY = RefusalCode(
    "signature.bad_key",
    clause="W3C did:key; docs/ledger-format.md, keys and suites",
    zh="密钥标识无法使用：{reason}",
    en="The key id cannot be used: {reason}",
    remedy_zh="密钥标识是公钥的 multibase 编码（z6Mk…、zQ3s… 或 zEPJ…），"
    "由 `dataexchange keygen` 生成。",
    remedy_en="A key id is the multibase form of the public key (z6Mk…, zQ3s…, zEPJ…);"
    " `dataexchange keygen` makes one.",
    kind="malformed",
)
BAD_SIGNATURE = RefusalCode(
    "signature.bad",
    clause="DSSE v1.0.2; docs/ledger-format.md, keys and suites",
    zh="签名与陈述及密钥 {key} 不符",
    en="The signature does not fit the statement and key {key}",
    remedy_zh="对规范字节按 DSSE 预认证编码重新签名，并确认使用的是所填密钥。",
    remedy_en="Sign the canonical bytes again in DSSE pre-authentication encoding, with the key"
    " that the statement names.",
    kind="forbidden",
)


class BatchPosition(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Where a statement stands in a signed batch; `path` holds base64 hashes, RFC 9162."""

    path: tuple[str, ...]
    position: int
    size: int


class Signature(
    msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True
):
    """A signature as entries carry it: the suite of its key, and 64 bytes in base64."""

    suite: SuiteName
    value: str
    batch: BatchPosition | None = None


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key of one suite; `raw` is what the suite's standard calls the encoded key."""

    suite: SuiteName
    raw: bytes

    @property
    def id(self) -> str:
        """The key id: multibase, base58btc."""
        return "z" + _base58_encode(SUITES[self.suite].prefix + self.raw)

    @staticmethod
    @lru_cache(maxsize=65_536)
    def parse(key_id: str) -> "PublicKey":
        """Return the key that `key_id` is; refuse ids that are not canonical or not usable."""
        if len(key_id) > 64 or not key_id.startswith("z"):
            raise BAD_KEY(reason="not multibase base58btc")
        coded = _base58_decode(key_id[1:])
        for suite in SUITES.values():
            if coded.startswith(suite.prefix):
                key = PublicKey(suite.name, coded[len(suite.prefix) :])
                if not suite.is_usable(key.raw):
                    raise BAD_KEY(reason=f"not a usable key of {suite.name}")
                if key.id != key_id:
                    raise BAD_KEY(reason="not in canonical form")
                return key
        raise BAD_KEY(reason="unknown key type")

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Tell whether `signature` is this key's over `message`."""
        return SUITES[self.suite].verify(self.raw, message, signature)


def pre_authentication(payload_type: bytes, body: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding of `body`."""
    return b"DSSEv1 %d %b %d %b" % (len(payload_type), payload_type, len(body), body)


def batch_message(log: str, key_id: str, size: int, root: bytes) -> bytes:
    """Return the bytes that one signature over a batch of statements signs."""
    text = f"dataexchange-batch/v1\n{log}\n{key_id}\n{size}\n{base64.b64encode(root).decode()}\n"
    return pre_authentication(BATCH_TYPE, text.encode())


def batch_signatures(signed: Signature, leaves: list[bytes]) -> list[Signature]:
    """Return, for each leaf of a signed batch, the signature that lets it stand alone."""
    levels = [leaves]
    while len(levels[-1]) > 1:
        level = levels[-1]
        paired = [merkle.node_hash(*level[at : at + 2]) for at in range(0, len(level) - 1, 2)]
        levels.append(paired + level[len(paired) * 2 :])
    paths: list[tuple[str, ...]] = [()]
    for level in reversed(levels[:-1]):
        paths = _paths_below(level, paths)
    return [
        Signature(signed.suite, signed.value, BatchPosition(path, place, len(leaves)))
        for place, path in enumerate(paths)
    ]


def verify_statement(log: str, key_id: str, body: bytes, signature: Signature) -> None:
    """Refuse unless `signature` covers the canonical statement `body`, alone or in its batch."""
    if signature.batch is None:
        message = pre_authentication(STATEMENT_TYPE, body)
        verified = _verify(key_id, message, signature.suite, signature.value)
    else:
        root = _batch_root(body, signature.batch)
        verified = _verify_once(
            log, key_id, signature.batch.size, root, signature.suite, signature.value
        )
    if not verified:
        raise BAD_SIGNATURE(key=key_id)


def verify_batch(log: str, key_id: str, leaves: list[bytes], signature: Signature) -> None:
    """Refuse unless `signature` covers the batch of statements with these leaf hashes."""
    message = batch_message(log, key_id, len(leaves), merkle.root(leaves))
    if signature.batch is not None or not _verify(
        key_id, message, signature.suite, signature.value
    ):
        raise BAD_SIGNATURE(key=key_id)


def encode_base64(data: bytes) -> str:
    """Return the canonical standard base64 of `data`."""
    return base64.b64encode(data).decode()


def decode_base64(text: str) -> bytes:
    """Return the bytes of canonical standard base64 `text`; ValueError otherwise."""
    # Python's own strict mode, and what it lets pass: padding bits that are not zero.
    data = binascii.a2b_base64(text, strict_mode=True)
    if binascii.b2a_base64(data, newline=False) != text.encode():
        raise ValueError("not canonical base64")
    return data


def _verify(key_id: str, message: bytes, suite: SuiteName, value: str) -> bool:
    if len(value) != 88:  # 64 bytes in base64
        return False
    try:
        signature = decode_base64(value)
    except ValueError:
        return False
    key = PublicKey.parse(key_id)
    return key.suite == suite and key.verify(message, signature)


@lru_cache(maxsize=256)
def _verify_once(  # noqa: PLR0917 -- all that is signed, and by whom
    log: str, key_id: str, size: int, root: bytes, suite: SuiteName, value: str
) -> bool:
    """Verify a batch's signature; remembered, so that its entries cost one verification."""
    return _verify(key_id, batch_message(log, key_id, size, root), suite, value)


def _paths_below(level: list[bytes], paths: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return the paths of a level's nodes, given those of the level above.

    A node's path is its sibling, then its parent's path; an odd last node is promoted and has no
    sibling.
    """
    texts = [encode_base64(node) for node in level]
    count = len(texts)
    return [
        (texts[place ^ 1], *paths[place >> 1]) if place ^ 1 < count else paths[place >> 1]
        for place in range(count)
    ]


def _batch_root(body: bytes, batch: BatchPosition) -> bytes:
    if not 0 < batch.size <= BATCH_SIZE_MAX:
        raise BAD_SIGNATURE(key="batch size")
    if not 0 <= batch.position < batch.size:
        raise BAD_SIGNATURE(key="batch position")
    try:
        return _root_above(merkle.leaf_hash(body), batch.position, batch.size - 1, batch.path)
    except ValueError as error:
        raise BAD_SIGNATURE(key="batch path") from error


@lru_cache(maxsize=1_024)
def _root_above(node: bytes, position: int, last: int, path: tuple[str, ...]) -> bytes:
    """Return the root that `path` leads to; remembered, as neighbours climb the same way.

    `ProofError` or another `ValueError` where it leads to none.
    """
    if not path:
        if last:
            raise merkle.ProofError("the path is too short")
        return node
    above = merkle.parent(node, position, last, decode_base64(path[0]))
    return _root_above(*above, path[1:])


def _base58_encode(data: bytes) -> str:
    number, digits = int.from_bytes(data, "big"), []
    while number:
        number, digit = divmod(number, 58)
        digits.append(_BASE58[digit])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(digits))


def _base58_decode(text: str) -> bytes:
    number = 0
    for character in text:
        digit = _BASE58.find(character)
        if digit < 0:
            raise BAD_KEY(reason="not base58btc")
        number = number * 58 + digit
    body = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return b"\0" * (len(text) - len(text.lstrip("1"))) + body


_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
