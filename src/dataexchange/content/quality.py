"""Measure the quality of a file under GB/T 36344-2018, from the file and nothing else.

The result is canonical JSON; its SHA-256 goes into the event `quality.assessed`. The same file,
rule set and moment give the same bytes on every machine: whole numbers A and B for every check,
ratios as decimal strings rounded once, half-up, to six places, from exact fractions.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import duckdb

from dataexchange.content.cells import Cells, Parameters, prepare
from dataexchange.content.chunks import FileDigest
from dataexchange.content.commitment import ContentCommitment, commit_table
from dataexchange.content.indicator import (
    DIMENSIONS,
    Count,
    Dimension,
    Measured,
    mean,
    measured,
    ratio_text,
)
from dataexchange.content.profile import Profile, profile_table
from dataexchange.content.proposal import propose_rules
from dataexchange.content.reading import TEXT_BYTES_MAX, Declared, ReadFacts
from dataexchange.content.row_checks import column_checks, count_rows, file_checks, rule_check
from dataexchange.content.rules import BAD_RULES, RuleSet
from dataexchange.content.set_checks import (
    duplicates,
    expected_grid,
    expected_rows,
    same_data,
    time_checks,
    unique_key,
)
from dataexchange.content.standard_checks import standard_checks
from dataexchange.content.table import Table, open_table
from dataexchange.ledger.canonical import encode
from dataexchange.ledger.statement import format_time
from dataexchange.pipeline.quality import NOTHING_ASSESSED, Dimensions, QualityAssessed

METHOD: Final = "dataexchange.quality@1"
STANDARD: Final = "GB/T 36344-2018"
_ROUNDING: Final = "half-up to 6 places, once, from exact fractions"
_WEIGHTS: Final = "plain means over what was assessed; the standard sets no weights"


@dataclass(frozen=True, slots=True)
class QualityReport:
    """What was measured: every indicator with its checks, for one file, rule set and moment."""

    digest: FileDigest
    rows: int
    facts: ReadFacts
    rules_sha256: str
    rules_origin: str
    profile_sha256: str
    as_of: datetime
    indicators: Mapping[str, Measured]

    def dimension_score(self, dimension: Dimension) -> Fraction | None:
        """Return the mean score of the dimension's indicators; None if none was assessed."""
        return mean([self.indicators[one.name].score for one in dimension.indicators])

    @property
    def score(self) -> Fraction | None:
        """The mean of the dimensions that were assessed."""
        return mean([self.dimension_score(dimension) for dimension in DIMENSIONS])

    @property
    def score_text(self) -> str | None:
        """The score as a decimal string; None if nothing was assessed."""
        return ratio_text(self.score)

    def scores(self) -> dict[str, str | None]:
        """Return each dimension's score as a decimal string; None means not assessed."""
        return {one.name: ratio_text(self.dimension_score(one)) for one in DIMENSIONS}

    def to_bytes(self) -> bytes:
        """Return the canonical JSON."""
        return encode(
            {
                "as_of": format_time(self.as_of),
                "content": {"sha256": self.digest.sha256, "size_bytes": self.digest.size_bytes},
                "dimensions": [self._dimension(dimension) for dimension in DIMENSIONS],
                "method": METHOD,
                "profile_sha256": self.profile_sha256,
                "reading": self.facts.payload(),
                "rounding": _ROUNDING,
                "rows": self.rows,
                "rules": {"origin": self.rules_origin, "sha256": self.rules_sha256},
                "score": self.score_text,
                "standard": STANDARD,
                "v": 1,
                "weights": _WEIGHTS,
            }
        )

    def sha256(self) -> str:
        """Return the hash, hex, that the log holds."""
        return sha256(self.to_bytes()).hexdigest()

    def valuation_inputs(self) -> dict[str, Any]:
        """Return A and B as the valuation method `quality` takes them."""
        dimensions = [
            {
                "name": dimension.name,
                "indicators": [
                    {"name": one.name, "a": self.indicators[one.name].a,
                     "b": self.indicators[one.name].b}
                    for one in dimension.indicators
                ],
            }
            for dimension in DIMENSIONS
        ]  # fmt: skip
        return {"standard": STANDARD, "dimensions": dimensions}

    def assessment(self, *, asset: str, version: int, content_root: str) -> QualityAssessed:
        """Return what `quality.assessed` says of the version that was measured.

        `quality.nothing_assessed` where the file has nothing to assess.
        """
        if self.score_text is None:
            raise NOTHING_ASSESSED()
        return QualityAssessed(
            asset=asset,
            version=version,
            dimensions=Dimensions(**self.scores()),
            score=self.score_text,
            report=self.sha256(),
            rules=self.rules_sha256,
            profile=self.profile_sha256,
            content_root=content_root,
            as_of=format_time(self.as_of),
        )

    def _dimension(self, dimension: Dimension) -> dict[str, object]:
        return {
            "dimension": dimension.name,
            "indicators": [_indicator(self.indicators[one.name]) for one in dimension.indicators],
            "score": ratio_text(self.dimension_score(dimension)),
            "zh": dimension.zh,
        }


