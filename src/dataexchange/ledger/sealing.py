"""Sealed fields 密封字段: the log holds a salted commitment, the value stands outside of it.

The commitment is `SHA-256(salt[32] ‖ JCS(value))`. What is hashed, salt and value together, is the
preimage: whoever has it opens the field, and without the salt no guess at the value can be tested.
No rule reads a sealed value, so a log replays alike whether its openings are kept or erased.
"""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from dataexchange.errors import RefusalCode, RefusedError
from dataexchange.ledger import canonical

SALT_BYTES = 32
VALUE_SIZE_MAX = 57_344  # what a statement may have

OPENING_WRONG = RefusalCode(
    "opening.wrong",
    clause="docs/ledger-format.md, sealed fields",
    zh="密封字段 {field} 的打开值不成立：{reason}",
    en="The opening of sealed field {field} does not hold: {reason}",
    remedy_zh="盐为 32 字节十六进制，值为规范 JSON；两者合起来的 SHA-256 即承诺。",
    remedy_en="The salt is 32 bytes in hex, the value canonical JSON; SHA-256 over both is the"
    " commitment.",
    kind="malformed",
)
OPENINGS_INCOMPLETE = RefusalCode(
    "opening.missing",
    clause="docs/ledger-format.md, sealed fields",
    zh="密封字段 {fields} 须各附一个打开值，或在 keeps 中写明由签名方自行保管",
    en="Sealed fields {fields}: one opening for each, or name in keeps those you keep yourself",
    remedy_zh="打开值一旦丢失，承诺就永远无法打开。",
    remedy_en="Once its opening is lost, a commitment can never be opened.",
    kind="malformed",
)


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What opens one sealed field: its salt (32 bytes, hex) and its value, canonical JSON."""

    field: str
    salt: str
    value: msgspec.Raw

    def __repr__(self) -> str:
        """Name the field alone: an opening must not reach a log of messages."""
        return f"Opening({self.field!r}, …)"

    @classmethod
    def of(cls, field: str, preimage: bytes) -> "Opening":
        """Return the opening that a preimage is; refuse what is none."""
        salt, value = preimage[:SALT_BYTES], preimage[SALT_BYTES:]
        opening = cls(field, salt.hex(), msgspec.Raw(value))
        opening.require_form()
        return opening

    @property
    def preimage(self) -> bytes:
        """The bytes that are hashed: salt, then value."""
        return bytes.fromhex(self.salt) + bytes(self.value)

    @property
    def commitment(self) -> str:
        """The commitment (hex) that this opens."""
        return commitment(self.preimage)

    def require_form(self) -> None:
        """Refuse a salt of another length and a value that is not canonical or too large."""
        if not _SALT.fullmatch(self.salt):
            raise OPENING_WRONG(field=self.field, reason="salt")
        if len(bytes(self.value)) > VALUE_SIZE_MAX:
            raise OPENING_WRONG(field=self.field, reason=f"> {VALUE_SIZE_MAX} bytes")
        try:
            canonical.decode(bytes(self.value))
        except RefusedError as error:
            raise OPENING_WRONG(field=self.field, reason=error.en) from None

    def require_opens(self, committed: str) -> None:
        """Refuse unless this is the opening of a commitment (hex)."""
        self.require_form()
        if self.commitment != committed:
            raise OPENING_WRONG(field=self.field, reason=f"SHA-256 ≠ {committed}")

    def encode(self) -> bytes:
        """Return this opening as canonical JSON."""
        return msgspec.json.encode(self, order="sorted")


def commitment(preimage: bytes) -> str:
    """Return the commitment (hex) to a preimage."""
    return hashlib.sha256(preimage).hexdigest()


def seal(field: str, value: Any, salt: bytes) -> Opening:
    """Return the opening of `field` with `value`; `salt` is 32 random bytes, never used before."""
    return Opening.of(field, salt + canonical.encode(value))


def require_openings(
    sealed: Mapping[str, str], openings: Sequence[Opening], keeps: Collection[str]
) -> None:
    """Refuse unless each sealed field comes with its right opening, or is one that `keeps` names.

    `sealed` maps fields to commitments, as in a statement.
    """
    named = [*(one.field for one in openings), *keeps]
    if differing := set(named) ^ set(sealed):
        raise OPENINGS_INCOMPLETE(fields=", ".join(sorted(differing))[:200])
    if len(named) != len(sealed):
        raise OPENINGS_INCOMPLETE(fields="×2")
    for one in openings:
        one.require_opens(sealed[one.field])


_SALT = re.compile(r"[0-9a-f]{64}", re.ASCII)
