"""A paper as one HTML file: no script, nothing loaded from elsewhere, its font inside.

The font holds the characters of this report alone, so no browser shows boxes.
"""

from base64 import b64encode
from collections.abc import Iterable
from functools import singledispatch
from html import escape, unescape
from importlib.resources import files

from dataexchange.reports.block import (
    Bullets,
    Facts,
    Grid,
    Heading,
    Mark,
    Notice,
    Paper,
    Paragraph,
    Picture,
)
from dataexchange.reports.canvas import FACE
from dataexchange.reports.font import ChineseFont, chinese_font


def to_html(paper: Paper) -> bytes:
    """Return the paper as UTF-8 HTML; the same paper gives the same bytes.

    Raises `ReportsExtraError` and `NoChineseFontError`.
    """
    font = chinese_font()
    body = font.legible(_body(paper))
    shown = {sign for sign in unescape(body) if sign.isprintable()}
    title = font.legible(escape(paper.title))
    tag = "zh-CN" if paper.language == "zh" else "en"
    return (
        f'<!doctype html>\n<html lang="{tag}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{_face(font, shown)}{_style()}</style>\n"
        f"</head>\n<body>\n{body}\n</body>\n</html>\n"
    ).encode()


def _body(paper: Paper) -> str:
    subtitle = f"<p class=subtitle>{escape(paper.subtitle)}</p>\n" if paper.subtitle else ""
    blocks = "\n".join(_block(block) for block in paper.blocks)
    return (
        f"<main>\n<header>\n<h1>{escape(paper.title)}</h1>\n{subtitle}</header>\n{blocks}\n"
        f"<footer>{escape(paper.mark)}</footer>\n</main>"
    )


def _face(font: ChineseFont, shown: set[str]) -> str:
    data = b64encode(font.subset("".join(sorted(shown)))).decode()
    return (
        f'@font-face {{ font-family: "{FACE}"; font-weight: 100 900;'
        f' src: url("data:font/otf;base64,{data}") format("opentype"); }}\n'
    )


def _style() -> str:
    return files("dataexchange.reports").joinpath("paper.css").read_text("utf-8")


@singledispatch
def _block(block: object) -> str:
    raise TypeError(f"no HTML for {type(block).__name__}")


@_block.register
def _heading(block: Heading) -> str:
    return f"<h{block.level + 1}>{escape(block.text)}</h{block.level + 1}>"


@_block.register
def _paragraph(block: Paragraph) -> str:
    return f"<p>{escape(block.text)}</p>"


@_block.register
def _notice(block: Notice) -> str:
    lines = "".join(f"<p>{escape(line)}</p>" for line in block.lines)
    return f"<div class=notice><p><strong>{escape(block.title)}</strong></p>{lines}</div>"


@_block.register
def _bullets(block: Bullets) -> str:
    return "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in block.items) + "</ul>"


@_block.register
def _facts(block: Facts) -> str:
    rows = "".join(
        f"<tr><th scope=row>{escape(name)}</th><td>{escape(stated)}</td></tr>"
        for name, stated in block.rows
    )
    return f"<table class=facts><tbody>{rows}</tbody></table>"


@_block.register
def _grid(block: Grid) -> str:
    total = sum(block.shares)
    widths = "".join(f'<col style="width:{100 * one / total:.2f}%">' for one in block.shares)
    header = _row(block, block.header, "th scope=col", None)
    rows = "".join(_row(block, row, "td", place) for place, row in enumerate(block.rows))
    caption = f"<caption>{escape(block.caption)}</caption>" if block.caption else ""
    tall = " class=tall" if block.tall else ""
    return (
        f"<div class=wide><table{tall}>{caption}<colgroup>{widths}</colgroup>"
        f"<thead>{header}</thead><tbody>{rows}</tbody></table></div>"
    )


def _row(block: Grid, cells: Iterable[str], tag: str, place: int | None) -> str:
    close = tag.partition(" ")[0]
    set_cells = [
        f"<{tag}{_class(block, place, column)}>{escape(cell)}</{close}>"
        for column, cell in enumerate(cells)
    ]
    return f"<tr>{''.join(set_cells)}</tr>"


def _class(block: Grid, place: int | None, column: int) -> str:
    names = ["figure"] if column in block.figures else []
    names += ["marked"] if place is not None and (place, column) == block.marked else []
    return f' class="{" ".join(names)}"' if names else ""


@_block.register
def _picture(block: Picture) -> str:
    return (
        f'<figure role="img" aria-label="{escape(block.words)}">{block.svg}'
        f"<figcaption>{escape(block.caption)}</figcaption></figure>"
    )


@_block.register
def _mark(block: Mark) -> str:
    lines = "".join(f"<p>{_linked(line)}</p>" for line in block.lines)
    return (
        f'<div class=mark><div role="img" aria-label="{escape(block.words)}">{block.svg}</div>'
        f"<div><p>{escape(block.words)}</p>{lines}</div></div>"
    )


def _linked(line: str) -> str:
    shown = escape(line)
    return f'<a href="{shown}">{shown}</a>' if line.startswith(("https://", "http://")) else shown
