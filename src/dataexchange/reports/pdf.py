"""A paper as PDF/A-2b by typst: fonts embedded, tagged, no clock, so the same paper gives the same
bytes with the same typst and font.
"""

from datetime import UTC, datetime, time
from importlib.resources import files
from typing import Literal

import msgspec

from dataexchange.reports.block import Paper
from dataexchange.reports.font import chinese_fonts
from dataexchange.reports.qr import ReportsExtraError
from dataexchange.reports.words import word

STANDARD: Literal["a-2b"] = "a-2b"


def to_pdf(paper: Paper) -> bytes:
    """Return the paper as PDF; raises `ReportsExtraError` and `NoChineseFontError`."""
    try:
        import typst
    except ImportError as error:
        raise ReportsExtraError("typst") from error
    fonts, family = chinese_fonts()
    template = files("dataexchange.reports").joinpath("paper.typ").read_bytes()
    made = typst.Compiler(
        template, font_paths=fonts, sys_inputs=_inputs(paper, family), ignore_system_fonts=True
    ).compile(
        format="pdf",
        pdf_standards=STANDARD,
        # The base date, never the clock's: made again tomorrow it is the same file.
        timestamp=datetime.combine(paper.dated, time(), UTC),
    )
    assert isinstance(made, bytes)  # noqa: S101  # a PDF is one file
    return made


def _inputs(paper: Paper, family: str) -> dict[str, str]:
    return {
        "paper": msgspec.json.encode(paper).decode(),
        "family": family,
        "page": word("page", paper.language, page="{page}", pages="{pages}"),
    }
