"""How much a guarantor may carry: weighted balances, limits and reserves (融资担保责任余额, M17).

Limits: 融资担保公司监督管理条例 (国务院令第683号) arts. 15–17. Weights: 融资担保责任余额计量办法
(银保监发〔2018〕1号). Reserves: 融资性担保公司管理暂行办法 (2010) art. 31.
Weights and reserves were read in published code and quotations, not in the originals.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from dataexchange.accounts.rounding import ceil_fen, exact, floor_fen, half_up_fen
from dataexchange.rules.guard import require_range
from dataexchange.rules.refusal import RefusalCode

SMALL_FIRM_TOTAL_FEN_MAX = 500_000_000
"""5,000,000 元 per household: 以下 includes the figure itself (民法典 art. 1259)."""
FARMER_TOTAL_FEN_MAX = 200_000_000
WEIGHT_FAVOURED, WEIGHT_BOND, WEIGHT_FULL = Decimal("0.75"), Decimal("0.8"), Decimal(1)
MULTIPLE_MAX, MULTIPLE_MAX_FOCUSED = Decimal(10), Decimal(15)
OBLIGOR_SHARE_MAX, GROUP_SHARE_MAX = Decimal("0.10"), Decimal("0.15")
UNEARNED_SHARE = Decimal("0.5")
LOSS_SHARE_YEARLY, LOSS_SHARE_FULL = Decimal("0.01"), Decimal("0.10")

NET_ASSETS_SPENT = RefusalCode(
    "guarantee.net_assets_spent",
    clause="银保监发〔2018〕1号, 融资担保责任余额计量办法",
    zh="净资产扣除对其他融资担保公司的投资后不为正数：{net_fen} 分",
    en="Net assets less investments in other guarantors are not above zero: {net_fen} fen",
    remedy_zh="先补充资本",
    remedy_en="Raise capital first",
)
CONTROLLING_SHAREHOLDER = RefusalCode(
    "guarantee.controlling_shareholder",
    clause="国务院令第683号 art. 17",
    zh="不得为控股股东、实际控制人提供融资担保：{obligor}",
    en="No guarantee may be given for the controlling shareholder: {obligor}",
)
BALANCE_EXCEEDED = RefusalCode(
    "guarantee.balance_exceeded",
    clause="国务院令第683号 art. 15",
    zh="担保责任余额 {balance_fen} 分超过净资产的 {multiple} 倍，即 {limit_fen} 分",
    en="The balance of {balance_fen} fen exceeds {multiple} times net assets, {limit_fen} fen",
    remedy_zh="减少 {excess_fen} 分（按权重计）",
    remedy_en="Reduce it by {excess_fen} fen, as weighted",
)
OBLIGOR_EXCEEDED = RefusalCode(
    "guarantee.obligor_exceeded",
    clause="国务院令第683号 art. 16",
    zh="对被担保人 {obligor} 的责任余额 {balance_fen} 分超过净资产的限定比例，即 {limit_fen} 分",
    en="The balance for {obligor}, {balance_fen} fen, exceeds the limit of {limit_fen} fen",
    remedy_zh="减少 {excess_fen} 分（按权重计）",
    remedy_en="Reduce it by {excess_fen} fen, as weighted",
)
GROUP_EXCEEDED = RefusalCode(
    "guarantee.group_exceeded",
    clause="国务院令第683号 art. 16",
    zh="对 {group} 及其关联方的责任余额 {balance_fen} 分超过净资产的限定比例，即 {limit_fen} 分",
    en="The balance for {group}, {balance_fen} fen, exceeds the limit of {limit_fen} fen",
    remedy_zh="减少 {excess_fen} 分（按权重计）",
    remedy_en="Reduce it by {excess_fen} fen, as weighted",
)


class ObligorKind(StrEnum):
    """Whose debt is guaranteed; it sets the weight."""

    SMALL_FIRM = "small_firm"
    FARMER = "farmer"
    BOND = "bond"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Commitment:
    """One guarantee in force: its obligor (one household 单户), amount in 分, and kind.

    A bond has weight 0.8 only if its issuer is rated AA+ or better.
    """

    obligor: str
    in_force_fen: int
    kind: ObligorKind = ObligorKind.OTHER
    group: str = ""
    bond_rated_aa_plus: bool = False

    def __post_init__(self) -> None:
        """Refuse a commitment below zero."""
        require_range(self.in_force_fen >= 0, "担保责任不小于 0", "a commitment is 0 or more")


@dataclass(frozen=True, slots=True)
class Guarantor:
    """What limits rest on: net assets, stakes in other guarantors, and small/agri focus.

    The limits are the statute's unless the exchange's policy sets others.
    """

    net_assets_fen: int
    stakes_in_guarantors_fen: int = 0
    focused: bool = False
    multiple_usual: Decimal = MULTIPLE_MAX
    multiple_focused: Decimal = MULTIPLE_MAX_FOCUSED
    obligor_share_max: Decimal = OBLIGOR_SHARE_MAX
    group_share_max: Decimal = GROUP_SHARE_MAX

    @property
    def net_fen(self) -> int:
        """Net assets that count; raises `guarantee.net_assets_spent` at zero or below."""
        net_fen = self.net_assets_fen - self.stakes_in_guarantors_fen
        if net_fen <= 0:
            raise NET_ASSETS_SPENT(net_fen=net_fen)
        return net_fen

    @property
    def multiple_max(self) -> Decimal:
        """10 times net assets; 15 where the business is mainly small firms and agriculture."""
        return self.multiple_focused if self.focused else self.multiple_usual

    @property
    def balance_limit_fen(self) -> int:
        """The most that all weighted commitments may come to."""
        return floor_fen(exact(self.multiple_max) * self.net_fen)

    @property
    def obligor_limit_fen(self) -> int:
        """The most for one obligor: 10% of net assets."""
        return floor_fen(exact(self.obligor_share_max) * self.net_fen)

    @property
    def group_limit_fen(self) -> int:
        """The most for one obligor and its affiliates: 15% of net assets."""
        return floor_fen(exact(self.group_share_max) * self.net_fen)


def commitment_weight(commitment: Commitment, household_total_fen: int) -> Decimal:
    """Return the weight of `commitment`, given all that its household has in force.

    Crossing the threshold re-weights the whole household, not only what lies above.
    """
    thresholds = {
        ObligorKind.SMALL_FIRM: SMALL_FIRM_TOTAL_FEN_MAX,
        ObligorKind.FARMER: FARMER_TOTAL_FEN_MAX,
    }
    if household_total_fen <= thresholds.get(commitment.kind, -1):
        return WEIGHT_FAVOURED
    rated = commitment.kind is ObligorKind.BOND and commitment.bond_rated_aa_plus
    return WEIGHT_BOND if rated else WEIGHT_FULL


def weighted_balances(commitments: Iterable[Commitment]) -> dict[str, Fraction]:
    """Return each obligor's weighted balance in 分, unrounded."""
    households: defaultdict[str, list[Commitment]] = defaultdict(list)
    for commitment in commitments:
        households[commitment.obligor].append(commitment)
    return {obligor: _household_balance(held) for obligor, held in households.items()}


