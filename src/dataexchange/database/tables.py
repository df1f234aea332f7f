"""The tables. `entry` is the log and is never changed; all else can be rebuilt from it."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel


class HeadRow(SQLModel, table=True):
    """The end of the log, one row: its lock is what makes one order of all writers."""

    __tablename__ = "head"
    __table_args__ = (CheckConstraint("log = 1", name="head_is_one_row"),)

    log: int = Field(sa_column=Column(SmallInteger, primary_key=True))
    origin: str = Field(sa_column=Column(Text, nullable=False))
    size: int = Field(sa_column=Column(BigInteger, nullable=False))
    last: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    frontier: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    recorded_at: datetime | None = Field(sa_column=Column(DateTime(timezone=True)))


class EntryRow(SQLModel, table=True):
    """One entry. `body` counts; the other columns are copies of what it says, for look-ups.

    `subjects` are the aggregates that it is about, sorted; `previous` the index of the entry
    before it about each (−1 where it is the first), so that a history is walked without an index.
    """

    __tablename__ = "entry"
    # The id comes first: it is ordered by time, so the index grows at its right edge.
    __table_args__ = (UniqueConstraint("statement_id", "actor", name="entry_once"),)

    index: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    leaf: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    statement_id: str = Field(sa_column=Column(Text, nullable=False))
    actor: str = Field(sa_column=Column(Text, nullable=False))
    subjects: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    previous: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))


class AggregateRow(SQLModel, table=True):
    """The state of one aggregate after its last entry; dropped and rebuilt at will.

    `parties` are those that the key or the state names: who may read it where not all may.
    """

    __tablename__ = "aggregate"
    __table_args__ = (
        Index("aggregate_by_kind", "kind", "first_index", "key"),
        Index("aggregate_by_party", "parties", postgresql_using="gin"),
    )

    key: str = Field(sa_column=Column(Text, primary_key=True))
    kind: str = Field(sa_column=Column(Text, nullable=False))
    seq: int = Field(sa_column=Column(BigInteger, nullable=False))
    head: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    head_index: int = Field(sa_column=Column(BigInteger, nullable=False))
    first_index: int = Field(sa_column=Column(BigInteger, nullable=False))
    state_schema: int = Field(sa_column=Column(SmallInteger, nullable=False))
    state: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    parties: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))


class TileRow(SQLModel, table=True):
    """A full hash tile and the root over it; partial tiles follow from the level below."""

    __tablename__ = "tile"

    level: int = Field(sa_column=Column(SmallInteger, primary_key=True, autoincrement=False))
    number: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    hashes: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    root: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class CheckpointRow(SQLModel, table=True):
    """A signed checkpoint, as published; `previous` is the size of the one before it, or −1."""

    __tablename__ = "checkpoint"

    size: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    previous: int = Field(sa_column=Column(BigInteger, nullable=False))
    note: str = Field(sa_column=Column(Text, nullable=False))
    signed_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class MapNodeRow(SQLModel, table=True):
    """A tile of the verifiable map, or what it holds of an aggregate: named by its hash."""

    __tablename__ = "map_node"

    name: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class CosignatureRow(SQLModel, table=True):
    """One witness's signature line on the checkpoint of `size`; `witness` is its vkey."""

    __tablename__ = "cosignature"
    __table_args__ = (Index("cosignature_by_witness", "witness", "size"),)

    size: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    witness: str = Field(sa_column=Column(Text, primary_key=True))
    line: str = Field(sa_column=Column(Text, nullable=False))
    received_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class PublishedRow(SQLModel, table=True):
    """A checkpoint that met the quorum of the policy of its day."""

    __tablename__ = "published"

    size: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    published_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class ContentUploadRow(SQLModel, table=True):
    """Who put in which content: only an entry of such a party opens it to others."""

    __tablename__ = "content_upload"
    __table_args__ = (CheckConstraint("length(sha256) = 32"),)

    sha256: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    party: str = Field(sa_column=Column(Text, primary_key=True))
    uploaded_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class SealedOpeningRow(SQLModel, table=True):
    """The opening of one sealed field, encrypted; without a box it was erased."""

    __tablename__ = "sealed_opening"

    statement_id: str = Field(sa_column=Column(Text, primary_key=True))
    actor: str = Field(sa_column=Column(Text, primary_key=True))
    field: str = Field(sa_column=Column(Text, primary_key=True))
    key_id: str | None = Field(sa_column=Column(Text))
    box: bytes | None = Field(sa_column=Column(LargeBinary))
    erased_by: int | None = Field(sa_column=Column(BigInteger))


class ContentErasureRow(SQLModel, table=True):
    """An erasure of content that was carried out; `index` is the entry that orders it."""

    __tablename__ = "content_erasure"

    index: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    sha256: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    ordered: bool = Field(sa_column=Column(Boolean, nullable=False))
