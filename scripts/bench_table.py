"""What the benchmarks print: rows as tables, medians over runs, and what the figures depend on."""

import os
import platform
import statistics
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]


def table(rows: Sequence[Row], heads: Sequence[str]) -> str:
    """Return the rows as a table."""
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(_cell(one.get(head)) for head in heads) + " |" for one in rows]
    return "\n".join(lines)


def medians(runs: Sequence[Sequence[Row]]) -> list[Row]:
    """Return the rows of several runs as one, each figure the median of its kind."""
    return [
        {key: _median([one.get(key) for one in same]) for key in same[0]}
        for same in zip(*runs, strict=True)
    ]


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    return {
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "python": platform.python_version(),
        "system": platform.release(),
    }


def _cell(value: object) -> str:
    return "" if value is None else f"{value:,}" if isinstance(value, int) else str(value)


def _median(values: list[Any]) -> Any:
    if not all(isinstance(value, int | float) for value in values):
        return values[0]
    found = statistics.median(values)
    return round(found) if all(isinstance(value, int) for value in values) else round(found, 2)
