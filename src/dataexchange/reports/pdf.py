"""A paper as PDF/A-2b by typst: fonts embedded, tagged, no clock, so the same paper gives the same
bytes with the same typst and font.
"""

from datetime import UTC, datetime, time
from importlib.resources import files
from typing import Any, Literal

import msgspec

from dataexchange.reports.block import Paper
from dataexchange.reports.font import ChineseFont, chinese_font
from dataexchange.reports.words import word

STANDARD: Literal["a-2b"] = "a-2b"


def to_pdf(paper: Paper) -> bytes:
    """Return the paper as PDF; raises `ReportsExtraError` and `NoChineseFontError`."""
    font = chinese_font()
    import typst

    template = files("dataexchange.reports").joinpath("paper.typ").read_bytes()
    made = typst.Compiler(
        template, font_paths=font.fonts, sys_inputs=_inputs(paper, font), ignore_system_fonts=True
    ).compile(
        format="pdf",
        pdf_standards=STANDARD,
        # The base date, never the clock's: made again tomorrow it is the same file.
        timestamp=datetime.combine(paper.dated, time(), UTC),
    )
    assert isinstance(made, bytes)  # noqa: S101  # a PDF is one file
    return made


def _inputs(paper: Paper, font: ChineseFont) -> dict[str, str]:
    return {
        "paper": msgspec.json.encode(_legible(msgspec.to_builtins(paper), font)).decode(),
        "family": font.family,
        "page": word("page", paper.language, page="{page}", pages="{pages}"),
    }


def _legible(found: Any, font: ChineseFont) -> Any:
    """Return the paper's plain data with no character that the font lacks."""
    if isinstance(found, str):
        return font.legible(found)
    if isinstance(found, dict):
        return {key: _legible(one, font) for key, one in found.items()}
    return [_legible(one, font) for one in found] if isinstance(found, list | tuple) else found
