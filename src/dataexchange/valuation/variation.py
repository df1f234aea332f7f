"""Vary one input of a document: set it, or scale every figure under it.

A path names a place in the input document as written: `rate`, `costs[1].amount`, `revenue`;
`costs[].amount` names the amount of every cost.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from dataexchange.valuation.arithmetic import Number, exact, number, plain
from dataexchange.valuation.refusal import INPUT_MALFORMED, INPUT_MISSING

_PART = re.compile(r"([^.\[\]]+)|\[(\d*)\]")
_EVERY = -1
_SCALED = {"values", "constant", "first", "amount"}
_KEPT = {"growth", "currency"}


def with_value(inputs: Mapping[str, Any], path: str, value: Number) -> dict[str, Any]:
    """Return a copy of `inputs` with `value` at `path`; the place may be new, its parent not."""
    return _changed(inputs, _parts(path), path, lambda _old: plain(number(value)))  # type: ignore[no-any-return]


@exact
def scaled(inputs: Mapping[str, Any], path: str, factor: Number) -> dict[str, Any]:
    """Return a copy of `inputs` with the figure, row or table at `path` times `factor`.

    A row `{first, growth}` scales with its first value alone.
    """
    by = number(factor)
    return _changed(inputs, _parts(path), path, lambda old: _scale(old, by, path))  # type: ignore[no-any-return]


def figure_at(inputs: Mapping[str, Any], path: str) -> Decimal:
    """Return the single figure at `path`; raises `valuation.input_missing` where there is none."""
    found: Any = inputs
    for part in _parts(path):
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError) as error:
            raise INPUT_MISSING(input=path) from error
    try:
        return number(found)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise INPUT_MALFORMED(
            input=path, why="expects a single figure", why_zh="应为单个数"
        ) from error


def _parts(path: str) -> list[str | int]:
    found = _PART.findall(path)
    return [name or (int(index) if index else _EVERY) for name, index in found]


def _changed(found: Any, parts: list[str | int], path: str, change: Any) -> Any:
    if not parts:
        return change(found)
    head, rest = parts[0], parts[1:]
    if head == _EVERY and isinstance(found, list | tuple) and found:
        return [_changed(one, rest, path, change) for one in found]
    if isinstance(head, int) and isinstance(found, list | tuple) and head < len(found):
        row = list(found)
        row[head] = _changed(row[head], rest, path, change)
        return row
    if isinstance(head, str) and isinstance(found, Mapping) and (head in found or not rest):
        return {**found, head: _changed(found.get(head), rest, path, change)}
    raise INPUT_MISSING(input=path)


def _scale(found: Any, factor: Decimal, path: str) -> Any:
    if isinstance(found, list | tuple):
        return [_scale(one, factor, path) for one in found]
    if isinstance(found, Mapping) and set(found) <= _SCALED | _KEPT:
        return {
            key: value if key in _KEPT else _scale(value, factor, path)
            for key, value in found.items()
        }
    if isinstance(found, Mapping | bool | float | date) or found is None:
        raise INPUT_MALFORMED(input=path, why="expects figures", why_zh="应为数")
    return plain(_figure(found, path) * factor)


def _figure(found: Any, path: str) -> Decimal:
    try:
        return number(found)
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise INPUT_MALFORMED(input=path, why="expects figures", why_zh="应为数") from error
