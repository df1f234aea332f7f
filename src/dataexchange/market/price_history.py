"""The price history of an asset 价格历史: what was asked for it, paid for it, and found it worth.

Read from the entries that say so and the states that they are about.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from dataexchange.market.licence import Licence
from dataexchange.market.transfer import TitleTransfer
from dataexchange.rules import State
from dataexchange.valuation.record import Valuation

What: TypeAlias = Literal["listed", "repriced", "licensed", "sold", "valued", "agreed"]

# Event, what it tells, and the member of its payload that names the state behind the price.
PRICE_EVENTS: Mapping[str, tuple[What, str]] = {
    "listing.published@1": ("listed", "listing"),
    "listing.repriced@1": ("repriced", "listing"),
    "licence.finalised@1": ("licensed", "licence"),
    "title.transferred@1": ("sold", "transfer"),
    "valuation.issued@1": ("valued", "valuation"),
    "valuation.agreed@1": ("agreed", "valuation"),
}


@dataclass(frozen=True, slots=True)
class Point:
    """One point: `price_fen` in 分 where it is one sum, and the terms of the price in full."""

    what: What
    key: str
    price_fen: int | None
    price: dict[str, Any]


def point(event: str, payload: Mapping[str, Any], state: State) -> Point:
    """Return what an entry of one of `PRICE_EVENTS` says; `state` is the one that it names."""
    what, member = PRICE_EVENTS[event]
    price = _price(payload, state)
    found = price.get("fee_fen", price.get("value_fen"))
    return Point(what, payload[member], found, price)


def _price(payload: Mapping[str, Any], state: State) -> dict[str, Any]:
    match state:
        case Licence():
            return dict(state.offer["charge"])
        case TitleTransfer():
            return {"fee_fen": state.price_fen}
        case Valuation() if "figure_fen" in payload:
            return {"value_fen": payload["figure_fen"]}
        case Valuation():
            return {
                "value_fen": state.value_fen,
                "p10_fen": state.p10_fen,
                "p90_fen": state.p90_fen,
                "base_date": state.base_date,
                "valid_until": state.valid_until,
                "status": state.status,
            }
        case _:
            return dict(payload["price"])
