"""What a valuation method is: a name, an input model, one function, and what it gives.

The function is the formula; a rulebook card names its norms, ranges and coefficients. One stem
names a method everywhere: `valuation/cost/1.0.0.yaml`, `cost.py`, `tests/valuation/test_cost.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Generic, Literal, TypeAlias, TypeVar

from dataexchange.valuation.quantity import Inputs
from dataexchange.valuation.refusal import ValuationRefusal

I = TypeVar("I", bound=Inputs)  # noqa: E741  # the method's inputs

Parameters: TypeAlias = Mapping[str, Decimal | tuple[Decimal, ...]]
Approach: TypeAlias = Literal["cost", "income", "market"]
Computed: TypeAlias = Decimal | Sequence[Decimal] | Mapping[str, Decimal]


def coefficient(parameters: Parameters, name: str) -> Decimal:
    """Return one of the card's coefficients; `TypeError` if it is a row of them."""
    found = parameters[name]
    if isinstance(found, tuple):
        raise TypeError(f"the parameter {name} is a row, not one figure")
    return found


def coefficients(parameters: Parameters, name: str) -> tuple[Decimal, ...]:
    """Return one of the card's rows of coefficients; `TypeError` if it is a single one."""
    found = parameters[name]
    if not isinstance(found, tuple):
        raise TypeError(f"the parameter {name} is one figure, not a row")
    return found


class Kind(StrEnum):
    """How a figure is shown: money to 0.01 元 and in 分, all else to six decimals."""

    MONEY = "money"
    RATIO = "ratio"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Output:
    """One figure that a method gives; `many` where it is a row of figures."""

    name: str
    kind: Kind
    zh: str
    en: str
    many: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the working: a symbol, what it is, and its exact value."""

    symbol: str
    zh: str
    en: str
    value: Decimal


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that is allowed and that a reader of the report must be told."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Working:
    """The paper on which a method shows its steps and warnings while it computes."""

    steps: list[Step] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)

    def step(self, symbol: str, value: Decimal, *, zh: str, en: str) -> Decimal:
        """Write down a step and return its value."""
        self.steps.append(Step(symbol, zh, en, value))
        return value

    def warn(self, code: str, *, zh: str, en: str) -> None:
        """Write down a warning."""
        self.warnings.append(Warned(code, zh, en))


@dataclass(frozen=True, slots=True)
class Method(Generic[I]):
    """A method: `compute` maps valid inputs and the card's parameters to the `outputs`.

    The first output is the headline. `refusals` lists every code of its own that `compute` may
    raise; `parameters` the coefficients that a card must set, with the published default;
    `approach` is the appraisal approach of a method that values.
    """

    name: str
    inputs: type[I]
    compute: Callable[[I, Parameters, Working], Mapping[str, Computed]]
    outputs: tuple[Output, ...]
    refusals: tuple[ValuationRefusal, ...] = ()
    parameters: Parameters = field(default_factory=dict)
    approach: Approach | None = None
