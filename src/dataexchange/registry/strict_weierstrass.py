"""Vectors of the strict predicates of secp256k1 and SM2: what every verifier accepts and refuses.

Signatures are made in plain arithmetic, with secrets and nonces that are known, so that cases can
be built that nobody makes by accident and that a lax verifier lets pass.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from Crypto.Hash import keccak
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from dataexchange.ledger.suites import SUITES, SuiteName, secp256k1
from dataexchange.ledger.suites.sm2 import prefix_of, sm3
from dataexchange.ledger.suites.weierstrass import SECP256K1, SM2, Curve, Point

Json = dict[str, Any]
SECRET, NONCE = 7, 11
MESSAGE = b"dataexchange"


@dataclass(frozen=True, slots=True)
class Maker:
    """How one suite makes r and s out of a number e that stands for the message."""

    suite: SuiteName
    curve: Curve
    number_of: Callable[[Point, bytes], int]
    solve: Callable[[int, int, int], tuple[int, int]]

    def public(self, secret: int = SECRET) -> bytes:
        """Return the compressed public key of `secret`."""
        return self.curve.compress(self.point(secret))

    def point(self, secret: int) -> Point:
        """Return `secret` times the base point."""
        found = self.curve.times(secret, self.curve.base)
        if found is None:
            raise ValueError("no public key")
        return found

    def sign(self, message: bytes, secret: int = SECRET, nonce: int = NONCE) -> tuple[int, int]:
        """Return r and s of `message`."""
        return self.solve(self.number_of(self.point(secret), message), secret, nonce)


def strict_secp256k1() -> Json:
    """Return signatures that the strict predicate of secp256k1 accepts, and those it refuses."""
    return {
        "about": "valid: 1 <= r < n; 1 <= s <= (n-1)/2; (e·G + r·Q)/s has x = r mod n;"
        " e = keccak256(EIP-191 of the message); Q compressed and on the curve.",
        "cases": [*_common(_SECP256K1), *_secp256k1_cases()],
    }


def strict_sm2() -> Json:
    """Return signatures that the strict predicate of SM2 accepts, and those it refuses."""
    return {
        "about": "valid: 1 <= r, s < n; t = r + s mod n is not 0; s·G + t·Q has x = r - e mod n;"
        " e = SM3(Z ‖ message); Q compressed and on the curve.",
        "cases": [*_common(_SM2), *_sm2_cases()],
    }


def sign_sm2(secret: bytes, message: bytes) -> bytes:
    """Return an SM2 signature whose nonce follows from its input, so that vectors stay the same."""
    nonce = int.from_bytes(sm3(secret + message), "big") % (SM2.order - 1) + 1
    return _join(*_SM2.sign(message, int.from_bytes(secret, "big"), nonce))


def _common(maker: Maker) -> list[Json]:
    r, s = maker.sign(MESSAGE)
    n, top = maker.curve.order, 2**256 - 1
    public = maker.public()
    pairs = {
        "r = 0": (0, s),
        "s = 0": (r, 0),
        "r = n": (n, s),
        "s = n": (r, n),
        "r = n + 1": (n + 1, s),
        "r of ones": (top, s),
        "s of ones": (r, top),
        "n - r": (n - r, s),
        "n - s": (r, n - s),
        "r and s swapped": (s, r),
        "r = s = 1": (1, 1),
        "s = n - r": (r, n - r),
    }
    good = _join(r, s)
    return [
        _case(maker, "a plain signature", public, good),
        _case(
            maker,
            "a plain signature over nothing",
            public,
            _join(*maker.sign(b"")),
            message=b"",
        ),
        _case(maker, "another message", public, good, message=MESSAGE + b"!"),
        _case(maker, "another key", maker.public(SECRET + 1), good),
        *(_case(maker, what, public, _join(*pair)) for what, pair in pairs.items()),
        *_encodings(maker, public, good),
        *_keys(maker, good),
    ]


def _encodings(maker: Maker, public: bytes, good: bytes) -> list[Json]:
    r, s = (int.from_bytes(half, "big") for half in (good[:32], good[32:]))
    signatures = {
        "no signature": b"",
        "63 bytes": good[:63],
        "a recovery byte": good + b"\x1b",
        "DER": encode_dss_signature(r, s),
        "little-endian": good[31::-1] + good[:31:-1],
        "a bit of r": bytes([good[0] ^ 1]) + good[1:],
        "a bit of s": good[:63] + bytes([good[63] ^ 1]),
    }
    return [_case(maker, what, public, one) for what, one in signatures.items()]


def _keys(maker: Maker, good: bytes) -> list[Json]:
    x, y = (number.to_bytes(32, "big") for number in maker.point(SECRET))
    sign, beyond = y[31] & 1, maker.curve.prime + _an_x(maker.curve)
    keys = {
        "no key": b"",
        "x alone": x,
        "x and y without a prefix": x + y,
        "an uncompressed key": b"\x04" + x + y,
        "a hybrid key": bytes([6 | sign]) + x + y,
        "the other y": bytes([3 - sign]) + x,
        "prefix 00": b"\x00" + x,
        "prefix 04 and x": b"\x04" + x,
        "a byte more": bytes([2 | sign]) + x + b"\x00",
        "a byte less": bytes([2 | sign]) + x[:31],
        "the point at infinity": b"\x00",
        "an x off the curve": b"\x02" + _no_x(maker.curve).to_bytes(32, "big"),
        "an x of p and more": b"\x02" + beyond.to_bytes(32, "big"),
    }
    return [_case(maker, f"key: {what}", key, good) for what, key in keys.items()]


def _secp256k1_cases() -> list[Json]:
    """R with an x beyond the order, r that has a second form, and other digests of the message."""
    maker, curve, e = _SECP256K1, SECP256K1, _digest_number(MESSAGE)
    public = maker.public()
    wide = next(x for x in range(curve.order + 1, curve.prime) if _lift(curve, x))
    small = _an_x(curve)
    infinity = -e * pow(SECRET, -1, curve.order) % curve.order
    digests = {
        "Keccak-256 without the prefix of EIP-191": keccak.new(digest_bits=256, data=MESSAGE),
        "EIP-191 over the digest": keccak.new(
            digest_bits=256, data=b"\x19Ethereum Signed Message:\n32" + _keccak(MESSAGE)
        ),
    }
    return [
        _forged(maker, "R.x beyond n", wide, r=wide - curve.order),
        _forged(maker, "R.x beyond n, and r with it", wide, r=wide),
        _forged(maker, "a small r", small, r=small),
        _forged(maker, "a small r, plus n", small, r=small + curve.order),
        _forged(maker, "s = (n - 1)/2", small, r=small, s=secp256k1.HALF_ORDER),
        _forged(maker, "s = (n + 1)/2", small, r=small, s=secp256k1.HALF_ORDER + 1),
        _forged(maker, "s = 1", small, r=small, s=1),
        _case(maker, "R at infinity", public, _join(infinity, 5)),
        *(
            _case(maker, f"digest: {what}", public, _over(maker, one.digest()))
            for what, one in digests.items()
        ),
        _case(maker, "digest: SM3", public, _over(maker, sm3(MESSAGE))),
    ]


def _sm2_cases() -> list[Json]:
    """A point at infinity whose x passes for 0, a sum of 0, and other digests of the message."""
    maker, order = _SM2, SM2.order
    e = maker.number_of(maker.point(SECRET), MESSAGE)
    # s·G + t·Q is at infinity for s = -t·d; with r = e a verifier that takes its x for 0 agrees.
    t = e * pow(1 + SECRET, -1, order) % order
    s = -t * SECRET % order
    digests = {
        "SM3 of the message without Z": sm3(MESSAGE),
        "Z of another id": sm3(prefix_of(maker.point(SECRET), b"ALICE123@YAHOO.COM") + MESSAGE),
        "Z of an empty id": sm3(prefix_of(maker.point(SECRET), b"") + MESSAGE),
        "that of secp256k1": secp256k1.digest_of(MESSAGE),
    }
    return [
        _case(maker, "R at infinity, r = e", maker.public(), _join(e, s)),
        *(
            _case(maker, f"digest: {what}", maker.public(), _over(maker, digest))
            for what, digest in digests.items()
        ),
    ]


def _forged(maker: Maker, what: str, x: int, *, r: int, s: int = 5) -> Json:
    """Return the case of a chosen R and s, under the key that makes them a signature."""
    curve, e = maker.curve, _digest_number(MESSAGE)
    point, inverse = _lift(curve, x), pow(r, -1, curve.order)
    sum_ = curve.add(curve.times(s, point), curve.times(-e % curve.order, curve.base))
    return _case(maker, what, curve.compress(curve.times(inverse, sum_)), _join(r, s))


def _over(maker: Maker, digest: bytes) -> bytes:
    return _join(*maker.solve(int.from_bytes(digest, "big"), SECRET, NONCE))


def _case(maker: Maker, what: str, key: bytes, signed: bytes, *, message: bytes = MESSAGE) -> Json:
    return {
        "what": what,
        "key": key.hex(),
        "message": message.hex(),
        "signature": signed.hex(),
        "valid": SUITES[maker.suite].verify(key, message, signed),
    }


def _solve_secp256k1(e: int, secret: int, nonce: int) -> tuple[int, int]:
    x, n = _SECP256K1.point(nonce)[0], SECP256K1.order
    s = (e + x % n * secret) * pow(nonce, -1, n) % n
    return x % n, min(s, n - s)


def _solve_sm2(e: int, secret: int, nonce: int) -> tuple[int, int]:
    n = SM2.order
    r = (e + _SM2.point(nonce)[0]) % n
    return r, (nonce - r * secret) * pow(1 + secret, -1, n) % n


def _digest_number(message: bytes) -> int:
    return int.from_bytes(secp256k1.digest_of(message), "big")


def _sm2_number(public: Point, message: bytes) -> int:
    return int.from_bytes(sm3(prefix_of(public) + message), "big")


def _keccak(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


def _lift(curve: Curve, x: int) -> Point | None:
    return curve.decompress(b"\x02" + x.to_bytes(32, "big"))


def _an_x(curve: Curve) -> int:
    return next(x for x in range(1, 1_000) if _lift(curve, x))


def _no_x(curve: Curve) -> int:
    return next(x for x in range(1, 1_000) if not _lift(curve, x))


def _join(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


_SECP256K1 = Maker("secp256k1", SECP256K1, lambda _, m: _digest_number(m), _solve_secp256k1)
_SM2 = Maker("sm2", SM2, _sm2_number, _solve_sm2)
