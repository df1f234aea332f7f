"""Distribute what a realised pledge brings: the waterfall (清偿顺序, M19).

Costs of realisation come first, then the liens by registration time, registered before
unregistered, the unregistered pro rata (民法典 arts. 414, 415). Within a lien: the creditor's
costs, interest, principal (art. 561). What is left belongs to the pledgor (art. 438). Liens
registered at the same time share pro rata: our choice, the code is silent.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from dataexchange.accounts.split import split_fen
from dataexchange.rules.guard import require_range

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Lien:
    """One creditor's claim on the asset, in 分; `registered_at` is None if never registered."""

    lien: str
    registered_at: datetime | None
    principal_fen: int
    interest_fen: int = 0
    costs_fen: int = 0

    def __post_init__(self) -> None:
        """Refuse claims below zero and times without a zone."""
        least_fen = min(self.principal_fen, self.interest_fen, self.costs_fen)
        require_range(least_fen >= 0, "债权不小于 0", "a claim is 0 or more")
        zoned = self.registered_at is None or self.registered_at.tzinfo is not None
        require_range(zoned, "登记时间须写明时区", "a registration time names its zone")

    @property
    def claim_fen(self) -> int:
        """All that the creditor claims."""
        return self.costs_fen + self.interest_fen + self.principal_fen


@dataclass(frozen=True, slots=True)
class Payment:
    """What one lien gets, by rank of claim, and what stays unpaid, in 分."""

    lien: str
    costs_fen: int
    interest_fen: int
    principal_fen: int
    unpaid_fen: int

    @property
    def paid_fen(self) -> int:
        """All that the creditor gets."""
        return self.costs_fen + self.interest_fen + self.principal_fen


@dataclass(frozen=True, slots=True)
class Distribution:
    """Where every fen of the proceeds goes."""

    realisation_costs_fen: int
    payments: tuple[Payment, ...]
    surplus_fen: int


def distribute(
    proceeds_fen: int, liens: Iterable[Lien], *, realisation_costs_fen: int = 0
) -> Distribution:
    """Return the distribution of `proceeds_fen`, payments in order of priority.

    Costs above the proceeds are met as far as they reach. Equal ranks share by claim, largest
    remainder, in the order given. Refuses amounts below zero and a lien named twice.
    """
    held = list(liens)
    _check(proceeds_fen, realisation_costs_fen, held)
    met_fen = min(proceeds_fen, realisation_costs_fen)
    left_fen = proceeds_fen - met_fen
    payments: list[Payment] = []
    for _, rank in groupby(sorted(held, key=_rank), key=_rank):
        equals = list(rank)
        shares = _rank_shares(left_fen, equals)
        payments += [_pay(lien, share) for lien, share in zip(equals, shares, strict=True)]
        left_fen -= sum(shares)
    return Distribution(met_fen, tuple(payments), left_fen)


def _check(proceeds_fen: int, costs_fen: int, liens: Sequence[Lien]) -> None:
    require_range(
        min(proceeds_fen, costs_fen) >= 0,
        "变现所得与费用不小于 0",
        "proceeds and costs are 0 or more",
    )
    once = len({lien.lien for lien in liens}) == len(liens)
    require_range(once, "同一担保权不得列两次", "no lien is named twice")


def _rank(lien: Lien) -> tuple[bool, datetime]:
    """Registered first, earliest first; all unregistered are equal."""
    at = lien.registered_at
    return (at is None, at or _NEVER)


def _rank_shares(left_fen: int, equals: Sequence[Lien]) -> tuple[int, ...]:
    claims = [lien.claim_fen for lien in equals]
    return tuple(claims) if sum(claims) <= left_fen else split_fen(left_fen, claims)


def _pay(lien: Lien, share_fen: int) -> Payment:
    costs_fen = min(share_fen, lien.costs_fen)
    interest_fen = min(share_fen - costs_fen, lien.interest_fen)
    principal_fen = share_fen - costs_fen - interest_fen
    unpaid_fen = lien.claim_fen - share_fen
    return Payment(lien.lien, costs_fen, interest_fen, principal_fen, unpaid_fen)
