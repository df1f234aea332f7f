"""What travels over the signer's socket: one JSON document a line, a question and its answer.

    {"ask":"keys"}                                       → {"say":"keys","origin","vkeys","last"?}
    {"ask":"sign","size","root","vkeys","old","proof"}   → {"say":"signed","note"}
                                                         → {"say":"conflict","size"}
                                                         → {"say":"refused","reason"}

`root` and `proof` are base64. `old` is the size that the proof starts from; a `conflict` tells the
size signed last, to ask again from there.
"""

import msgspec

LINE_BYTES_MAX = 65_536


class AskKeys(msgspec.Struct, frozen=True, tag_field="ask", tag="keys", forbid_unknown_fields=True):
    """Which keys are there?"""


class AskSign(msgspec.Struct, frozen=True, tag_field="ask", tag="sign", forbid_unknown_fields=True):
    """Sign a checkpoint of this size and root."""

    size: int
    root: bytes
    vkeys: tuple[str, ...]
    old: int
    proof: tuple[bytes, ...]


class Keys(msgspec.Struct, frozen=True, tag_field="say", tag="keys"):
    """The log, its keys, and the note that was signed last."""

    origin: str
    vkeys: tuple[str, ...]
    last: str | None = None


class Signed(msgspec.Struct, frozen=True, tag_field="say", tag="signed"):
    """The signed note."""

    note: str


class Conflict(msgspec.Struct, frozen=True, tag_field="say", tag="conflict"):
    """The proof does not start at the size signed last, which is this."""

    size: int


class Refused(msgspec.Struct, frozen=True, tag_field="say", tag="refused"):
    """It is not signed, and why."""

    reason: str


Ask = AskKeys | AskSign
Answer = Keys | Signed | Conflict | Refused
ASK = msgspec.json.Decoder(Ask)
ANSWER = msgspec.json.Decoder(Answer)


def line(message: Ask | Answer) -> bytes:
    """Return a message as the line that is sent."""
    return msgspec.json.encode(message) + b"\n"
