"""What an appraiser may write down as an input: amounts, ratios, rates, counts, currencies.

Amounts are 元 as text, int or Decimal; a map `{amount, currency}` names its currency. Floats,
NaN and infinity are refused before any arithmetic.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeAlias, cast

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

from dataexchange.valuation.arithmetic import ONE, ZERO, Number, number

CURRENCY = "CNY"
# Figures beyond these are slips of the pen, and would let one line of input cost minutes.
_DIGITS_MAX, _EXPONENT_MAX, _EXPONENT_MIN = 60, 18, -60


class Inputs(BaseModel):
    """Base of every input model: frozen, and nothing that the card does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _number(given: object) -> Decimal:
    try:
        value = number(cast("Number", given))
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise PydanticCustomError("not_a_number", "{why}", {"why": str(error)}) from error
    _check_size(value)
    return value


def _check_size(value: Decimal) -> None:
    digits, low = len(value.as_tuple().digits), cast("int", value.as_tuple().exponent)
    if value and (value.adjusted() > _EXPONENT_MAX or low < _EXPONENT_MIN or digits > _DIGITS_MAX):
        raise PydanticCustomError("not_a_number", "{why}", {"why": "too many digits"})


def _money(given: object) -> Decimal:
    if not isinstance(given, Mapping):
        return _number(given)
    if set(given) != {"amount", "currency"}:
        raise PydanticCustomError("not_a_number", "{why}", {"why": "expects amount and currency"})
    _currency(given["currency"])
    return _number(given["amount"])


def _currency(given: object) -> str:
    if given != CURRENCY:
        raise PydanticCustomError("mixed_currency", "{given}", {"given": str(given)})
    return CURRENCY


def _count(given: object) -> int:
    value = _number(given)
    if value != value.to_integral_value():
        raise PydanticCustomError("not_a_number", "{why}", {"why": "expects a whole number"})
    return int(value)


def _day(given: object) -> object:
    if isinstance(given, datetime) or not isinstance(given, date | str):
        raise PydanticCustomError("not_a_day", "{why}", {"why": "expects a day, YYYY-MM-DD"})
    return given


def _series(given: object) -> object:
    return given if isinstance(given, Mapping | list | tuple) else {"constant": given}


Quantity: TypeAlias = Annotated[Decimal, BeforeValidator(_number)]
Money: TypeAlias = Annotated[Decimal, BeforeValidator(_money), Ge(ZERO)]
SignedMoney: TypeAlias = Annotated[Decimal, BeforeValidator(_money)]
Ratio: TypeAlias = Annotated[Decimal, BeforeValidator(_number), Ge(ZERO), Le(ONE)]
NonNegative: TypeAlias = Annotated[Decimal, BeforeValidator(_number), Ge(ZERO)]
Positive: TypeAlias = Annotated[Decimal, BeforeValidator(_number), Gt(ZERO)]
Rate: TypeAlias = Annotated[Decimal, BeforeValidator(_number), Gt(-ONE)]
Count: TypeAlias = Annotated[int, BeforeValidator(_count), Ge(1)]
Elapsed: TypeAlias = Annotated[int, BeforeValidator(_count), Ge(0)]
Day: TypeAlias = Annotated[date, BeforeValidator(_day)]
Currency: TypeAlias = Annotated[str, AfterValidator(_currency)]
Text: TypeAlias = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)
]
Hash: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Series(Inputs):
    """A row of yearly quantities: written out, constant, or a first value that grows.

    An amount may name its currency, as everywhere.
    """

    values: tuple[SignedMoney, ...] | None = None
    constant: SignedMoney | None = None
    first: SignedMoney | None = None
    growth: Rate = ZERO

    def years(self, years: int) -> list[Decimal] | None:
        """Return `years` values, or None where a written-out row has another length."""
        if self.values is not None:
            return list(self.values) if len(self.values) == years else None
        if self.constant is not None:
            return [self.constant] * years
        first, growth = self.first or ZERO, ONE + self.growth
        return [first * growth**t for t in range(years)]


def as_row(given: Any) -> Any:  # what a document may hold here is anything
    """Let a list stand for written-out values, and a single figure for a constant one."""
    if isinstance(given, Mapping) and "amount" in given:
        return {"constant": given}
    return {"values": given} if isinstance(given, list | tuple) else _series(given)


Row: TypeAlias = Annotated[Series, BeforeValidator(as_row)]
