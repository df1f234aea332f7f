"""Pay by a measured index instead of an assessed loss: parametric cover (指数保险, M23).

`payout = limit·clamp((x − attach)/(exit − attach), 0, 1)`. The reading must be supported by at
least two independent feeds; the figure used is the greatest that two of them support.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from dataexchange.accounts.rounding import exact, half_up_fen
from dataexchange.rules.guard import require_range
from dataexchange.rules.refusal import RefusalCode

FEEDS_MIN = 2

FEEDS_TOO_FEW = RefusalCode(
    "claim.feeds_too_few",
    clause="design: a parametric claim rests on two independent feeds",
    zh="独立数据源只有 {feeds} 个，至少需要 {feeds_min} 个",
    en="There are {feeds} independent feeds; at least {feeds_min} are needed",
    remedy_zh="补充由另一主体运营的数据源读数",
    remedy_en="Add the reading of a feed that another operator runs",
)
FEEDS_DISAGREE = RefusalCode(
    "claim.feeds_disagree",
    clause="design: independent feeds agree within the policy's tolerance",
    zh="数据源读数 {least} 与 {greatest} 相差超过约定容差 {tolerance}",
    en="The readings {least} and {greatest} differ by more than the agreed {tolerance}",
    remedy_zh="转为人工定损",
    remedy_en="Have the loss assessed by an adjuster",
)


@dataclass(frozen=True, slots=True)
class Trigger:
    """When payment starts (attach) and is complete (exit), in the index's unit; limit in 分."""

    attach: Decimal
    exit: Decimal
    limit_fen: int

    def __post_init__(self) -> None:
        """Refuse a trigger that cannot rise."""
        require_range(
            self.attach < self.exit and self.limit_fen > 0,
            "起赔点低于满赔点，限额大于 0",
            "a trigger has attach below exit and a limit above 0",
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What one feed measured, and who operates it: one operator's feeds are not independent."""

    feed: str
    operator: str
    value: Decimal


def parametric_payout_fen(index: Decimal, trigger: Trigger) -> int:
    """Return what is paid for a reading of `index`, in 分, half up."""
    span = exact(trigger.exit) - exact(trigger.attach)
    share = (exact(index) - exact(trigger.attach)) / span
    return half_up_fen(trigger.limit_fen * min(max(share, Fraction(0)), Fraction(1)))


def corroborated_value(readings: Sequence[Reading], *, tolerance: Decimal | None = None) -> Decimal:
    """Return the greatest value that two independent feeds reach: the second greatest.

    One operator counts once, with its least reading. So no single feed, however wrong, raises
    the payout above what another supports. Raises `claim.feeds_too_few`, and
    `claim.feeds_disagree` if a `tolerance` is agreed and least and greatest differ by more.
    """
    by_operator: dict[str, Decimal] = {}
    for reading in readings:
        held = by_operator.get(reading.operator, reading.value)
        by_operator[reading.operator] = min(held, reading.value)
    values = sorted(by_operator.values())
    if len(values) < FEEDS_MIN:
        raise FEEDS_TOO_FEW(feeds=len(values), feeds_min=FEEDS_MIN)
    if tolerance is not None and values[-1] - values[0] > tolerance:
        raise FEEDS_DISAGREE(least=values[0], greatest=values[-1], tolerance=tolerance)
    return values[-FEEDS_MIN]
