"""A small SVG drawing: shapes and text in order, the same bytes for the same picture.

Coordinates are in px with one decimal; they place marks and carry no figure that counts.
"""

from dataclasses import dataclass, field
from html import escape
from typing import Literal

WIDTH = 640.0
FACE = "Noto Sans CJK SC"  # the name by which both forms know their font
FONT = f"'{FACE}','Source Han Sans SC',sans-serif"
INK, QUIET, GRID_LINE = "#1f2933", "#52606d", "#d9e2ec"
BLUE, ORANGE, PALE = "#2b6cb0", "#c05621", "#bcd4ec"

# White around letters, so that they stand on bars and lines.
_HALO = 'stroke="#ffffff" stroke-width="3" stroke-linejoin="round" paint-order="stroke"'
Anchor = Literal["start", "middle", "end"]


@dataclass
class Canvas:
    """A picture that grows; `height` in px, the width is always `WIDTH`."""

    height: float
    parts: list[str] = field(default_factory=list)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        anchor: Anchor = "start",
        size: float = 12,
        colour: str = INK,
        bold: bool = False,
    ) -> None:
        """Set one line of text with its baseline at `y`."""
        # Not 400: typst's SVG leaves a variable font at its thinnest where the weight is normal.
        weight = 700 if bold else 500
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{colour}"'
            f' text-anchor="{anchor}" font-weight="{weight}" {_HALO}>{escape(words)}</text>'
        )

    def bar(self, x: float, y: float, width: float, *, height: float, colour: str) -> None:
        """Fill a rectangle; a width below half a px is drawn as half a px."""
        self.parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{height:.1f}"'
            f' fill="{colour}"/>'
        )

    def line(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        *,
        colour: str = GRID_LINE,
        width: float = 1,
        dashed: bool = False,
    ) -> None:
        """Draw a straight line."""
        dashes = ' stroke-dasharray="4 3"' if dashed else ""
        self.parts.append(
            f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"'
            f' stroke="{colour}" stroke-width="{width:g}"{dashes}/>'
        )

    def dot(self, x: float, y: float, *, colour: str) -> None:
        """Draw a diamond that marks a point value."""
        self.parts.append(
            f'<path d="M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6z" fill="{colour}" stroke="#ffffff"/>'
        )

    def svg(self) -> str:
        """Return the drawing as an SVG document."""
        size = f'width="{WIDTH:g}" height="{self.height:g}" viewBox="0 0 {WIDTH:g} {self.height:g}"'
        body = "".join(self.parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}">'
            f'<rect width="{WIDTH:g}" height="{self.height:g}" fill="#ffffff"/>{body}</svg>'
        )