@dataclass(frozen=True, slots=True)
class Measurement:
    """All that one reading of a file gives: what it is, what it holds, how good it is."""

    commitment: ContentCommitment
    profile: Profile
    rules: RuleSet
    report: QualityReport


def measure_file(
    path: Path,
    *,
    as_of: datetime,
    rules: RuleSet | None = None,
    text_bytes_max: int = TEXT_BYTES_MAX,
) -> Measurement:
    """Measure the file as of a moment (aware; not the clock's); without rules, by inferred ones.

    Refuses a file that cannot be read (`content.…`) and rules that cannot be applied
    (`quality.bad_rules`). What is wrong inside the file is measured, not refused.
    """
    if as_of.tzinfo is None:
        raise ValueError("as_of needs a time zone")
    as_of = as_of.astimezone(UTC)
    declared = Declared(rules.encoding, rules.delimiter) if rules else Declared()
    with open_table(path, declared, text_bytes_max=text_bytes_max) as table:
        profile = profile_table(table)
        applied = rules or propose_rules(profile)
        with _rules_faults():
            report = _report(table, applied, profile, as_of)
        return Measurement(commit_table(table, profile), profile, applied, report)


@contextmanager
def _rules_faults() -> Iterator[None]:
    """Turn what the engine cannot make of a rule into a refusal of the rules."""
    try:
        yield
    except duckdb.Error as error:
        raise BAD_RULES(reason=str(error).splitlines()[0]) from error


def _report(table: Table, rules: RuleSet, profile: Profile, as_of: datetime) -> QualityReport:
    counts = list(_counts(prepare(table, rules), as_of))
    return QualityReport(
        table.digest,
        table.rows,
        table.facts,
        rules.sha256(),
        rules.origin,
        sha256(profile.to_bytes()).hexdigest(),
        as_of,
        measured(counts),
    )


def _counts(cells: Cells, as_of: datetime) -> Iterator[Count]:
    rows = [_with_lost(count, cells) for count in _row_counts(cells)]
    yield from rows
    yield from standard_checks(cells, rows)
    yield duplicates(cells)
    if cells.rules.key:
        yield unique_key(cells)
    for rule in cells.rules.same_data:
        yield same_data(cells, rule)
    yield from _records(cells)
    if cells.rules.time is not None:
        yield from time_checks(cells, cells.rules.time, as_of)
    yield from _access(cells, as_of)


def _row_counts(cells: Cells) -> list[Count]:
    parameters = Parameters()
    checks = [
        check for cell in cells.declared.values() for check in column_checks(cell, parameters)
    ]
    checks += [rule_check(rule, cells, parameters) for rule in cells.rules.row_rules]
    checks += file_checks(cells)
    return count_rows(cells, parameters, checks)


def _with_lost(count: Count, cells: Cells) -> Count:
    """Return the count of dirty rows with the records that could not even be read."""
    if count.indicator != "dirty_data_rate":
        return count
    lost = cells.table.facts.lost_records
    return Count(
        count.check,
        count.indicator,
        count.columns,
        count.a + lost,
        count.b + lost,
        count.first_defect_row,
    )


def _records(cells: Cells) -> Iterator[Count]:
    records = cells.rules.records
    if records is None:
        return
    if records.rows is not None:
        yield expected_rows(cells, records.rows)
    if records.grid is not None:
        yield expected_grid(cells, records.grid)


def _access(cells: Cells, as_of: datetime) -> Iterator[Count]:
    """Return whether every record could be read, and whether the file is still in its term."""
    rows, lost = cells.rows, cells.table.facts.lost_records
    yield Count("records-read", "accessibility", (), rows, rows + lost)
    if cells.rules.valid_until is not None:
        in_term = as_of.date().isoformat() <= cells.rules.valid_until
        yield Count("in-term", "availability", (), rows if in_term else 0, rows)


def _indicator(one: Measured) -> dict[str, object]:
    return {
        "a": one.a,
        "b": one.b,
        "checks": [_check(count) for count in one.counts],
        "code": one.indicator.code,
        "defects": one.defects,
        "direction": one.indicator.direction,
        "name": one.indicator.name,
        "ratio": ratio_text(one.ratio),
        "score": ratio_text(one.score),
        "status": "assessed" if one.b else "not_assessed",
        "zh": one.indicator.zh,
    }


def _check(count: Count) -> dict[str, object]:
    return {
        "a": count.a,
        "b": count.b,
        "check": count.check,
        "columns": list(count.columns),
        "first_defect_row": count.first_defect_row,
        "ratio": ratio_text(Fraction(count.a, count.b)) if count.b else None,
    }
