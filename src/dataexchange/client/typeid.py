"""TypeIDs: a kind, an underscore, and a UUIDv7 in Crockford's base 32, as typeid.dev defines."""

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(kind: str) -> str:
    """Return a new TypeID of `kind`, e.g. `asset_01k…`; ids made later sort later."""
    milliseconds = time.time_ns() // 1_000_000
    number = milliseconds << 80 | 7 << 76 | secrets.randbits(12) << 64
    number |= 2 << 62 | secrets.randbits(62)
    return encode_id(kind, number)


def encode_id(kind: str, number: int) -> str:
    """Return the TypeID of the 128-bit `number`."""
    digits = [_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5)]
    return f"{kind}_{''.join(digits)}"