def _household_balance(commitments: list[Commitment]) -> Fraction:
    total_fen = sum(one.in_force_fen for one in commitments)
    weighted = (exact(commitment_weight(one, total_fen)) * one.in_force_fen for one in commitments)
    return sum(weighted, Fraction(0))


@dataclass(frozen=True, slots=True)
class Exposure:
    """Weighted balances in 分, rounded up so that no limit is passed by rounding."""

    balance_fen: int
    by_obligor_fen: dict[str, int]
    by_group_fen: dict[str, int]

    def multiple(self, guarantor: Guarantor) -> Fraction:
        """Return how many times its net assets the guarantor carries (放大倍数)."""
        return Fraction(self.balance_fen, guarantor.net_fen)


def exposure_of(commitments: Iterable[Commitment]) -> Exposure:
    """Return the exposure of all `commitments`; an obligor without a group is its own."""
    held = list(commitments)
    groups = {one.obligor: one.group or one.obligor for one in held}
    by_obligor = weighted_balances(held)
    by_group: defaultdict[str, Fraction] = defaultdict(Fraction)
    for obligor, balance in by_obligor.items():
        by_group[groups[obligor]] += balance
    return Exposure(
        ceil_fen(sum(by_obligor.values(), Fraction(0))),
        {obligor: ceil_fen(balance) for obligor, balance in by_obligor.items()},
        {group: ceil_fen(balance) for group, balance in by_group.items()},
    )


