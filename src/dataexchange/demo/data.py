"""The data of the story: a public data set out of a registry package, or the user's own file, and
the product that is made of it.
"""

import csv
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dataexchange.content.quality import Measurement, measure_file
from dataexchange.content.rules import RuleSet
from dataexchange.content.sample import load_sample, sample_file
from dataexchange.content.table import open_table

SAMPLE = "weather"
MISSING = frozenset({"", "NA", "N/A", "NULL", "null", "nan", "NaN"})


@dataclass(frozen=True)
class Data:
    """A file, what is declared of it, and what was measured."""

    path: Path
    title: str
    licence: str
    source: str
    temporal_start: str
    rules: RuleSet | None
    measured: Measurement


def raw_data(chosen: Path | None, folder: Path, as_of: datetime) -> Data:
    """Return the raw data, measured: a user's file by inferred rules, the sample by its own."""
    if chosen is not None:
        measured = measure_file(chosen, as_of=as_of)
        return Data(chosen, chosen.stem[:100], "—", "用户文件", "2000-01-01", None, measured)
    sample = load_sample(SAMPLE)
    path = sample_file(SAMPLE, into=folder)
    measured = measure_file(path, as_of=as_of, rules=sample.rules)
    return Data(
        path,
        sample.title.zh,
        sample.licence,
        f"{sample.package} {sample.version}",
        sample.temporal[0],
        sample.rules,
        measured,
    )


def product_data(raw: Data, folder: Path, as_of: datetime) -> Data:
    """Return the product: the raw rows without duplicates and without their rare gaps.

    A simple product, and a real one: every cell comes from the file that was committed to. A
    column that is often empty is left so; a row that lacks what is rarely missing is left out.
    """
    path = folder / "product.csv"
    with open_table(raw.path) as table, path.open("w", newline="", encoding="utf-8") as file:
        rows = table.fetch("SELECT DISTINCT * FROM raw ORDER BY ALL")
        rarely = _rarely_missing(rows, len(table.names))
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.names)
        writer.writerows(row for row in rows if not any(_lacks(row[at]) for at in rarely))
    measured = measure_file(path, as_of=as_of, rules=raw.rules)
    title = f"{raw.title}（清洗去重版）"[:200]
    return Data(path, title, raw.licence, raw.source, raw.temporal_start, raw.rules, measured)


def _rarely_missing(rows: list[tuple[Any, ...]], width: int) -> list[int]:
    """Return the columns that lack a value in fewer than 1 % of the rows."""
    gaps = [sum(_lacks(row[at]) for row in rows) for at in range(width)]
    return [at for at, count in enumerate(gaps) if count * 100 < len(rows)]


def elements(data: Data, theme: str) -> dict[str, Any]:
    """Return the catalogue elements of `data` (GB/T 21063)."""
    content = data.measured.commitment
    return {
        "title": {"zh": data.title},
        "abstract": f"{content.rows} 行，来源 {data.source}，许可 {data.licence}。",
        "theme": theme,
        "format": content.format,
        "fields": [field.model_dump(mode="json", exclude_none=True) for field in content.fields()],
        "spatial": "350100",
        "temporal_start": data.temporal_start,
        "update_cycle": "irregular",
    }


def _lacks(cell: object) -> bool:
    return cell is None or str(cell) in MISSING
