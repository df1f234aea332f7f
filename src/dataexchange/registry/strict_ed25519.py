"""Vectors of the one strict Ed25519 predicate: what every verifier of a log must accept and refuse.

Libraries differ on signatures that nobody makes by accident: S not reduced, keys and R of small or
mixed order, or in a second encoding. Where verifiers differ, so do their logs.
"""

import hashlib
from typing import Any

from nacl import bindings as sodium

from dataexchange.ledger.suites.ed25519 import verify_ed25519

Json = dict[str, Any]


def strict_ed25519() -> Json:
    """Return signatures that the strict predicate accepts, and those it refuses."""
    return {
        "about": "valid: S < L; A and R canonical; neither of small order; S·B = R + k·A.",
        "cases": [*_whole(), *_scalars(), *_points(), *_lengths()],
    }


def _whole() -> list[Json]:
    public, message = _PUBLIC, b"dataexchange"
    good = _sign(message)
    other = _times(5)
    flipped = bytes([good[0] ^ 1]) + good[1:]
    return [
        _case("a plain signature", public, message, good),
        _case("a plain signature over nothing", public, b"", _sign(b"")),
        _case("another message", public, message + b"!", good),
        _case("another key", other, message, good),
        _case("a bit of R", public, message, flipped),
        _case("a bit of S", public, message, good[:40] + bytes([good[40] ^ 1]) + good[41:]),
    ]


def _scalars() -> list[Json]:
    """S and S + L sign alike unless S < L is asked."""
    public, message = _PUBLIC, b"dataexchange"
    good = _sign(message)
    scalar = int.from_bytes(good[32:], "little")
    return [
        _case("S + L", public, message, good[:32] + _little(scalar + _ORDER)),
        _case("S + 2L", public, message, good[:32] + _little(scalar + 2 * _ORDER)),
        _case("S with its highest bit set", public, message, good[:63] + bytes([good[63] | 128])),
        _case("S = L", public, message, good[:32] + _little(_ORDER)),
    ]


def _points() -> list[Json]:
    """Keys and R with a component of small order, of small order, and not in canonical form."""
    secret, nonce = 7, 11
    order_8 = _SMALL[3]
    mixed_key = sodium.crypto_core_ed25519_add(_times(secret), order_8)
    mixed_nonce = sodium.crypto_core_ed25519_add(_times(nonce), order_8)
    plain_key, plain_nonce = _times(secret), _times(nonce)
    cases = [
        _made("a key of mixed order, k a multiple of 8", mixed_key, plain_nonce, multiple=True),
        _made("a key of mixed order, k no multiple of 8", mixed_key, plain_nonce, multiple=False),
        _made("R of mixed order", plain_key, mixed_nonce, multiple=False),
    ]
    for point in _SMALL:
        name = point.hex()
        cases.append(
            _made(f"a key of small order {name}", point, plain_nonce, secret=0, multiple=True)
        )
        cases.append(_made(f"R of small order {name}", plain_key, point, nonce=0))
    for point in _NOT_CANONICAL:
        name = point.hex()
        cases.append(
            _made(
                f"a key not in canonical form {name}", point, plain_nonce, secret=0, multiple=True
            )
        )
        cases.append(_made(f"R not in canonical form {name}", plain_key, point, nonce=0))
    off_curve = _little(2)
    cases.append(_made("a key that is no point", off_curve, plain_nonce, secret=0, multiple=True))
    return cases


def _lengths() -> list[Json]:
    public, message = _PUBLIC, b"dataexchange"
    good = _sign(message)
    return [
        _case("63 bytes", public, message, good[:63]),
        _case("65 bytes", public, message, good + b"\0"),
        _case("no signature", public, message, b""),
        _case("a key of 31 bytes", public[:31], message, good),
        _case("a key of 33 bytes", public + b"\0", message, good),
        _case("no key", b"", message, good),
    ]


def _made(
    what: str,
    key: bytes,
    commitment: bytes,
    *,
    secret: int = 7,
    nonce: int = 11,
    multiple: bool | None = None,
) -> Json:
    """Return the case of S = nonce + k·secret under encodings of a key and an R as given.

    `multiple` searches a message whose k is, or is not, a multiple of 8.
    """
    for number in range(10_000):
        message = b"dataexchange %d" % number
        digest = hashlib.sha512(commitment + key + message).digest()
        k = int.from_bytes(digest, "little") % _ORDER
        if multiple is None or (k % 8 == 0) == multiple:
            break
    scalar = (nonce + k * secret) % _ORDER
    return _case(what, key, message, commitment + _little(scalar))


def _case(what: str, key: bytes, message: bytes, signed: bytes) -> Json:
    return {
        "what": what,
        "key": key.hex(),
        "message": message.hex(),
        "signature": signed.hex(),
        "valid": verify_ed25519(key, message, signed),
    }


def _sign(message: bytes) -> bytes:
    return bytes(sodium.crypto_sign(message, _SECRET)[:64])


def _times(scalar: int) -> bytes:
    """Return the encoding of `scalar` times the base point."""
    return bytes(sodium.crypto_scalarmult_ed25519_base_noclamp(_little(scalar)))


def _little(number: int) -> bytes:
    return number.to_bytes(32, "little")


_ORDER = 2**252 + 27742317777372353535851937790883648493
_PRIME = 2**255 - 19
# Points of order 1, 2, 4, 8, 8 (and their negatives, where they differ).
_SMALL = tuple(
    bytes.fromhex(text)
    for text in (
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    )
)
# The same points, spelt with y + p or with a sign for x = 0.
_NOT_CANONICAL = (
    _little(_PRIME),
    _little(_PRIME + 1),
    _little(_PRIME + 1 | 1 << 255),
    _little(1 | 1 << 255),
    _little(_PRIME - 1 | 1 << 255),
    _little(_PRIME | 1 << 255),
    _little(2**255 - 1),
)
_PUBLIC, _SECRET = sodium.crypto_sign_seed_keypair(bytes(range(32)))
