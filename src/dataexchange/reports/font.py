"""The font of a PDF: a Chinese one under an open licence, embedded, never fetched at run time.

The package `manimgx-fonts-cjk` of the extra `reports` holds Noto Sans CJK (SIL OFL 1.1); where it
is absent an installed Noto Sans CJK or Source Han Sans of the system is used. The bytes of a PDF
are a function of the font too: those of the package are pinned by its hash.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from dataexchange.errors import DataExchangeError
from dataexchange.reports.qr import ReportsExtraError

if TYPE_CHECKING:
    import typst

PACKAGE = "manimgx_fonts_cjk"
FAMILIES = ("Noto Sans CJK SC", "Source Han Sans SC", "Noto Sans SC")


class NoChineseFontError(DataExchangeError):
    """No font with Chinese characters was found; a PDF would be full of boxes."""

    def __init__(self) -> None:
        super().__init__(
            "没有中文字体：请安装 dataexchange[reports]（含 manimgx-fonts-cjk）"
            "或系统字体 Noto Sans CJK"
            " / no Chinese font: install dataexchange[reports] (which has manimgx-fonts-cjk) or"
            " the system's Noto Sans CJK"
        )


@cache
def chinese_fonts() -> tuple["typst.Fonts", str]:
    """Return the fonts to set with, and the family; raises `NoChineseFontError`."""
    try:
        import typst
    except ImportError as error:
        raise ReportsExtraError("typst") from error
    folder = _package_folder()
    fonts = typst.Fonts(
        include_system_fonts=folder is None,
        include_embedded_fonts=False,
        font_paths=[str(folder)] if folder else [],
    )
    return fonts, _family(fonts.families())


def _package_folder() -> Path | None:
    found = find_spec(PACKAGE)
    return Path(found.origin).parent if found is not None and found.origin else None


def _family(known: list[str]) -> str:
    for family in FAMILIES:
        if family in known:
            return family
    raise NoChineseFontError
