"""What a loss is paid, by whom, and what comes back (赔偿, M22).

保险法: a sum insured above the value is void in the excess, underinsurance pays in proportion (art.
55); double cover pays pro rata to the sums insured, never above the value (art. 56); a cancelled
policy refunds by the day (arts. 53–54); mitigation costs are paid apart, up to the sum insured
(art. 57); subrogation reaches what was paid (art. 60); one risk keeps to 10% of capital and surplus
(art. 103).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from dataexchange.accounts.rounding import exact, floor_fen, half_up_fen
from dataexchange.accounts.split import split_fen
from dataexchange.rules.guard import require_range
from dataexchange.rules.refusal import RefusalCode

RETENTION_SHARE_MAX = Decimal("0.10")

SUM_INSURED_EXCEEDED = RefusalCode(
    "claim.sum_insured_exceeded",
    clause="保险法 art. 18 (the sum insured is the most that is paid)",
    zh="累计赔付 {confirmed_fen} 分超过保险金额 {sum_insured_fen} 分",
    en="Payouts of {confirmed_fen} fen in all exceed the sum insured of {sum_insured_fen} fen",
    remedy_zh="本次赔付不超过 {left_fen} 分",
    remedy_en="Pay at most {left_fen} fen this time",
)
SUBROGATION_EXCEEDED = RefusalCode(
    "claim.subrogation_exceeded",
    clause="保险法 art. 60",
    zh="代位求偿 {sought_fen} 分超过赔偿金额 {paid_fen} 分",
    en="Subrogation for {sought_fen} fen exceeds the indemnity of {paid_fen} fen",
    remedy_zh="代位求偿不超过 {paid_fen} 分",
    remedy_en="Seek at most {paid_fen} fen",
)
RETENTION_EXCEEDED = RefusalCode(
    "policy.retention_exceeded",
    clause="保险法 art. 103",
    zh="每一危险单位自留 {retained_fen} 分，超过资本金加公积金的 10%（{limit_fen} 分）",
    en="Retained on one risk: {retained_fen} fen, above 10% of capital and surplus ({limit_fen})",
    remedy_zh="至少分保 {cede_fen} 分",
    remedy_en="Reinsure at least {cede_fen} fen",
)


@dataclass(frozen=True, slots=True)
class Insured:
    """Sum insured 保险金额, insured value 保险价值 and deductible 免赔额 of a policy, in 分."""

    sum_insured_fen: int
    insured_value_fen: int
    deductible_fen: int = 0

    def __post_init__(self) -> None:
        """Refuse cover of nothing."""
        positive = min(self.sum_insured_fen, self.insured_value_fen) > 0
        require_range(
            positive and self.deductible_fen >= 0,
            "保险金额与保险价值大于 0，免赔额不小于 0",
            "sum insured and value are above 0, the deductible 0 or more",
        )

    @property
    def binding_sum_fen(self) -> int:
        """The sum insured as far as it binds: what exceeds the value is void (art. 55)."""
        return min(self.sum_insured_fen, self.insured_value_fen)

    @property
    def void_excess_fen(self) -> int:
        """The sum insured above the value; its share of the premium is returned."""
        return self.sum_insured_fen - self.binding_sum_fen


def indemnity_fen(loss_fen: int, insured: Insured) -> int:
    """Return what is paid of a loss, in 分, half up and never above loss or sum insured.

    The proportion `SI/IV` is taken first, then the deductible off it.
    """
    _check_amount(loss_fen)
    loss_fen = min(loss_fen, insured.insured_value_fen)
    proportion = Fraction(insured.binding_sum_fen, insured.insured_value_fen)
    covered_fen = half_up_fen(loss_fen * proportion)
    return min(max(0, covered_fen - insured.deductible_fen), insured.binding_sum_fen)


def double_cover_fen(
    loss_fen: int, sums_insured_fen: Mapping[str, int], *, insured_value_fen: int
) -> dict[str, int]:
    """Return what each insurer pays of one loss under double cover (重复保险), in 分.

    Pro rata to the sums insured; together no more than loss, value, or all sums insured.
    """
    _check_amount(loss_fen)
    require_range(
        bool(sums_insured_fen) and min(insured_value_fen, *sums_insured_fen.values()) > 0,
        "重复保险须有大于 0 的保险金额与保险价值",
        "double cover has sums insured and a value above 0",
    )
    payable_fen = min(loss_fen, insured_value_fen, sum(sums_insured_fen.values()))
    parts = split_fen(payable_fen, list(sums_insured_fen.values()))
    return dict(zip(sums_insured_fen, parts, strict=True))


def daily_refund_fen(premium_fen: int, *, days_elapsed: int, days_total: int) -> int:
    """Return the premium of the days not run, in 分, half up: `premium·(total−elapsed)/total`."""
    _check_amount(premium_fen)
    require_range(
        0 <= days_elapsed <= days_total and days_total >= 1,
        "已过天数在 0 与保险期间之间，期间至少一天",
        "days elapsed lie between 0 and a total of at least 1",
    )
    return half_up_fen(Fraction(premium_fen * (days_total - days_elapsed), days_total))


def excess_refund_fen(premium_fen: int, insured: Insured) -> int:
    """Return the premium for a void excess of the sum insured, in 分, half up (art. 55)."""
    _check_amount(premium_fen)
    return half_up_fen(Fraction(premium_fen * insured.void_excess_fen, insured.sum_insured_fen))


def mitigation_fen(cost_fen: int, insured: Insured) -> int:
    """Return the mitigation costs (施救费用) that are paid, beside the loss, in 分 (art. 57)."""
    _check_amount(cost_fen)
    return min(cost_fen, insured.binding_sum_fen)


def check_confirmed(confirmed_before_fen: int, payout_fen: int, sum_insured_fen: int) -> None:
    """Raise `claim.sum_insured_exceeded` if all payouts together pass the sum insured."""
    confirmed_fen = confirmed_before_fen + payout_fen
    if confirmed_fen > sum_insured_fen:
        raise SUM_INSURED_EXCEEDED(
            confirmed_fen=confirmed_fen,
            sum_insured_fen=sum_insured_fen,
            left_fen=max(0, sum_insured_fen - confirmed_before_fen),
        )


def check_subrogation(sought_fen: int, paid_fen: int) -> None:
    """Raise `claim.subrogation_exceeded` if the insurer seeks more than it paid."""
    if sought_fen > paid_fen:
        raise SUBROGATION_EXCEEDED(sought_fen=sought_fen, paid_fen=paid_fen)


def retention_limit_fen(capital_fen: int, surplus_fen: int) -> int:
    """Return the most that may be retained on one risk, in 分: 10% of capital and surplus."""
    _check_amount(capital_fen)
    return floor_fen(exact(RETENTION_SHARE_MAX) * (capital_fen + surplus_fen))


def check_retention(retained_fen: int, limit_fen: int) -> None:
    """Raise `policy.retention_exceeded` and say how much to reinsure."""
    if retained_fen > limit_fen:
        cede_fen = retained_fen - limit_fen
        raise RETENTION_EXCEEDED(retained_fen=retained_fen, limit_fen=limit_fen, cede_fen=cede_fen)


def _check_amount(fen: int) -> None:
    require_range(fen >= 0, "金额不小于 0", "an amount is 0 or more")
