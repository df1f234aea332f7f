"""`sm2`: SM2 with SM3 商用密码 (GM/T 0003.2, curve of GM/T 0003.5), by one strict predicate.

The signer's id is the default of GM/T 0009. The public key is compressed and on the curve, r and s
are in range, r + s is not 0 modulo n, and r is not e. Given r, no second s can be made without the
secret, so there is no lower half to ask for.
"""

from functools import lru_cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from gmssl_pyx import sm2_key_generate, sm2_sign, sm2_verify_sm3_digest

from dataexchange.ledger.suites.suite import SIGNATURE_SIZE, Secret, Suite
from dataexchange.ledger.suites.weierstrass import SM2, Point

SIGNER_ID = b"1234567812345678"


def verify_sm2(public: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether `signature` (r ‖ s) is `public`'s over `message`, by the strict predicate."""
    if len(signature) != SIGNATURE_SIZE or not is_usable_sm2(public):
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    if not (0 < r < SM2.order and 0 < s < SM2.order) or r + s == SM2.order:
        return False
    digest = sm3(_prefix(public) + message)
    # GmSSL takes the x of the point at infinity for 0, so it accepts r = e where s·G + t·Q is
    # there: who holds the secret can make such a signature, and other verifiers refuse it. The
    # true points with x = 0 are nobody's to reach, so r = e is refused without more.
    if int.from_bytes(digest, "big") % SM2.order == r:
        return False
    key = _bytes(*_point(public))
    return bool(sm2_verify_sm3_digest(key, digest, encode_dss_signature(r, s)))


@lru_cache(maxsize=65_536)
def is_usable_sm2(public: bytes) -> bool:
    """Tell whether `public` is 33 bytes, compressed, and a point of the curve."""
    return SM2.decompress(public) is not None


def sm3(data: bytes) -> bytes:
    """Return the SM3 digest of `data` (GM/T 0004)."""
    digest = hashes.Hash(hashes.SM3())
    digest.update(data)
    return digest.finalize()


def prefix_of(point: Point, signer_id: bytes = SIGNER_ID) -> bytes:
    """Return Z, the digest of the signer's id, the curve and the public key."""
    length = (8 * len(signer_id)).to_bytes(2, "big")
    return sm3(length + signer_id + _bytes(SM2.a, SM2.b, *SM2.base, *point))


@lru_cache(maxsize=4_096)
def _point(public: bytes) -> Point:
    point = SM2.decompress(public)
    assert point is not None  # noqa: S101 -- asked just before
    return point


@lru_cache(maxsize=4_096)
def _prefix(public: bytes) -> bytes:
    return prefix_of(_point(public))


def _bytes(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(32, "big") for number in numbers)


def _generate() -> bytes:
    _, secret = sm2_key_generate()
    return bytes(secret)


def _open(secret: bytes) -> Secret:
    # n - 1 has no inverse of 1 + d and cannot sign.
    if len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < SM2.order - 1:
        raise ValueError("a secret of SM2 is 32 bytes, from 1 to n - 2")
    public = SM2.compress(SM2.times(int.from_bytes(secret, "big"), SM2.base))

    def sign(message: bytes) -> bytes:
        signed = sm2_sign(secret, _bytes(*_point(public)), message, signer_id=SIGNER_ID)
        return _bytes(*decode_dss_signature(signed))

    return Secret(public, sign)


SUITE = Suite(
    name="sm2",
    prefix=b"\x86\x24",
    is_usable=is_usable_sm2,
    verify=verify_sm2,
    generate=_generate,
    open=_open,
)
