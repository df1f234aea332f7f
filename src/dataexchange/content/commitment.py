"""Commit to a file's content: its bytes, how many rows, and which columns of which type.

What the event `resource.version_added` carries, so that a delivery can be held against it byte
for byte, chunk by chunk, or column by column.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dataexchange.content.chunks import CHUNK_BYTES, FileDigest
from dataexchange.content.datatype import DataType
from dataexchange.content.profile import Profile, profile_table
from dataexchange.content.reading import Declared, FileFormat
from dataexchange.content.table import Table, open_table
from dataexchange.errors import RefusalCode
from dataexchange.pipeline.content import Content, FileCommitment, files_root
from dataexchange.pipeline.field import DataField, schema_hash

SCHEMAS_DIFFER = RefusalCode(
    "content.schemas_differ",
    clause="domain: resource.version_added",
    zh="同一版本的各文件应有相同的列（名称、类型、顺序）。",
    en="The files of one version have the same columns (name, type, order).",
    remedy_zh="把结构不同的文件登记为不同的资源。",
    remedy_en="Register files of another structure as another resource.",
)


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

    def fields(self) -> tuple[DataField, ...]:
        """Return the columns in the file's order, as events name them."""
        return tuple(DataField(name=column.name, type=column.type) for column in self.columns)

    def file_commitment(self) -> FileCommitment:
        """Return the commitment as events carry it."""
        return FileCommitment(
            chunk_bytes=CHUNK_BYTES,
            chunk_count=self.digest.chunk_count,
            chunk_root=self.digest.chunk_root,
            format=self.format,
            rows=self.rows,
            schema_sha256=schema_hash(self.fields()),
            sha256=self.digest.sha256,
            size_bytes=self.digest.size_bytes,
        )


def commit_file(path: Path, declared: Declared | None = None) -> ContentCommitment:
    """Commit to a file; refuses what `open_table` refuses."""
    with open_table(path, declared) as table:
        return commit_table(table, profile_table(table))


def commit_table(table: Table, profile: Profile) -> ContentCommitment:
    """Commit to a file that is loaded and profiled."""
    columns = tuple(CommittedColumn(column.name, column.type) for column in profile.columns)
    return ContentCommitment(table.digest, table.facts.format, table.rows, columns)


def version_content(files: Sequence[ContentCommitment]) -> Content:
    """Return what `resource.version_added` says of a version made of these files, in this order."""
    if any(file.columns != files[0].columns for file in files):
        raise SCHEMAS_DIFFER()
    commitments = tuple(file.file_commitment() for file in files)
    return Content(
        root=files_root(commitments),
        files=commitments,
        file_count=len(files),
        size_bytes=sum(file.digest.size_bytes for file in files),
        rows=sum(file.rows for file in files),
        fields=files[0].fields(),
    )
