"""The entry: what the log holds. Its exact bytes are stored, hashed and served."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeAlias

import msgspec
import orjson

from dataexchange.errors import IntegrityError, RefusedError
from dataexchange.ledger import canonical, merkle
from dataexchange.ledger.signature import Signature
from dataexchange.ledger.statement import Statement, format_time, parse_time

ENTRY_SIZE_MAX = 65_535
NO_PREVIOUS = "0" * 64

Index: TypeAlias = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1, lt=2**53)]
LeafHash: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class EntryError(IntegrityError):
    """Bytes that are not an entry, or not in canonical form."""


class SubjectLink(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """An entry's place in the chain of one subject: its count from 1, the previous leaf hash."""

    prev: LeafHash
    seq: Count


class EntryFields(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The members of an entry."""

    index: Index
    prev: LeafHash
    recorded_at: str
    signature: Signature
    statement: msgspec.Raw
    subjects: dict[str, SubjectLink]
    v: int


class Given(msgspec.Struct, frozen=True, gc=False):
    """What an entry does not take from those before it: of this, they and the rules, it is made."""

    recorded_at: str
    signature: Signature
    statement: msgspec.Raw


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry parsed for reading; `body` is what counts."""

    body: bytes
    fields: EntryFields
    statement: Statement
    recorded_at: datetime

    @property
    def index(self) -> int:
        """The entry's place in the log, from 0."""
        return self.fields.index

    @property
    def leaf(self) -> bytes:
        """The RFC 9162 leaf hash of the entry's bytes."""
        return merkle.leaf_hash(self.body)

    @classmethod
    def parse(cls, body: bytes) -> "Entry":
        """Return the entry that the canonical `body` is; `EntryError` where it is not one.

        Whether its chains, its signature and the rules hold is not asked here.
        """
        _require_size(body)
        try:
            canonical.decode(body)
        except RefusedError as error:
            raise EntryError(str(error)) from error
        return cls.read(body)

    @classmethod
    def read(cls, body: bytes) -> "Entry":
        """Return the entry that `body` is, known to be canonical already; so its statement is."""
        try:
            fields = _DECODER.decode(body)
            statement = Statement.read(bytes(fields.statement))
            recorded_at = parse_time(fields.recorded_at)
        except (msgspec.ValidationError, RefusedError) as error:
            raise EntryError(str(error)) from error
        if fields.v != 1:
            raise EntryError(f"v is {fields.v}, 1 is known")
        if statement.fields.actor not in fields.subjects:
            raise EntryError("the actor is not among the subjects")
        return cls(body, fields, statement, recorded_at)


def read_given(body: bytes) -> tuple[Given, Statement]:
    """Return what the entry `body` is made of, well formed; `EntryError` where it is not.

    For a replay: whatever else the bytes say, or in what form, only one entry can come out.
    """
    _require_size(body)
    try:
        given = _GIVEN_DECODER.decode(body)
        statement = Statement.parse(bytes(given.statement))
        parse_time(given.recorded_at)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, RefusedError) as error:
        raise EntryError(str(error)) from error
    return given, statement


def _require_size(body: bytes) -> None:
    if len(body) > ENTRY_SIZE_MAX:
        raise EntryError(f"{len(body)} bytes, {ENTRY_SIZE_MAX} at most")


def build(
    *,
    index: int,
    prev: str,
    recorded_at: datetime,
    signature: bytes,
    statement: bytes,
    subjects: Mapping[str, tuple[int, str]],
) -> bytes:
    """Return the canonical bytes of an entry.

    `signature` and `statement` are canonical already and are put in as they are; `subjects` maps
    an aggregate to its (seq, previous leaf hash).
    """
    links = orjson.dumps(
        {key: {"prev": previous, "seq": seq} for key, (seq, previous) in subjects.items()},
        option=orjson.OPT_SORT_KEYS,
    )
    return (
        b'{"index":%d,"prev":"%b","recorded_at":"%b","signature":%b,"statement":%b,'
        b'"subjects":%b,"v":1}'
    ) % (
        index,
        prev.encode(),
        format_time(recorded_at).encode(),
        signature,
        statement,
        links,
    )


def encode_signature(signature: Signature) -> bytes:
    """Return the canonical bytes of `signature`."""
    return _SIGNATURE_ENCODER.encode(signature)


_DECODER = msgspec.json.Decoder(EntryFields)
_GIVEN_DECODER = msgspec.json.Decoder(Given)
_SIGNATURE_ENCODER = msgspec.json.Encoder(order="sorted")