def check_exposure(
    guarantor: Guarantor,
    commitments: Iterable[Commitment],
    *,
    controlling_shareholders: frozenset[str] = frozenset(),
) -> Exposure:
    """Return the exposure with every commitment counted, the new one among them.

    Raises `guarantee.controlling_shareholder`, `obligor_exceeded`, `group_exceeded` or
    `balance_exceeded`.
    """
    exposure = exposure_of(commitments)
    for obligor in exposure.by_obligor_fen:
        if obligor in controlling_shareholders:
            raise CONTROLLING_SHAREHOLDER(obligor=obligor)
    check_concentration(guarantor, exposure)
    check_balance_fen(guarantor, exposure.balance_fen)
    return exposure


def check_concentration(guarantor: Guarantor, exposure: Exposure) -> None:
    """Raise `guarantee.obligor_exceeded` (10%) or `guarantee.group_exceeded` (15%)."""
    for obligor, balance_fen in exposure.by_obligor_fen.items():
        check_obligor_fen(guarantor, obligor, balance_fen)
    for group, balance_fen in exposure.by_group_fen.items():
        check_group_fen(guarantor, group, balance_fen)


def check_obligor_fen(guarantor: Guarantor, obligor: str, balance_fen: int) -> None:
    """Raise `guarantee.obligor_exceeded` if the weighted balance is above 10% of net assets."""
    limit_fen = guarantor.obligor_limit_fen
    if balance_fen > limit_fen:
        excess_fen = balance_fen - limit_fen
        raise OBLIGOR_EXCEEDED(
            obligor=obligor, balance_fen=balance_fen, limit_fen=limit_fen, excess_fen=excess_fen
        )


def check_group_fen(guarantor: Guarantor, group: str, balance_fen: int) -> None:
    """Raise `guarantee.group_exceeded` if the weighted balance is above 15% of net assets."""
    limit_fen = guarantor.group_limit_fen
    if balance_fen > limit_fen:
        excess_fen = balance_fen - limit_fen
        raise GROUP_EXCEEDED(
            group=group, balance_fen=balance_fen, limit_fen=limit_fen, excess_fen=excess_fen
        )


def check_balance_fen(guarantor: Guarantor, balance_fen: int) -> None:
    """Raise `guarantee.balance_exceeded` if all weighted balances pass the multiple."""
    limit_fen, multiple = guarantor.balance_limit_fen, guarantor.multiple_max
    if balance_fen > limit_fen:
        excess_fen = balance_fen - limit_fen
        raise BALANCE_EXCEEDED(
            balance_fen=balance_fen, multiple=multiple, limit_fen=limit_fen, excess_fen=excess_fen
        )


def unearned_premium_reserve_fen(year_premium_fen: int) -> int:
    """Return 未到期责任准备金: 50% of the year's guarantee fees, half up."""
    return half_up_fen(exact(UNEARNED_SHARE) * year_premium_fen)


def loss_reserve_addition_fen(balance_fen: int, held_fen: int) -> int:
    """Return this year's least addition to 担保赔偿准备金, in 分, rounded up.

    At least 1% of the year-end balance, until the reserve holds 10% of it; then nothing.
    """
    yearly = ceil_fen(exact(LOSS_SHARE_YEARLY) * balance_fen)
    lacking = ceil_fen(exact(LOSS_SHARE_FULL) * balance_fen) - held_fen
    return max(0, min(yearly, lacking))
