"""The state of an aggregate: frozen, kept as canonical JSON, rebuilt from the log at will.

`gc=False`: what is frozen and made after its parts is in no cycle, so the collector need not look.
"""

from typing import Any, ClassVar, Self, TypeVar

import msgspec

STATE_SIZE_MAX = 16_384


class State(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Base of every state. `id` is the aggregate's key in the log; money in 分; times RFC 3339."""

    KIND: ClassVar[str]
    SCHEMA: ClassVar[int] = 1

    id: str

    def but(self, **changes: Any) -> Self:
        """Return this state with `changes`."""
        return msgspec.structs.replace(self, **changes)

    def encode(self) -> bytes:
        """Return the canonical bytes of this state."""
        return _ENCODER.encode(self)


S = TypeVar("S", bound=State)


def decode(kind: type[S], data: bytes) -> S:
    """Return the state of `kind` that `data` encodes."""
    decoder = _DECODERS.get(kind)
    if decoder is None:
        decoder = _DECODERS[kind] = msgspec.json.Decoder(kind)
    state: S = decoder.decode(data)
    return state


_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODERS: dict[type[State], msgspec.json.Decoder[Any]] = {}
