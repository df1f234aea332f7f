"""What a transaction may cost: EIP-1559 fees under a cap. Pure.

Anchoring is never urgent enough to pay any price. Over the cap it waits, and the next anchor
covers everything that the missed ones would have.
"""

from dataclasses import dataclass
from typing import Final

GWEI: Final = 10**9


@dataclass(frozen=True, slots=True)
class FeePolicy:
    """The most that may be paid per gas, the tip, and how much a replacement must add."""

    max_fee_wei: int = 100 * GWEI
    priority_fee_wei: int = GWEI
    # Nodes refuse a replacement that adds less than 10 %.
    bump_percent: int = 13

    def __post_init__(self) -> None:
        if not 0 <= self.priority_fee_wei <= self.max_fee_wei or self.bump_percent < 10:
            raise ValueError("fee policy out of range")


@dataclass(frozen=True, slots=True)
class Fees:
    """What one transaction offers per gas, in wei."""

    max_fee_wei: int
    priority_fee_wei: int


def first_fees(base_fee_wei: int, policy: FeePolicy) -> Fees | None:
    """Return what to offer at this base fee, or None while it is over the cap.

    Twice the base fee leaves room for about six full blocks of rises by 12.5 %.
    """
    if base_fee_wei + policy.priority_fee_wei > policy.max_fee_wei:
        return None
    offer = min(2 * base_fee_wei + policy.priority_fee_wei, policy.max_fee_wei)
    return Fees(offer, policy.priority_fee_wei)


def replacement_fees(previous: Fees, base_fee_wei: int, policy: FeePolicy) -> Fees | None:
    """Return what to offer so that nodes replace `previous`, or None while fees are over the cap.

    At the cap no bump is left: nodes that still hold `previous` will refuse the offer and mine
    that, nodes that forgot it will take the offer. Either way the nonce gets used.
    """
    offer = first_fees(base_fee_wei, policy)
    if offer is None:
        return None
    max_fee_wei = max(offer.max_fee_wei, _bump(previous.max_fee_wei, policy))
    priority_fee_wei = max(offer.priority_fee_wei, _bump(previous.priority_fee_wei, policy))
    capped = min(max_fee_wei, policy.max_fee_wei)
    return Fees(capped, min(priority_fee_wei, capped))


def _bump(amount_wei: int, policy: FeePolicy) -> int:
    """Return the amount raised by the percentage, rounded up."""
    return -(-amount_wei * (100 + policy.bump_percent) // 100)
