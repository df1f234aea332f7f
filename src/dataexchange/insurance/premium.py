"""What cover costs: expected payouts, loadings, and how a premium is divided (保险费, M21).

`payout = min((loss − deductible)⁺·(1 − coinsurance), limit)`;
`gross = (frequency·E[payout] + fixed)/(1 − expense − profit)`. The division of a premium among
product, distribution and pool follows the pricing of the open Generic Insurance Framework.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from dataexchange.accounts.rounding import Exact, exact, half_up_fen
from dataexchange.rules.guard import require_range
from dataexchange.rules.refusal import RefusalCode

LOADINGS_TOO_HIGH = RefusalCode(
    "policy.loadings_too_high",
    clause="保险法 art. 114 (premium rates are fair and reasonable); design",
    zh="费用率与利润率之和为 {sum}，应小于 1",
    en="Expense and profit loadings sum to {sum}; they must stay below 1",
)
CHANCES_NOT_ONE = RefusalCode(
    "policy.chances_not_one",
    clause="design: a loss distribution is complete",
    zh="损失概率之和为 {sum}，应为 1",
    en="The chances of the losses sum to {sum}, not to 1",
)
DISTRIBUTION_FEE_SPENT = RefusalCode(
    "policy.distribution_fee_spent",
    clause="design: commission and discount are paid out of the distribution fee",
    zh="佣金 {commission_fen} 分与折扣 {discount_fen} 分超过渠道费 {fee_fen} 分",
    en="Commission {commission_fen} fen and discount {discount_fen} fen exceed the distribution "
    "fee of {fee_fen} fen",
    remedy_zh="降低佣金或折扣，或提高渠道费",
    remedy_en="Lower commission or discount, or raise the distribution fee",
)


@dataclass(frozen=True, slots=True)
class Cover:
    """What of a loss is paid: deductible 免赔额 and limit 限额 in 分, coinsurance 共保比例."""

    limit_fen: int
    deductible_fen: int = 0
    coinsurance: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        """Refuse cover that pays nothing or below zero."""
        require_range(
            self.limit_fen > 0 and self.deductible_fen >= 0 and 0 <= self.coinsurance < 1,
            "限额大于 0，免赔额不小于 0，共保比例 0 ≤ c < 1",
            "cover has a limit above 0, a deductible of 0 or more, 0 ≤ c < 1",
        )

    def payout(self, loss_fen: int) -> Fraction:
        """Return what is paid of `loss_fen`, in 分, unrounded."""
        above = max(0, loss_fen - self.deductible_fen)
        return min(above * (1 - exact(self.coinsurance)), Fraction(self.limit_fen))

    def payout_fen(self, loss_fen: int) -> int:
        """Return what is paid of `loss_fen`, in 分, half up."""
        return half_up_fen(self.payout(loss_fen))


@dataclass(frozen=True, slots=True)
class LossChance:
    """One size of loss, in 分, and its chance given that a loss happens."""

    loss_fen: int
    chance: Decimal


@dataclass(frozen=True, slots=True)
class Loadings:
    """What comes on top of expected payouts: fixed costs in 分, shares of the gross premium."""

    fixed_fen: int = 0
    expense: Decimal = Decimal(0)
    profit: Decimal = Decimal(0)


def severity(losses: Sequence[LossChance], cover: Cover) -> Fraction:
    """Return E[payout] given a loss, in 分, unrounded; raises `policy.chances_not_one`."""
    total = sum((exact(one.chance) for one in losses), Fraction(0))
    if total != 1 or any(one.chance < 0 for one in losses):
        raise CHANCES_NOT_ONE(sum=total)
    payouts = (exact(one.chance) * cover.payout(one.loss_fen) for one in losses)
    return sum(payouts, Fraction(0))


def pure_premium(frequency: Exact, losses: Sequence[LossChance], cover: Cover) -> Fraction:
    """Return the expected payouts of one period, in 分, unrounded (纯保费)."""
    expected = exact(frequency)
    require_range(expected >= 0, "出险频率不小于 0", "a frequency is 0 or more")
    return expected * severity(losses, cover)


def gross_premium_fen(pure: Fraction, loadings: Loadings) -> int:
    """Return the premium, in 分, half up.

    Raises `policy.loadings_too_high` where expense and profit leave nothing for payouts.
    """
    loaded = exact(loadings.expense) + exact(loadings.profit)
    if not 0 <= loaded < 1:
        raise LOADINGS_TOO_HIGH(sum=loaded)
    return half_up_fen((pure + loadings.fixed_fen) / (1 - loaded))


@dataclass(frozen=True, slots=True)
class Fee:
    """A fee: a share of the net premium and a fixed part in 分."""

    share: Decimal = Decimal(0)
    fixed_fen: int = 0

    def __post_init__(self) -> None:
        """Refuse a fee below zero."""
        positive = self.share >= 0 and self.fixed_fen >= 0
        require_range(positive, "费用不小于 0", "a fee is 0 or more")

    def of(self, net_fen: int) -> int:
        """Return the fee on `net_fen`, in 分; the share is rounded half up."""
        return half_up_fen(exact(self.share) * net_fen) + self.fixed_fen


@dataclass(frozen=True, slots=True)
class FeeTerms:
    """Who takes what of a premium.

    Commission (佣金) is a share of the net premium, discount of the full one; both are paid out of
    the distribution fee.
    """

    product: Fee = Fee()
    pool: Fee = Fee()
    bundle: Fee = Fee()
    distribution: Fee = Fee()
    commission: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        """Refuse shares outside 0 to 1."""
        require_range(
            0 <= self.commission <= 1 and 0 <= self.discount <= 1,
            "佣金与折扣须在 0 与 1 之间",
            "commission and discount lie between 0 and 1",
        )


@dataclass(frozen=True, slots=True)
class PremiumParts:
    """A premium in 分 and its parts: `premium = product + distribution + commission + pool`."""

    full_fen: int
    discount_fen: int
    premium_fen: int
    product_fen: int
    distribution_fen: int
    commission_fen: int
    pool_fen: int


def divide_premium(net_fen: int, terms: FeeTerms) -> PremiumParts:
    """Return the premium built on `net_fen` and its parts, without residual.

    `pool_fen` holds the net premium with the pool's and bundle's fees. Raises
    `policy.distribution_fee_spent`.
    """
    require_range(net_fen >= 0, "净保费不小于 0", "a net premium is 0 or more")
    product_fen, distribution_fee_fen = terms.product.of(net_fen), terms.distribution.of(net_fen)
    pool_fen = net_fen + terms.pool.of(net_fen) + terms.bundle.of(net_fen)
    full_fen = pool_fen + product_fen + distribution_fee_fen
    discount_fen = half_up_fen(exact(terms.discount) * full_fen)
    commission_fen = half_up_fen(exact(terms.commission) * net_fen)
    distribution_fen = distribution_fee_fen - commission_fen - discount_fen
    if distribution_fen < 0:
        raise DISTRIBUTION_FEE_SPENT(
            commission_fen=commission_fen, discount_fen=discount_fen, fee_fen=distribution_fee_fen
        )
    return PremiumParts(
        full_fen=full_fen,
        discount_fen=discount_fen,
        premium_fen=full_fen - discount_fen,
        product_fen=product_fen,
        distribution_fen=distribution_fen,
        commission_fen=commission_fen,
        pool_fen=pool_fen,
    )
