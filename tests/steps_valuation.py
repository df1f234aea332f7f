"""Steps to an issued valuation, for the stories of lenders and insurers."""

from typing import Any

from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.rules import Role
from steps_pipeline import Ready, digest
from world import World

VALUE_FEN = 1_000_000_00


def published_card(world: World, method: str, **changes: Any) -> str:
    """Return a current card of `method`."""
    card = new_id("card")
    world.do(
        world.operator,
        "card.published@1",
        **{
            "card": card,
            "method": method,
            "version": "1.0.0",
            "name": {"zh": method, "en": method},
            "sha256": digest(method),
            **changes,
        },
    )
    return card


def method_used(world: World, method: str, value_fen: int, weight: str = "0.5") -> dict[str, Any]:
    """Return one method's line of a draft, its card published now."""
    return {
        "card": published_card(world, method),
        "card_sha256": digest(method),
        "inputs_sha256": digest(f"inputs of {method}"),
        "value_fen": value_fen,
        "weight": weight,
    }


def commission(world: World, by: Actor, product: Ready, appraiser: Actor, **changes: Any) -> str:
    """Return a commissioned valuation of `product` as of today."""
    valuation = new_id("valuation")
    world.do(
        by,
        "valuation.commissioned@1",
        **{
            "valuation": valuation,
            "asset": product.asset,
            "version": product.version,
            "appraiser": appraiser.party,
            "purpose": "质押",
            "base_date": world.now.date().isoformat(),
            **changes,
        },
    )
    return valuation


def drafting(
    world: World, valuation: str, second: Actor, value_fen: int = VALUE_FEN, **changes: Any
) -> dict[str, Any]:
    """Return a draft by cost and income that concludes in `value_fen`."""
    methods = changes.pop("methods", None) or [
        method_used(world, "cost", value_fen * 9 // 10),
        method_used(world, "income", value_fen * 11 // 10),
    ]
    return {
        "valuation": valuation,
        "second": second.party,
        "methods": methods,
        "value_fen": value_fen,
        "p10_fen": value_fen * 8 // 10,
        "p90_fen": value_fen * 12 // 10,
        "report_sha256": digest("report"),
        "code_version": "1.0.0",
        **changes,
    }


def issued_valuation(
    world: World, product: Ready, value_fen: int = VALUE_FEN, appraiser: Actor | None = None
) -> tuple[str, Actor]:
    """Return an issued valuation of `product` and its appraiser."""
    chief, second = appraiser or world.join(Role.APPRAISER), world.join(Role.APPRAISER)
    valuation = commission(world, product.provider, product, chief)
    world.do(chief, "valuation.drafted@1", **drafting(world, valuation, second, value_fen))
    for actor, act in ((second, "countersigned"), (chief, "issued")):
        world.do(actor, f"valuation.{act}@1", valuation=valuation, proposal=world.head(valuation))
    return valuation, chief
