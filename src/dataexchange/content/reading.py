"""Bring an untrusted file into a private folder, hashed, and in a form the engine can load.

The file is copied while it is hashed, so what is measured later is what was hashed. Delimited
text is read record by record and written in one plain form (`content.delimited`).
"""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal, TypeAlias, cast

from dataexchange.content.chunks import FileDigest, digest_file
from dataexchange.content.delimited import COLUMNS_MAX, read_delimited, write_plain
from dataexchange.content.encoding import EncodingName, TextEncoding, find_encoding, open_text
from dataexchange.errors import RefusalCode

FileFormat: TypeAlias = Literal["csv", "csv.gz", "parquet"]

TEXT_BYTES_MAX: Final = 16 << 30
_HEAD_BYTES: Final = 1_024
_UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_BLOCK_BYTES: Final = 1 << 20

EMPTY_FILE = RefusalCode(
    "content.empty_file",
    clause="GB/T 36344-2018 0601",
    zh="文件是空的，没有可登记的内容。",
    en="The file is empty; there is no content to register.",
    kind="malformed",
)
NO_HEADER = RefusalCode(
    "content.no_header",
    clause="RFC 4180 section 2",
    zh="读不出表头：首行应为列名，且不超过 {columns_max} 列。",
    en="No header can be read: the first line should name the columns, {columns_max} at most.",
    remedy_zh="在首行写上列名；检查引号是否成对。",
    remedy_en="Name the columns in the first line; check that quotes are paired.",
    kind="malformed",
)
UNKNOWN_FORMAT = RefusalCode(
    "content.unknown_format",
    clause="",
    zh="不支持的文件格式；可用 CSV、gzip 压缩的 CSV 和 Parquet。",
    en="The file format is not supported; CSV, gzip CSV and Parquet are.",
    remedy_zh="导出为 CSV（UTF-8）或 Parquet 后重试。",
    remedy_en="Export it as CSV (UTF-8) or Parquet and try again.",
    kind="malformed",
)
UNREADABLE = RefusalCode(
    "content.unreadable",
    clause="GB/T 36344-2018 0601",
    zh="文件已损坏或不完整，无法读取（{reason}）。",
    en="The file is damaged or cut short and cannot be read ({reason}).",
    remedy_zh="重新导出或重新传输文件，并核对其 SHA-256。",
    remedy_en="Export or transfer the file again and compare its SHA-256.",
    kind="malformed",
)
TOO_LARGE = RefusalCode(
    "content.too_large",
    clause="",
    zh="解压后的文本超过 {bytes_max} 字节的上限。",
    en="The text is larger than {bytes_max} bytes once unpacked.",
    remedy_zh="分成几个文件登记。",
    remedy_en="Register it in several files.",
    kind="malformed",
)


@dataclass(frozen=True, slots=True)
class Declared:
    """What the provider declares about a text file, as far as reading it depends on that."""

    encoding: EncodingName | None = None
    delimiter: str | None = None


@dataclass(frozen=True, slots=True)
class ReadFacts:
    """What reading showed. Parquet has neither encoding nor delimiter, and loses nothing."""

    format: FileFormat
    encoding: TextEncoding | None = None
    delimiter: str | None = None
    mended_names: int = 0
    ragged_records: int = 0
    unreadable_lines: int = 0
    blank_lines: int = 0

    @property
    def lost_records(self) -> int:
        """How many records (or lines, where records cannot be told) did not come through."""
        return self.ragged_records + self.unreadable_lines

    def payload(self) -> dict[str, object]:
        """Return the facts in canonical JSON's terms."""
        return {
            "blank_lines": self.blank_lines,
            "delimiter": self.delimiter,
            "encoding": None if self.encoding is None else self.encoding.name,
            "encoding_mark": self.encoding is not None and self.encoding.mark,
            "format": self.format,
            "mended_names": self.mended_names,
            "ragged_records": self.ragged_records,
            "undecodable": 0 if self.encoding is None else self.encoding.undecodable_count,
            "unreadable_lines": self.unreadable_lines,
        }


@dataclass(frozen=True, slots=True)
class Delivered:
    """A file brought in: `loadable` is what the engine reads; a text's names are known here."""

    digest: FileDigest
    facts: ReadFacts
    loadable: Path
    names: tuple[str, ...] = ()
    rows: int = 0


def bring_in(
    path: Path, folder: Path, *, declared: Declared, text_bytes_max: int = TEXT_BYTES_MAX
) -> Delivered:
    """Copy, hash and read the file into `folder`, which is private to the caller."""
    copy = folder / "delivered"
    digest = digest_file(path, copy_to=copy)
    file_format = _format(copy)
    if file_format == "parquet":
        return Delivered(digest, ReadFacts(file_format), copy)
    with _as_refusals():
        text = _Text(copy, file_format)
        text.require_text()
        text.require_size(text_bytes_max)
        return _plain(text, digest, folder / "plain.csv", declared)


class _Text:
    """The text inside a delivered file, opened as often as needed."""

    def __init__(self, path: Path, file_format: FileFormat) -> None:
        self._path = path
        self.format = file_format

    def open(self) -> BinaryIO:
        if self.format == "csv.gz":
            return cast("BinaryIO", gzip.open(self._path))
        return self._path.open("rb")

    def require_text(self) -> None:
        """Refuse what is plainly no text: only UTF-16 has NUL bytes in its first lines."""
        with self.open() as stream:
            head = stream.read(_HEAD_BYTES)
        if not head:
            raise EMPTY_FILE()
        if b"\0" in head and not head.startswith(_UTF16_MARKS):
            raise UNKNOWN_FORMAT()

    def require_size(self, bytes_max: int) -> None:
        """Refuse text beyond the limit: a small archive may unpack to anything."""
        size_bytes = 0
        with self.open() as stream:
            while block := stream.read(_BLOCK_BYTES):
                size_bytes += len(block)
                if size_bytes > bytes_max:
                    raise TOO_LARGE(bytes_max=bytes_max)


def _plain(text: _Text, digest: FileDigest, target: Path, declared: Declared) -> Delivered:
    encoding = find_encoding(text.open, declared.encoding)
    with text.open() as stream, open_text(stream, encoding) as decoded:
        delimited = read_delimited(decoded, declared.delimiter)
        if delimited is None:
            raise NO_HEADER(columns_max=COLUMNS_MAX)
        write_plain(delimited, target)
    tally = delimited.tally
    facts = ReadFacts(
        text.format,
        encoding,
        delimited.delimiter,
        mended_names=delimited.header.mended_count,
        ragged_records=tally.ragged_records,
        unreadable_lines=tally.unreadable_lines,
        blank_lines=tally.blank_lines,
    )
    return Delivered(digest, facts, target, delimited.header.names, tally.rows)


def _format(path: Path) -> FileFormat:
    with path.open("rb") as stream:
        head = stream.read(4)
    if head == b"PAR1":
        return "parquet"
    return "csv.gz" if head.startswith(b"\x1f\x8b") else "csv"


@contextmanager
def _as_refusals() -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UNREADABLE(reason=str(error)) from error
