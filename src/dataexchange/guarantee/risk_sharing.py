"""Share losses among guarantor, re-guarantor and bank; agree a value; price a loan with a warrant.

M20: risk sharing (风险分担), negotiated valuation (协商估值) and loan-plus-equity (投贷联动). No
norm was found for the last two: they are our design.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from dataexchange.accounts.rounding import Exact, exact, half_up_fen
from dataexchange.accounts.split import split_fen
from dataexchange.rules.guard import require_range
from dataexchange.rules.refusal import RefusalCode

SHARES_NOT_ONE = RefusalCode(
    "guarantee.shares_not_one",
    clause="contract on risk sharing 风险分担协议",
    zh="分担比例之和为 {sum}，应为 1",
    en="The shares of risk sum to {sum}, not to 1",
)
RECOURSE_EXCEEDED = RefusalCode(
    "guarantee.recourse_exceeded",
    clause="民法典 art. 700",
    zh="追偿 {sought_fen} 分超过已代偿而尚未收回的 {open_fen} 分",
    en="Recourse for {sought_fen} fen exceeds the {open_fen} fen paid and not yet recovered",
    remedy_zh="追偿不超过 {open_fen} 分",
    remedy_en="Seek at most {open_fen} fen",
)
OUTSIDE_INTERVAL = RefusalCode(
    "financing.outside_interval",
    clause="design: an agreed value lies within the valuation's P10 to P90",
    zh="协商价值 {agreed_fen} 分不在评估区间 {p10_fen} 至 {p90_fen} 分之内",
    en="The agreed value of {agreed_fen} fen is outside the interval {p10_fen} to {p90_fen} fen",
    remedy_zh="在区间内另行商定，或重新评估",
    remedy_en="Agree within the interval, or have the asset valued anew",
)


def share_default_fen(default_fen: int, shares: Mapping[str, Exact]) -> dict[str, int]:
    """Return what each sharer bears of a default, or gets back of a net recovery, in 分.

    The parts sum to the whole (largest remainder). Raises `guarantee.shares_not_one` unless the
    shares sum to exactly 1.
    """
    require_range(default_fen >= 0, "分担金额不小于 0", "what is shared is 0 or more")
    total = sum((exact(share) for share in shares.values()), Fraction(0))
    if total != 1:
        raise SHARES_NOT_ONE(sum=total)
    return dict(zip(shares, split_fen(default_fen, list(shares.values())), strict=True))


def check_recourse(sought_fen: int, *, paid_fen: int, recovered_fen: int) -> None:
    """Raise `guarantee.recourse_exceeded` if the guarantor seeks more than it is still out of."""
    open_fen = paid_fen - recovered_fen
    if sought_fen > open_fen:
        raise RECOURSE_EXCEEDED(sought_fen=sought_fen, open_fen=open_fen)


@dataclass(frozen=True, slots=True)
class Interval:
    """A valuation's P10 and P90, in 分."""

    p10_fen: int
    p90_fen: int

    def __post_init__(self) -> None:
        """Refuse an interval that is none."""
        ordered = 0 <= self.p10_fen <= self.p90_fen
        require_range(ordered, "区间须 0 ≤ P10 ≤ P90", "an interval has 0 ≤ P10 ≤ P90")


def negotiated_value_fen(
    bank_fen: int, pledgor_fen: int, *, bank_weight: Exact, interval: Interval
) -> int:
    """Return the value to propose: `clamp(w·V_bank + (1−w)·V_pledgor, P10, P90)` 分, half up."""
    weight = _ratio(bank_weight)
    middle = half_up_fen(weight * bank_fen + (1 - weight) * pledgor_fen)
    return min(max(middle, interval.p10_fen), interval.p90_fen)


def check_agreed_value(agreed_fen: int, interval: Interval) -> None:
    """Raise `financing.outside_interval` unless the agreed value lies within P10 to P90."""
    if not interval.p10_fen <= agreed_fen <= interval.p90_fen:
        raise OUTSIDE_INTERVAL(
            agreed_fen=agreed_fen, p10_fen=interval.p10_fen, p90_fen=interval.p90_fen
        )


@dataclass(frozen=True, slots=True)
class LinkedLoan:
    """A loan with a warrant: principal and warrant notional in 分, the rest as fractions.

    `option_value` is the value of the right to one unit of notional, from `valuation.option`.
    """

    principal_fen: int
    interest: Exact
    pd: Exact
    lgd: Exact
    warrant_fen: int
    option_value: Exact


def linked_return_fen(loan: LinkedLoan) -> int:
    """Return one year's expected gain, in 分: `L·i(1−PD) − L·PD·LGD + N·option`, half up.

    It may be below zero: then the warrant does not pay for the risk.
    """
    pd, lgd = _ratio(loan.pd), _ratio(loan.lgd)
    lent = loan.principal_fen * (exact(loan.interest) * (1 - pd) - pd * lgd)
    return half_up_fen(lent + loan.warrant_fen * exact(loan.option_value))


def _ratio(given: Exact) -> Fraction:
    ratio = exact(given)
    require_range(0 <= ratio <= 1, "比率须在 0 与 1 之间", "a ratio lies between 0 and 1")
    return ratio
