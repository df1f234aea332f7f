"""Commit to a file's content: its bytes, how many rows, and which columns of which type.

What the event `resource.version_added` carries, so that a delivery can be held against it byte
for byte, chunk by chunk, or column by column.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from dataexchange.content.chunks import CHUNK_BYTES, FileDigest
from dataexchange.content.datatype import DataType
from dataexchange.content.profile import Profile, profile_table
from dataexchange.content.reading import Declared, FileFormat
from dataexchange.content.table import Table, open_table
from dataexchange.ledger.canonical import encode
from dataexchange.ledger.merkle import leaf_hash, root


@dataclass(frozen=True, slots=True)
class CommittedColumn:
    """A column of the file: its name and the narrowest type that all its cells have."""

    name: str
    type: DataType


@dataclass(frozen=True, slots=True)
class ContentCommitment:
    """A file's digest, format, number of rows and columns."""

    digest: FileDigest
    format: FileFormat
    rows: int
    columns: tuple[CommittedColumn, ...]

    def schema(self) -> list[dict[str, str]]:
        """Return the columns in the file's order."""
        return [{"name": column.name, "type": column.type} for column in self.columns]

    def schema_sha256(self) -> str:
        """Return the hash, hex, of the canonical JSON of the schema."""
        return sha256(encode(self.schema())).hexdigest()

    def payload(self) -> dict[str, object]:
        """Return the commitment in canonical JSON's terms."""
        return {
            "chunk_bytes": CHUNK_BYTES,
            "chunk_count": self.digest.chunk_count,
            "chunk_root": self.digest.chunk_root,
            "format": self.format,
            "rows": self.rows,
            "schema_sha256": self.schema_sha256(),
            "sha256": self.digest.sha256,
            "size_bytes": self.digest.size_bytes,
        }


def commit_file(path: Path, declared: Declared | None = None) -> ContentCommitment:
    """Commit to a file; refuses what `open_table` refuses."""
    with open_table(path, declared) as table:
        return commit_table(table, profile_table(table))


def commit_table(table: Table, profile: Profile) -> ContentCommitment:
    """Commit to a file that is loaded and profiled."""
    columns = tuple(CommittedColumn(column.name, column.type) for column in profile.columns)
    return ContentCommitment(table.digest, table.facts.format, table.rows, columns)


def content_root(files: Sequence[ContentCommitment]) -> str:
    """Return the root, hex, over the files of a version in their order (RFC 9162 leaves)."""
    return root([leaf_hash(encode(file.payload())) for file in files]).hex()
