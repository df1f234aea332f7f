"""The key parameters of a method, each with its unit and its source.

Single figures stand in one table. The rows of a list with many members (comparable deals, say)
stand side by side, a few at a time, so that they can be compared.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby

from dataexchange.reports.block import Block, Grid, Heading, Language
from dataexchange.reports.part import Given, Part
from dataexchange.reports.showing import shown_input
from dataexchange.reports.words import CODES, UNITS, of_pair, translated, word

MEMBERS_MAX = 3
ABREAST_MAX = 4
SHARES = (34, 24, 14, 28)


def parameter_blocks(part: Part, language: Language) -> Iterator[Block]:
    """Every input that was given, and every coefficient of the card."""
    short, long = [], dict[str, list[list[Given]]]()
    for members in _rows(part):
        if len(members) > MEMBERS_MAX:
            long.setdefault(_list_of(members[0].path), []).append(members)
        else:
            short.append(members)
    yield Heading(word("inputs", language), 2)
    rows = [_short(members, language) for members in short] + _coefficients(part, language)
    names = ("input", "given", "unit", "source")
    header = tuple(word(name, language) for name in names)
    if rows:
        yield Grid(header, _once_sourced(rows, language), shares=SHARES, figures=(1,))
    for items in long.values():
        for first in range(0, len(items), ABREAST_MAX):
            yield _abreast(items[first : first + ABREAST_MAX], language)


def _rows(part: Part) -> Iterator[list[Given]]:
    """Yield the inputs: alone, or all members of one row of a list together."""
    for parent, found in groupby(part.given(), key=lambda one: one.path.rpartition(".")[0]):
        members = list(found)
        if parent.endswith("]"):
            yield members
        else:
            yield from ([one] for one in members)


def _list_of(path: str) -> str:
    """Return the list that a member of one of its rows is in."""
    return path.rpartition(".")[0].rpartition("[")[0]


def _short(members: list[Given], language: Language) -> tuple[str, ...]:
    units = [_unit(one) for one in members]
    told = [translated(UNITS, unit, language) for unit in units if unit != "text"]
    return (
        " · ".join(label_of(one, language) for one in members),
        " · ".join(_value(one, language) for one in members),
        " · ".join(dict.fromkeys(told)) or translated(UNITS, "text", language),
        members[0].source or "—",
    )


def _coefficients(part: Part, language: Language) -> list[tuple[str, ...]]:
    return [
        (
            f"{name}（{word('card_parameter', language)}）",
            shown_input(one.value, money=False),
            translated(UNITS, one.unit, language),
            one.source,
        )
        for name, one in part.card.sheet.parameters.items()
    ]


def _once_sourced(rows: list[tuple[str, ...]], language: Language) -> tuple[tuple[str, ...], ...]:
    """Return the rows, a source that repeats the one above it told only once."""
    above, told = "", []
    for row in rows:
        same = row[-1] == above and row[-1] != "—"
        told.append((*row[:-1], word("as_above", language)) if same else row)
        above = row[-1]
    return tuple(told)


def _abreast(items: list[list[Given]], language: Language) -> Grid:
    """Return rows of a list side by side, one column for each."""
    fields = dict.fromkeys(_field(one) for members in items for one in members)
    first = {_field(one): one for members in reversed(items) for one in members}
    columns = [{_field(one): _value(one, language) for one in members} for members in items]
    rows = [
        (
            _bare_label(first[name], language),
            *(column.get(name, "—") for column in columns),
            translated(UNITS, _unit(first[name]), language),
        )
        for name in fields
    ]
    places = [_place(members[0].path) for members in items]
    source = items[0][0].source
    return Grid(
        header=(word("input", language), *places, word("unit", language)),
        rows=tuple(rows),
        shares=(24, *(62 // len(items),) * len(items), 14),
        figures=tuple(range(1, len(items) + 1)),
        caption=f"{word('source', language)}: {source}" if source else "",
    )


def _field(one: Given) -> str:
    return one.path.rpartition(".")[2]


def _value(one: Given, language: Language) -> str:
    value = one.value
    if isinstance(value, Mapping):
        value = {translated(CODES, key, language): held for key, held in value.items()}
    elif one.declared is not None and one.declared.range.choices:
        value = translated(CODES, value, language)
    return shown_input(value, money="元" in _unit(one))


def _unit(one: Given) -> str:
    if _field(one) == "entry_index":
        return "entry index"
    return one.declared.unit if one.declared else ""


def _bare_label(one: Given, language: Language) -> str:
    if one.declared is None:
        return _field(one)
    return of_pair((one.declared.label.zh, one.declared.label.en), language)


def label_of(one: Given, language: Language) -> str:
    """Return the card's label for an input, with its place where it is one of a row."""
    if one.declared is None:
        return one.path
    return f"{_bare_label(one, language)} {_place(one.path)}".rstrip()


def _place(path: str) -> str:
    """Return where in its lists an input stands, counted from 1: `1.3` of `a[0].b[2].c`."""
    numbers = [piece.partition("]")[0] for piece in path.split("[")[1:]]
    return ".".join(str(int(number) + 1) for number in numbers)
