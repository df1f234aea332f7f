"""Read delimited text that nobody vouches for, and write it again in one plain form.

Every record either comes through whole or is counted: too few or too many fields (ragged), a
quote that never closes, a line or a field too long (unreadable). Nothing is guessed or padded.
RFC 4180, with the delimiter taken from the header line and any line end.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO

from dataexchange.content.encoding import REPLACEMENT

DELIMITERS: Final = (",", "\t", ";", "|")
COLUMNS_MAX: Final = 2_000
FIELD_CHARS_MAX: Final = 1 << 20
RECORD_CHARS_MAX: Final = 1 << 22
_NAME_CHARS_MAX: Final = 200


@dataclass(slots=True)
class Tally:
    """What reading met: records that came through, and what did not, by kind."""

    rows: int = 0
    ragged_records: int = 0
    unreadable_lines: int = 0
    blank_lines: int = 0


@dataclass(frozen=True, slots=True)
class Header:
    """Column names as used (none empty, none twice), and how many had to be mended for that."""

    names: tuple[str, ...]
    mended_count: int


@dataclass(slots=True)
class DelimitedText:
    """A text being read: `header` is known at once, `tally` is final after `records` ran out."""

    header: Header
    delimiter: str
    tally: Tally
    _lines: "_Lines" = field(repr=False)

    def records(self) -> Iterator[list[str]]:
        """Return the records that have one field for every column."""
        width = len(self.header.names)
        for record in _records(self._lines, self.delimiter, self.tally):
            if len(record) == width:
                self.tally.rows += 1
                yield record
            elif record:
                self.tally.ragged_records += 1
            else:
                self.tally.blank_lines += 1


def read_delimited(stream: TextIO, delimiter: str | None = None) -> DelimitedText | None:
    """Return the text with its header read; None where there is no header at all."""
    # The limit belongs to the process; every caller here sets the same.
    csv.field_size_limit(FIELD_CHARS_MAX)
    tally = Tally()
    lines = _Lines(stream, tally)
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        return None
    delimiter = delimiter or _likely_delimiter(first)
    lines.push(first)
    record = next(_records(lines, delimiter, tally), None)
    if record is None or len(record) > COLUMNS_MAX:
        return None
    return DelimitedText(_header(record), delimiter, tally, lines)


def write_plain(text: DelimitedText, target: Path) -> None:
    """Write the records without the header as UTF-8, `,`, minimal quotes and CRLF (RFC 4180)."""
    with target.open("x", encoding="utf-8", newline="") as stream:
        # CRLF as the line end makes the writer quote both of its characters inside fields.
        csv.writer(stream, lineterminator="\r\n").writerows(text.records())


class _Lines:
    """Lines of bounded length. An iterator, not a generator: it goes on after it has raised."""

    def __init__(self, stream: TextIO, tally: Tally) -> None:
        self._stream = stream
        self._tally = tally
        self._pushed: list[str] = []
        self.record_chars = 0

    def push(self, line: str) -> None:
        self._pushed.append(line)

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._pushed.pop() if self._pushed else self._read()
        self.record_chars += len(line)
        if self.record_chars > RECORD_CHARS_MAX:
            raise csv.Error("record too long")
        return line.replace("\0", REPLACEMENT)

    def _read(self) -> str:
        while line := self._stream.readline(RECORD_CHARS_MAX):
            if len(line) < RECORD_CHARS_MAX or line.endswith(("\n", "\r")):
                return line
            self._skip_rest()
        raise StopIteration

    def _skip_rest(self) -> None:
        """Leave out the rest of a line that has no end within the limit, and count the line."""
        self._tally.unreadable_lines += 1
        while (piece := self._stream.readline(RECORD_CHARS_MAX)) and not piece.endswith(
            ("\n", "\r")
        ):
            pass


def _records(lines: _Lines, delimiter: str, tally: Tally) -> Iterator[list[str]]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.record_chars = 0
        before = reader.line_num
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # The reader starts afresh at the next line.
            tally.unreadable_lines += max(1, reader.line_num - before)
            continue
        yield record


def _likely_delimiter(line: str) -> str:
    """Return the delimiter that splits the header into most fields; `,` before all others."""
    return max(DELIMITERS, key=lambda delimiter: _field_count(line, delimiter))


def _field_count(line: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=delimiter)))
    except csv.Error:
        return 0


def _header(record: list[str]) -> Header:
    names: list[str] = []
    for position, name in enumerate(record, start=1):
        plain = name.strip()[:_NAME_CHARS_MAX] or f"column_{position}"
        names.append(_unused(plain, set(names)))
    mended = sum(name != given for name, given in zip(names, record, strict=True))
    return Header(tuple(names), mended)


def _unused(name: str, taken: set[str]) -> str:
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    return candidate
