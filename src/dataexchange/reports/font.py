"""The font of a report: a Chinese one under an open licence, embedded, never fetched at run time.

The package `manimgx-fonts-cjk` of the extra `reports` holds Noto Sans CJK (SIL OFL 1.1); where it
is absent an installed Noto Sans CJK or Source Han Sans of the system is used. The bytes of a
report are a function of the font too: those of the package are pinned by its hash.
"""

from dataclasses import dataclass
from functools import cache, cached_property
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from dataexchange.errors import DataExchangeError
from dataexchange.reports.qr import ReportsExtraError

if TYPE_CHECKING:
    import typst
    from fontTools.ttLib import TTFont

PACKAGE = "manimgx_fonts_cjk"
FAMILIES = ("Noto Sans CJK SC", "Source Han Sans SC", "Noto Sans SC")
# A page in one horizontal direction needs none of these.
DROPPED = ("BASE", "VORG", "vhea", "vmtx", "VVAR", "DSIG")


class NoChineseFontError(DataExchangeError):
    """No font with Chinese characters was found; a report would be full of boxes."""

    def __init__(self) -> None:
        super().__init__(
            "没有中文字体：请安装 dataexchange[reports]（含 manimgx-fonts-cjk）"
            "或系统字体 Noto Sans CJK"
            " / no Chinese font: install dataexchange[reports] (which has manimgx-fonts-cjk) or"
            " the system's Noto Sans CJK"
        )


@dataclass(frozen=True)
class ChineseFont:
    """A font family, the file that has it, and `fonts` for typst to set with."""

    family: str
    path: Path
    index: int
    fonts: "typst.Fonts"

    @cached_property
    def covered(self) -> frozenset[int]:
        """The code points that the font has a glyph for."""
        with self._open() as font:
            return frozenset(font.getBestCmap())

    def legible(self, text: str) -> str:
        """Return `text`, each character that the font lacks spelt out, or as 〔U+1F600〕."""
        text = text.translate(_SPELT)
        lacking = {ord(sign) for sign in text} - self.covered - _LAYOUT
        return text.translate({code: f"〔U+{code:04X}〕" for code in lacking})

    def subset(self, text: str) -> bytes:
        """Return an OpenType font of the characters of `text` alone; the same bytes each time."""
        from fontTools import subset

        options = subset.Options()
        options.layout_features = ["kern"]
        options.name_IDs = [1, 2, 13, 14]  # the name and the licence
        options.drop_tables = [*options.drop_tables, *DROPPED]
        options.hinting = False
        subsetter, saved = subset.Subsetter(options), BytesIO()
        subsetter.populate(unicodes=sorted({ord(sign) for sign in text}))
        with self._open() as font:
            subsetter.subset(font)
            font.save(saved)
        return saved.getvalue()

    def _open(self) -> "TTFont":
        from fontTools.ttLib import TTFont

        return TTFont(self.path, fontNumber=self.index, lazy=True, recalcTimestamp=False)


_LAYOUT = frozenset(map(ord, "\n\t"))
# Signs of formulas that CJK fonts lack.
_SPELT = str.maketrans({"⁺": "^+", "⁻": "^−", "∘": "○", "ℕ": "N"})


@cache
def chinese_font() -> ChineseFont:
    """Return the font to set with; raises `ReportsExtraError` and `NoChineseFontError`."""
    for package in ("typst", "fontTools"):
        if find_spec(package) is None:
            raise ReportsExtraError(package)
    import typst

    folder = _package_folder()
    fonts = typst.Fonts(
        include_system_fonts=folder is None,
        include_embedded_fonts=False,
        font_paths=[str(folder)] if folder else [],
    )
    return _chosen(fonts)


def _package_folder() -> Path | None:
    found = find_spec(PACKAGE)
    return Path(found.origin).parent if found is not None and found.origin else None


def _chosen(fonts: "typst.Fonts") -> ChineseFont:
    """Return the first family there is, its face nearest to the regular weight."""
    known = [one for one in fonts.fonts() if one.path and one.style == "normal"]
    for family in FAMILIES:
        faces = [one for one in known if one.family == family]
        if faces:
            face = min(faces, key=lambda one: (abs(one.weight - 400), str(one.path), one.index))
            return ChineseFont(family, Path(str(face.path)), face.index, fonts)
    raise NoChineseFontError
