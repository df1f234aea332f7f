"""`secp256k1`: ECDSA as EVM wallets sign it (SEC 1, EIP-191), by one strict predicate.

The public key is compressed and on the curve, r and s are in range, s is in the lower half. What
is signed is `personal_sign` over the whole message, so that any wallet can sign a statement; the
wallet shows its text.
"""

import secrets
from functools import lru_cache

import coincurve
from Crypto.Hash import keccak
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from dataexchange.ledger.suites.suite import SIGNATURE_SIZE, Secret, Suite
from dataexchange.ledger.suites.weierstrass import SECP256K1

ORDER = SECP256K1.order
HALF_ORDER = ORDER // 2
PUBLIC_SIZE = 33


def verify_secp256k1(public: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether `signature` (r ‖ s) is `public`'s over `message`, by the strict predicate."""
    return verify_digest(public, digest_of(message), signature)


def verify_digest(public: bytes, digest: bytes, signature: bytes) -> bool:
    """Tell whether `signature` (r ‖ s) is `public`'s over a 32-byte `digest`."""
    if len(signature) != SIGNATURE_SIZE or not is_usable_secp256k1(public):
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    if not (0 < r < ORDER and 0 < s <= HALF_ORDER):
        return False
    return bool(_key(public).verify(encode_dss_signature(r, s), digest, hasher=None))


def digest_of(message: bytes) -> bytes:
    """Return the Keccak-256 of `message` behind the prefix of EIP-191 version 0x45."""
    prefix = b"\x19Ethereum Signed Message:\n%d" % len(message)
    return keccak.new(digest_bits=256, data=prefix + message).digest()


def is_usable_secp256k1(public: bytes) -> bool:
    """Tell whether `public` is 33 bytes, compressed, and a point of the curve."""
    if len(public) != PUBLIC_SIZE or public[0] not in (2, 3):
        return False
    try:
        _key(public)
    except ValueError:
        return False
    return True


def read_wallet(message: bytes, signature: bytes) -> tuple[bytes, bytes]:
    """Return (public key, r ‖ s) of what a wallet returned for `message`: r ‖ s ‖ v.

    Wallets show addresses, not keys; the key comes out of a signature. v is 27 or 28, or 0 or 1.
    `ValueError` where it is no such signature.
    """
    if len(signature) != SIGNATURE_SIZE + 1 or signature[64] not in (0, 1, 27, 28):
        raise ValueError("a wallet's signature is r, s and v, 65 bytes")
    recoverable = signature[:64] + bytes([signature[64] % 27])
    try:
        key = coincurve.PublicKey.from_signature_and_message(
            recoverable, digest_of(message), hasher=None
        )
    except Exception as error:  # the library raises plain exceptions
        raise ValueError("no key made this signature") from error
    return key.format(compressed=True), signature[:64]


@lru_cache(maxsize=4_096)
def _key(public: bytes) -> coincurve.PublicKey:
    return coincurve.PublicKey(public)


def _generate() -> bytes:
    return (secrets.randbelow(ORDER - 1) + 1).to_bytes(32, "big")


def _open(secret: bytes) -> Secret:
    if len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < ORDER:
        raise ValueError("a secret of secp256k1 is 32 bytes, from 1 to n - 1")
    private = coincurve.PrivateKey(secret)

    def sign(message: bytes) -> bytes:
        # Deterministic (RFC 6979) and with low s.
        signed: bytes = private.sign_recoverable(digest_of(message), hasher=None)
        return signed[:SIGNATURE_SIZE]

    return Secret(private.public_key.format(compressed=True), sign)


SUITE = Suite(
    name="secp256k1",
    prefix=b"\xe7\x01",
    is_usable=is_usable_secp256k1,
    verify=verify_secp256k1,
    generate=_generate,
    open=_open,
)
