"""How much may be lent on an asset, what cures a shortfall, what a lender expects to lose (M18).

`LTV = L/V`. Ceilings are rounded down and cures up, to whole 分, so that a cure truly cures.
Haircuts come off the value together: `V·(1 − h − h_fx − h_add)`, each for its own risk.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from dataexchange.accounts.rounding import Exact, ceil_fen, exact, floor_fen, half_up_fen
from dataexchange.rules.guard import require_range
from dataexchange.rules.refusal import RefusalCode

LTV_MAX_USUAL = Decimal("0.5")
"""Half of the appraisal, and a call at a fall of 20%: lenders' practice, no norm."""
FALL_TRIGGER_USUAL = Decimal("0.2")

LTV_EXCEEDED = RefusalCode(
    "pledge.ltv_exceeded",
    clause="loan contract: highest loan-to-value ratio 质押率上限",
    zh="担保的债权 {secured_fen} 分超过上限 {ceiling_fen} 分",
    en="The secured sum of {secured_fen} fen exceeds the ceiling of {ceiling_fen} fen",
    remedy_zh="补充质押物价值 {top_up_fen} 分，或减少债权 {prepay_fen} 分",
    remedy_en="Add collateral worth {top_up_fen} fen, or lower the debt by {prepay_fen} fen",
)


def loan_to_value(loan_fen: int, value_fen: int) -> Fraction:
    """Return L/V, exact; refuses an asset that is worth nothing, and a loan below zero."""
    require_range(
        value_fen > 0 and loan_fen >= 0,
        "质押率要求价值大于 0、贷款不小于 0",
        "a ratio needs a value above zero and a loan of 0 or more",
    )
    return Fraction(loan_fen, value_fen)


def secured_ceiling_fen(value_fen: int, ltv_max: Exact) -> int:
    """Return the most, in 分, that may be secured on the asset: `ltv_max` × value, rounded down."""
    return floor_fen(_ratio(ltv_max) * _amount(value_fen))


def check_secured_sum(secured_fen: int, value_fen: int, ltv_max: Exact) -> None:
    """Raise `pledge.ltv_exceeded` if `secured_fen` is above the ceiling; it names both cures."""
    ceiling_fen = secured_ceiling_fen(value_fen, ltv_max)
    if secured_fen > ceiling_fen:
        raise LTV_EXCEEDED(
            secured_fen=secured_fen,
            ceiling_fen=ceiling_fen,
            top_up_fen=top_up_fen(secured_fen, value_fen, ltv_max),
            prepay_fen=prepay_fen(secured_fen, value_fen, ltv_max),
        )


def top_up_fen(loan_fen: int, value_fen: int, ltv_max: Exact) -> int:
    """Return the least collateral value, in 分, to add: `L/max − V`, rounded up, or 0.

    Refuses an `ltv_max` of 0: no collateral would do.
    """
    ratio = _ratio(ltv_max)
    require_range(
        ratio > 0, "质押率上限须大于 0", "no collateral cures a loan where none is allowed"
    )
    return max(0, ceil_fen(_amount(loan_fen) / ratio) - value_fen)


def prepay_fen(loan_fen: int, value_fen: int, ltv_max: Exact) -> int:
    """Return the least repayment, in 分: `L − max·V`, rounded up, or 0."""
    return max(0, loan_fen - secured_ceiling_fen(value_fen, ltv_max))


@dataclass(frozen=True, slots=True)
class MarginCall:
    """Why a call is due, and what ends it, in 分; either cure is enough for the ratio."""

    ltv: Fraction
    fall: Fraction
    over_ltv: bool
    over_fall: bool
    top_up_fen: int
    prepay_fen: int


@dataclass(frozen=True, slots=True)
class MarginTerms:
    """The ratio that must hold, and the fall of value that triggers a call by itself."""

    ltv_max: Decimal = LTV_MAX_USUAL
    fall_trigger: Decimal = FALL_TRIGGER_USUAL


def margin_call(
    loan_fen: int, value_fen: int, *, value_at_draw_fen: int, terms: MarginTerms
) -> MarginCall | None:
    """Return the call that is due (追加担保), or None.

    Due above `ltv_max`, or once the value has fallen by `fall_trigger` since the draw. A fall
    alone, with the ratio kept, is cured by restoring the value: its cures are then 0.
    """
    ltv = loan_to_value(loan_fen, value_fen)
    drawn = value_at_draw_fen > 0
    require_range(drawn, "放款时价值须大于 0", "the value at the draw is above zero")
    fall = 1 - Fraction(value_fen, value_at_draw_fen)
    over_ltv, over_fall = ltv > exact(terms.ltv_max), fall >= exact(terms.fall_trigger)
    if loan_fen == 0 or not (over_ltv or over_fall):
        return None
    return MarginCall(
        ltv,
        fall,
        over_ltv,
        over_fall,
        top_up_fen(loan_fen, value_fen, terms.ltv_max),
        prepay_fen(loan_fen, value_fen, terms.ltv_max),
    )


def collateral_value_fen(
    value_fen: int, *, haircut: Exact, currency_haircut: Exact = 0, additional_haircut: Exact = 0
) -> int:
    """Return `V·(1 − h − h_fx − h_add)` in 分, half up; 0 where the haircuts eat it all.

    Trap: a published implementation reads the currency haircut twice and the additional never.
    """
    haircuts = (_ratio(one) for one in (haircut, currency_haircut, additional_haircut))
    kept = 1 - sum(haircuts, Fraction(0))
    return max(0, half_up_fen(kept * _amount(value_fen)))


def interval_haircut(value_fen: int, p10_fen: int) -> Fraction:
    """Return the haircut that a valuation's own interval asks for: `1 − P10/value`, at least 0.

    Design: the wider an appraisal's interval, the less of its value is lent on.
    """
    require_range(value_fen > 0, "评估值须大于 0", "a value is above zero")
    return max(Fraction(0), 1 - Fraction(_amount(p10_fen), _amount(value_fen)))


def expected_credit_loss_fen(exposure_fen: int, *, pd: Exact, lgd: Exact) -> int:
    """Return `PD·LGD·EAD` in 分, half up (预期信用损失, 企业会计准则第22号)."""
    return half_up_fen(_ratio(pd) * _ratio(lgd) * _amount(exposure_fen))


def _amount(fen: int) -> Fraction:
    require_range(fen >= 0, "金额不小于 0", "an amount is 0 or more")
    return exact(fen)


def _ratio(given: Exact) -> Fraction:
    ratio = exact(given)
    require_range(0 <= ratio <= 1, "比率须在 0 与 1 之间", "a ratio lies between 0 and 1")
    return ratio
