"""A finished valuation: figures in 元 and 分, the working, and what a reader must be told."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from dataexchange.valuation.arithmetic import fen, plain, round_ratio, round_yuan
from dataexchange.valuation.method import Computed, Kind, Output, Warned


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the result, as rows of equal length (one row member unless it is a table).

    `exact` is unrounded text; `shown` is rounded half-up (0.01 元, or six decimals); `fen` is the
    integer of 分 of a money figure; `keys` names the members of a row of figures.
    """

    name: str
    kind: Kind
    zh: str
    en: str
    exact: tuple[str, ...]
    shown: tuple[str, ...]
    fen: tuple[int, ...] = ()
    keys: tuple[str, ...] = ()
    many: bool = False


@dataclass(frozen=True, slots=True)
class StepShown:
    """One line of the working, its value as exact text."""

    symbol: str
    zh: str
    en: str
    exact: str


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One thing that the report discloses, in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Valuation:
    """What a card makes of the inputs; the same bytes in give the same figures out."""

    method: str
    version: str
    card_sha256: str
    inputs_sha256: str
    code_version: str
    figures: tuple[Figure, ...]
    steps: tuple[StepShown, ...]
    warnings: tuple[Warned, ...]
    disclosures: tuple[Disclosure, ...]

    @property
    def headline(self) -> Figure:
        """The method's first figure."""
        return self.figures[0]

    @property
    def yuan(self) -> str:
        """The headline in 元, rounded half-up to 0.01 (six decimals where it is no money)."""
        return self.headline.shown[0]

    @property
    def fen(self) -> int:
        """The headline in 分; `ValueError` where it is no money."""
        if not self.headline.fen:
            raise ValueError(f"{self.headline.name} is not an amount of money")
        return self.headline.fen[0]

    def figure(self, name: str) -> Figure:
        """Return the figure called `name`; `KeyError` if there is none."""
        return {figure.name: figure for figure in self.figures}[name]

    def __getitem__(self, name: str) -> Any:  # one figure or a row of them
        """Return the exact `Decimal` of a figure, a list where it is a row, a dict where named."""
        figure = self.figure(name)
        values = [Decimal(text) for text in figure.exact]
        if figure.keys:
            return dict(zip(figure.keys, values, strict=True))
        return values if figure.many else values[0]

    def as_json(self) -> dict[str, Any]:
        """Return the result as JSON-ready data: text and integers, no floats."""
        return asdict(self)


def shown_figure(output: Output, computed: Computed) -> Figure:
    """Return `computed` as the figure that `output` declares."""
    values = _row(computed)
    round_one = round_yuan if output.kind is Kind.MONEY else round_ratio
    return Figure(
        name=output.name,
        kind=output.kind,
        zh=output.zh,
        en=output.en,
        exact=tuple(plain(value) for value in values),
        shown=tuple(format(round_one(value), "f") for value in values),
        fen=tuple(map(fen, values)) if output.kind is Kind.MONEY else (),
        keys=tuple(computed) if isinstance(computed, Mapping) else (),
        many=output.many,
    )


def _row(computed: Computed) -> tuple[Decimal, ...]:
    if isinstance(computed, Decimal):
        return (computed,)
    return tuple(computed.values()) if isinstance(computed, Mapping) else tuple(computed)
