"""`ed25519`: RFC 8032, by one strict predicate.

S < L, A and R canonical, neither of small order, and the equation without cofactor. Every verifier
of ours meets it, whatever its library lets pass.
"""

from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nacl.bindings import crypto_sign_open
from nacl.exceptions import BadSignatureError

from dataexchange.ledger.suites.suite import SIGNATURE_SIZE, Secret, Suite


def verify_ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether `signature` (64 bytes) is `public`'s over `message`, by the strict predicate."""
    if len(signature) != SIGNATURE_SIZE or not is_usable_ed25519(public):
        return False
    if not _is_canonical_point(signature[:32]) or signature[:32] in _SMALL_ORDER:
        return False
    if int.from_bytes(signature[32:], "little") >= _ORDER:
        return False
    try:
        crypto_sign_open(signature + message, public)
    except BadSignatureError:
        return False
    return True


@lru_cache(maxsize=65_536)
def is_usable_ed25519(public: bytes) -> bool:
    """Tell whether `public` is the canonical encoding of a point, and that not of small order."""
    return (
        len(public) == 32
        and _is_canonical_point(public)
        and public not in _SMALL_ORDER
        and _is_on_curve(public)
    )


def _is_on_curve(encoded: bytes) -> bool:
    """Tell whether there is an x for this y: x² = (y² − 1) / (d·y² + 1) (RFC 8032, 5.1.3)."""
    y = int.from_bytes(encoded, "little") & ((1 << 255) - 1)
    # A quotient is a square exactly when the product is: Euler's criterion.
    product = (y * y - 1) * (_D * y * y + 1)
    return pow(product, (_PRIME - 1) // 2, _PRIME) != _PRIME - 1


def _is_canonical_point(encoded: bytes) -> bool:
    """Tell whether the y of an encoded point is reduced, and x's sign is not set for x = 0."""
    y = int.from_bytes(encoded, "little") & ((1 << 255) - 1)
    if y >= _PRIME:
        return False
    return not (encoded[31] & 0x80 and y in (1, _PRIME - 1))


def _generate() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes_raw()


def _open(secret: bytes) -> Secret:
    private = Ed25519PrivateKey.from_private_bytes(secret)
    return Secret(private.public_key().public_bytes_raw(), private.sign)


_PRIME = 2**255 - 19
_D = -121665 * pow(121666, -1, _PRIME) % _PRIME
_ORDER = 2**252 + 27742317777372353535851937790883648493
# The eight points of small order in canonical encoding, with either sign bit.
_SMALL_ORDER_Y = (
    0,
    1,
    _PRIME - 1,
    2707385501144840649318225287225658788936804267575313519463743609750303402022,
    55188659117513257062467267217118295137698188065244968500265048394206261417927,
)
_SMALL_ORDER = frozenset(
    (y | sign << 255).to_bytes(32, "little") for y in _SMALL_ORDER_Y for sign in (0, 1)
)

SUITE = Suite(
    name="ed25519",
    prefix=b"\xed\x01",
    is_usable=is_usable_ed25519,
    verify=verify_ed25519,
    generate=_generate,
    open=_open,
)
