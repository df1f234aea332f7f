"""What a check finds: faults, each with its table, row and column, and what could not be judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

FAULTS_KEPT = 1_000
SHOWN_LENGTH = 64


class Place(NamedTuple):
    """Where: a table, a row by its key, a column, and the entry that the row stands for.

    `column` is `None` where the row as a whole is missing or too much.
    """

    table: str
    row: str = ""
    column: str | None = None
    entry: int | None = None

    def __str__(self) -> str:
        return " · ".join(filter(None, (self.table, self.row, self.column)))


@dataclass(frozen=True, slots=True)
class Fault:
    """One place where the database is not what the log makes it."""

    place: Place
    zh: str
    en: str


@dataclass(slots=True)
class Findings:
    """All that a check found, in the order in which it was found; the first `FAULTS_KEPT` kept."""

    faults: list[Fault] = field(default_factory=list)
    count: int = 0
    notes: list[tuple[str, str]] = field(default_factory=list)  # (zh, en)

    def wrong(self, place: Place, zh: str, en: str) -> None:
        """Add a fault."""
        self.count += 1
        if len(self.faults) < FAULTS_KEPT:
            self.faults.append(Fault(place, zh, en))

    def compare(
        self, place: Place, found: Mapping[str, object], expected: Mapping[str, object]
    ) -> None:
        """Add a fault for each column of `expected` in which the row at `place` differs."""
        for column, value in expected.items():
            if found[column] != value:
                is_, should = _shown(found[column]), _shown(value)
                self.wrong(
                    place._replace(column=column),
                    f"是 {is_}，应为 {should}",
                    f"is {is_}, should be {should}",
                )

    def missing(self, place: Place) -> None:
        """Add a fault: the log gives a row that is not there."""
        self.wrong(place, "缺少此行", "the row is missing")

    def surplus(self, place: Place) -> None:
        """Add a fault: nothing in the log gives this row."""
        self.wrong(place, "多出此行", "nothing in the log gives this row")

    def note(self, zh: str, en: str) -> None:
        """Add what could not be judged, or what the reader should know."""
        self.notes.append((zh, en))


def key_of(columns: Mapping[str, object]) -> str:
    """Return how a row's key is written, e.g. `level=0, number=3`; bytes in hex."""
    return ", ".join(
        f"{name}={value.hex() if isinstance(value, bytes) else value}"
        for name, value in columns.items()
    )


def _shown(value: object) -> str:
    text = value.hex() if isinstance(value, bytes) else str(value)
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}…"
