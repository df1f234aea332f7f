"""What a suite is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

SuiteName: TypeAlias = Literal["ed25519", "secp256k1", "sm2"]
SIGNATURE_SIZE = 64
SECRET_SIZE = 32


@dataclass(frozen=True, slots=True)
class Secret:
    """An opened secret key: its public key, as the key id holds it, and how it signs."""

    public: bytes
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Suite:
    """One way to sign. `prefix` is the multicodec of its public keys, as a varint.

    `verify(public, message, signature)` is the strict predicate and never raises; `open(secret)`
    raises `ValueError` where 32 bytes are no secret of the suite.
    """

    name: SuiteName
    prefix: bytes
    is_usable: Callable[[bytes], bool]
    verify: Callable[[bytes, bytes, bytes], bool]
    generate: Callable[[], bytes]
    open: Callable[[bytes], Secret]
