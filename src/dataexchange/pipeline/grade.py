"""Grades of data: 核心, 重要, 一般 of GB/T 43697-2024, and levels L1 to L4 of public data."""

from collections.abc import Iterable
from enum import StrEnum


class Grade(StrEnum):
    """A grade by the harm that a leak, alteration or loss would do."""

    CORE = "core"  # 核心数据
    IMPORTANT = "important"  # 重要数据
    GENERAL = "general"  # 一般数据

    @property
    def rank(self) -> int:
        """The strictness: a higher rank is stricter."""
        return _STRICTNESS[self]


_STRICTNESS = {Grade.GENERAL: 0, Grade.IMPORTANT: 1, Grade.CORE: 2}


class PublicLevel(StrEnum):
    """A level of public data, from L1 (least sensitive) to L4."""

    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    L4 = "L4"


def strictest(grades: Iterable[Grade]) -> Grade:
    """Return the strictest of `grades` 就高从严 (GB/T 43697-2024, 4 and 6.6)."""
    return max(grades, key=lambda grade: grade.rank)
