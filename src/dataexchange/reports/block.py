"""What a report is made of, before it is HTML or PDF: a paper is a row of blocks.

Both renderers set the same blocks, so both forms of a report say the same.
"""

from datetime import date
from typing import Literal, TypeAlias

import msgspec

Language: TypeAlias = Literal["zh", "en"]


class Heading(msgspec.Struct, frozen=True, tag="heading"):
    """A heading: level 1 opens a section, 2 a part of one."""

    text: str
    level: int = 1


class Paragraph(msgspec.Struct, frozen=True, tag="paragraph"):
    """A paragraph of plain text."""

    text: str


class Notice(msgspec.Struct, frozen=True, tag="notice"):
    """What no reader may miss: a title, and lines below it."""

    title: str
    lines: tuple[str, ...] = ()


class Bullets(msgspec.Struct, frozen=True, tag="bullets"):
    """A list of sentences."""

    items: tuple[str, ...]


class Facts(msgspec.Struct, frozen=True, tag="facts"):
    """Names and what is stated under them."""

    rows: tuple[tuple[str, str], ...]


class Grid(msgspec.Struct, frozen=True, tag="grid"):
    """A table; `shares` are the relative widths of its columns, `figures` those set to the right.

    `marked` names a cell (row, column) that is set off; `tall` rows leave room to sign.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    shares: tuple[int, ...]
    figures: tuple[int, ...] = ()
    caption: str = ""
    marked: tuple[int, int] | None = None
    tall: bool = False


class Picture(msgspec.Struct, frozen=True, tag="picture"):
    """A chart as SVG, with the words for those who cannot see it."""

    svg: str
    words: str
    caption: str


class Mark(msgspec.Struct, frozen=True, tag="mark"):
    """A QR code as SVG and the lines beside it."""

    svg: str
    words: str
    lines: tuple[str, ...]


Block: TypeAlias = Heading | Paragraph | Notice | Bullets | Facts | Grid | Picture | Mark


class Paper(msgspec.Struct, frozen=True):
    """A whole report in one language; `dated` is its base date, `mark` stands on every page."""

    language: Language
    title: str
    subtitle: str
    mark: str
    dated: date
    blocks: tuple[Block, ...]
