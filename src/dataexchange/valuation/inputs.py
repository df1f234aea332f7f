"""The inputs of a method: read strictly, named by path, held to the card's ranges.

A path names a leaf of the input document: `costs[].amount` is the amount of every cost.
"""

import re
import types
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dataexchange.valuation.arithmetic import plain
from dataexchange.valuation.card import CardInput, Range
from dataexchange.valuation.method import Working
from dataexchange.valuation.quantity import CURRENCY, Inputs, Series
from dataexchange.valuation.refusal import (
    INPUT_MALFORMED,
    INPUT_MISSING,
    INPUT_OUT_OF_RANGE,
    INPUT_UNKNOWN,
    MIXED_CURRENCY,
    ValuationRefusedError,
)

I = TypeVar("I", bound=Inputs)  # noqa: E741  # the method's inputs

# Pydantic's faults of range, in signs that both languages read; `{…}` is the fault's context.
_RANGES = {
    "greater_than": "> {gt}",
    "greater_than_equal": "≥ {ge}",
    "less_than": "< {lt}",
    "less_than_equal": "≤ {le}",
    "too_short": "n ≥ {min_length}",
    "too_long": "n ≤ {max_length}",
    "literal_error": "∈ {{{expected}}}",
    "string_too_short": "n ≥ {min_length}",
    "string_too_long": "n ≤ {max_length}",
}
_BOUND = re.compile(r"^Decimal\('(.*)'\)$")
_FORMS = {
    "not_a_number": ("应为有限小数，写成文本、整数或 Decimal", "expects a finite decimal"),
    "not_a_day": ("应为日期 YYYY-MM-DD", "expects a day, YYYY-MM-DD"),
    "string_type": ("应为文本", "expects text"),
    "tuple_type": ("应为列表", "expects a list"),
    "model_type": ("应为映射", "expects a mapping"),
    "dict_type": ("应为映射", "expects a mapping"),
    "bool_type": ("应为 true 或 false", "expects true or false"),
    "bool_parsing": ("应为 true 或 false", "expects true or false"),
    "string_pattern_mismatch": ("格式不符", "does not match its pattern"),
}


def read_inputs(model: type[I], given: Mapping[str, Any], *, under: str = "") -> I:
    """Return `given` as `model`; raises the refusal that the first fault deserves.

    `under` is the path of `given` in the whole document.
    """
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        raise _refusal(error.errors(include_url=False)[0], under) from error


def _refusal(fault: ErrorDetails, under: str) -> ValuationRefusedError:
    path, kind = _path((under, *fault["loc"]) if under else fault["loc"]), fault["type"]
    if kind == "missing":
        return INPUT_MISSING(input=path)
    if kind == "extra_forbidden":
        return INPUT_UNKNOWN(input=path)
    if kind == "mixed_currency":
        return MIXED_CURRENCY(given=fault["msg"], expected=CURRENCY)
    if kind in _RANGES:
        limits = _RANGES[kind].format(**_bounds(fault))
        return INPUT_OUT_OF_RANGE(input=path, given=_short(fault["input"]), range=limits)
    zh, en = _FORMS.get(kind, (fault["msg"], fault["msg"]))
    return INPUT_MALFORMED(input=path, why=_detailed(en, fault), why_zh=zh)


def _bounds(fault: ErrorDetails) -> dict[str, Any]:
    """Return the bounds that a fault of range names, as plain figures."""
    limits: dict[str, Any] = fault.get("ctx", {})
    return {name: _BOUND.sub(r"\1", str(limit)) for name, limit in limits.items()}


def _detailed(text: str, fault: ErrorDetails) -> str:
    return text if fault["msg"] in text else f"{text} ({fault['msg']})"


def _short(given: object) -> str:
    return str(given)[:60]


def _path(location: tuple[int | str, ...]) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location]
    return "".join(parts).lstrip(".")


def top_of(path: str) -> str:
    """Return the top-level input that `path` lies in: `costs` of `costs[].amount`."""
    return path.split(".", maxsplit=1)[0].rstrip("[]")


def leaves(model: type[BaseModel], prefix: str = "") -> dict[str, list[object]]:
    """Return the paths of all leaves of `model` with the bounds that the code itself sets."""
    found: dict[str, list[object]] = {}
    for name, info in model.model_fields.items():
        found.update(_leaves_of(info.annotation, list(info.metadata), prefix + name))
    return found


def _leaves_of(annotation: object, metadata: list[object], path: str) -> dict[str, list[object]]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _leaves_of(arguments[0], [*metadata, *arguments[1:]], path)
    if origin in (Union, types.UnionType):
        kept = [one for one in arguments if one is not type(None)]
        return _leaves_of(kept[0], metadata, path)
    if origin is tuple:
        return _leaves_of(arguments[0], [], path + "[]")
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {path: metadata} if annotation is Series else leaves(annotation, path + ".")
    return {path: metadata}


def widest(metadata: list[object]) -> Range:
    """Return the bounds in a field's metadata as a card's range."""
    return Range(
        min=_bound(metadata, Ge, "ge"),
        above=_bound(metadata, Gt, "gt"),
        max=_bound(metadata, Le, "le"),
        below=_bound(metadata, Lt, "lt"),
    )


def _bound(metadata: list[object], kind: type, attribute: str) -> Any:
    found = [getattr(one, attribute) for one in metadata if isinstance(one, kind)]
    return found[0] if found else None


def values_at(given: object, path: str) -> Iterator[object]:
    """Yield every value that `path` names in a parsed input model; absent ones are skipped."""
    head, _, rest = path.partition(".")
    name, depth = head.rstrip("[]"), head.count("[]")
    found = [getattr(given, name)]
    for _level in range(depth):
        found = [one for row in found if row is not None for one in row]
    for one in found:
        if one is not None:
            yield from values_at(one, rest) if rest else _members(one)


def _members(leaf: object) -> Iterator[object]:
    if not isinstance(leaf, Series):
        yield leaf
        return
    yield from leaf.values or ()
    yield from (one for one in (leaf.constant, leaf.first) if one is not None)


def hold_to_range(inputs: Inputs, declared: CardInput, working: Working) -> None:
    """Refuse a value outside the card's range of one input; warn where the card warns."""
    for value in values_at(inputs, declared.name):
        fault = fault_of(value, declared.range)
        if fault:
            raise INPUT_OUT_OF_RANGE(input=declared.name, given=_text(value), range=fault)
        _warn(value, declared, working)


def fault_of(value: object, limits: Range) -> str | None:
    """Return how `value` breaks `limits`, or None."""
    if limits.choices is not None and str(value) not in limits.choices:
        return "∈ {" + ", ".join(limits.choices) + "}"
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        return None
    faults = [
        (limits.min is not None and value < limits.min, f"≥ {limits.min}"),
        (limits.max is not None and value > limits.max, f"≤ {limits.max}"),
        (limits.above is not None and value <= limits.above, f"> {limits.above}"),
        (limits.below is not None and value >= limits.below, f"< {limits.below}"),
    ]
    return next((text for broken, text in faults if broken), None)


def _warn(value: object, declared: CardInput, working: Working) -> None:
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        return
    high, low = declared.range.warn_above, declared.range.warn_below
    if (high is not None and value > high) or (low is not None and value < low):
        working.warn(
            "valuation.unusual_input",
            zh=f"{declared.label.zh} = {_text(value)}，不常见，请说明理由",
            en=f"{declared.label.en} = {_text(value)} is unusual; state the reason",
        )


def _text(value: object) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)
