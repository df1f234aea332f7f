"""Steps to pledges, for tests of the guarantee room and those above it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from dataexchange.client.signing import Actor, SigningKey
from dataexchange.client.typeid import new_id
from dataexchange.rules import Role
from steps_accounts import fund
from steps_pipeline import Ready, Resource, digest, ready_product, staff
from steps_valuation import VALUE_FEN, issued_valuation
from world import World

PRINCIPAL_FEN = VALUE_FEN * 4 // 10


@dataclass(frozen=True)
class Pledged:
    """A pledge and everyone who has to do with it."""

    pledge: str
    product: Ready
    valuation: str
    appraiser: Actor
    lender: Actor
    registrar: Actor

    @property
    def pledgor(self) -> Actor:
        """The holder of the asset."""
        return self.product.provider


def terms(product: Ready | Resource, lender: Actor, **changes: Any) -> dict[str, Any]:
    """Return the terms of a new pledge of `product`."""
    return {
        "pledge": new_id("pledge"),
        "asset": product.asset,
        "version": product.version,
        "lender": lender.party,
        "right": "operating",
        "principal_fen": PRINCIPAL_FEN,
        "secured_fen": PRINCIPAL_FEN,
        "interest_ratio": "0.0435",
        "term_days": 365,
        "loan_to_value_max": "0.5",
        **changes,
    }


def valued_pledge(world: World, product: Ready | None = None, **changes: Any) -> Pledged:
    """Return a pledge that an appraiser has valued."""
    product = product or ready_product(world)
    valuation, appraiser = issued_valuation(world, product)
    lender = world.join(Role.LENDER)
    said = terms(product, lender, **changes)
    world.do(product.provider, "pledge.drafted@1", **said)
    world.do(
        appraiser,
        "pledge.valued@1",
        pledge=said["pledge"],
        asset=product.asset,
        valuation=valuation,
    )
    registrar = staff(world, Role.REGISTRAR)
    return Pledged(said["pledge"], product, valuation, appraiser, lender, registrar)


def signed_pledge(world: World, product: Ready | None = None, **changes: Any) -> Pledged:
    """Return a pledge that both sides have signed."""
    pledged = valued_pledge(world, product, **changes)
    proposal = world.head(pledged.pledge)
    for party in (pledged.pledgor, pledged.lender):
        world.do(party, "pledge.signed@1", pledge=pledged.pledge, proposal=proposal)
    return pledged


def registration(pledged: Pledged) -> dict[str, Any]:
    """Return the registrar's entry."""
    return {
        "pledge": pledged.pledge,
        "asset": pledged.product.asset,
        "valuation": pledged.valuation,
        "receipt": "ZD-2026-0001",
    }


def drawing(pledged: Pledged) -> dict[str, Any]:
    """Return the lender's draw."""
    return {
        "pledge": pledged.pledge,
        "asset": pledged.product.asset,
        "valuation": pledged.valuation,
        "pledgor": pledged.pledgor.party,
    }


def registered_pledge(world: World, product: Ready | None = None, **changes: Any) -> Pledged:
    """Return a pledge in the register."""
    pledged = signed_pledge(world, product, **changes)
    world.do(pledged.registrar, "pledge.registered@1", **registration(pledged))
    return pledged


def active_pledge(world: World, product: Ready | None = None, **changes: Any) -> Pledged:
    """Return a pledge whose loan is paid out."""
    pledged = registered_pledge(world, product, **changes)
    fund(world, pledged.lender, PRINCIPAL_FEN * 2)
    world.do(pledged.lender, "pledge.drawn@1", **drawing(pledged))
    return pledged


def revalue(world: World, pledged: Pledged, value_fen: int) -> None:
    """Put a new valuation at `value_fen` under a live pledge."""
    valuation, appraiser = issued_valuation(world, pledged.product, value_fen)
    world.do(appraiser, "pledge.revalued@1", pledge=pledged.pledge, valuation=valuation)


def defaulted_pledge(world: World, product: Ready | None = None) -> Pledged:
    """Return a pledge whose loan was due and not paid."""
    pledged = active_pledge(world, product)
    world.advance(days=366)
    world.do(pledged.lender, "pledge.defaulted@1", pledge=pledged.pledge)
    return pledged


def second_key(world: World, actor: Actor) -> Actor:
    """Return the same party signing with a second key, as its second officer would."""
    second = SigningKey.generate()
    world.do(actor, "key.added@1", party=actor.party, key=second.id)
    return Actor(actor.party, second, actor.log)


@dataclass(frozen=True)
class House:
    """A guarantor with its two officers, its capital reported."""

    analyst: Actor
    committee: Actor

    @property
    def party(self) -> str:
        """The guarantor's party id."""
        return self.analyst.party


@dataclass(frozen=True)
class Guaranteed:
    """A guarantee and everyone who has to do with it."""

    guarantee: str
    obligor: Actor
    creditor: Actor
    house: House
    pledge: str | None = None

    @property
    def named(self) -> dict[str, Any]:
        """The names that an event about its exposure states."""
        return {
            "guarantee": self.guarantee,
            "guarantor": self.house.party,
            "obligor": self.obligor.party,
        }


NET_ASSETS_FEN = 100_000_000_00


def guarantor_house(world: World, net_assets_fen: int = NET_ASSETS_FEN, **capital: Any) -> House:
    """Return a guarantor that has reported its capital."""
    analyst = world.join(Role.GUARANTOR)
    report = {"net_assets_fen": net_assets_fen, "report_sha256": digest("audit"), **capital}
    world.do(analyst, "guarantor.capital_reported@1", **report)
    return House(analyst, second_key(world, analyst))


def application(
    world: World, house: House, creditor: Actor, amount_fen: int, **changes: Any
) -> dict[str, Any]:
    """Return an application for a guarantee of a debt that is due in a year."""
    return {
        "guarantee": new_id("guarantee"),
        "guarantor": house.party,
        "creditor": creditor.party,
        "amount_fen": amount_fen,
        "fee_fen": amount_fen // 100,
        "debt_due": (world.now + timedelta(days=365)).date().isoformat(),
        **changes,
    }


def approved_guarantee(
    world: World, house: House, obligor: Actor, amount_fen: int, **changes: Any
) -> Guaranteed:
    """Return a guarantee that the analyst recommends and the committee approves."""
    creditor = changes.pop("creditor_actor", None) or world.join(Role.LENDER)
    review = changes.pop("review", {})
    said = application(world, house, creditor, amount_fen, **changes)
    world.do(obligor, "guarantee.applied@1", **said)
    named = {"guarantee": said["guarantee"]}
    report = {"report_sha256": digest("due diligence"), "recommended": True, **review}
    world.do(house.analyst, "guarantee.reviewed@1", **named, **report)
    world.do(house.committee, "guarantee.approved@1", **named)
    return Guaranteed(said["guarantee"], obligor, creditor, house, changes.get("pledge"))


def signing(guaranteed: Guaranteed, group: str | None = None) -> dict[str, Any]:
    """Return the guarantor's signature on a guarantee."""
    return {
        "guarantee": guaranteed.guarantee,
        "obligor": guaranteed.obligor.party,
        "group": group,
    }


def signed_guarantee(
    world: World,
    house: House,
    obligor: Actor,
    amount_fen: int,
    *,
    group: str | None = None,
    **changes: Any,
) -> Guaranteed:
    """Return a guarantee that counts against the guarantor's limits."""
    guaranteed = approved_guarantee(world, house, obligor, amount_fen, **changes)
    world.do(house.committee, "guarantee.signed@1", **signing(guaranteed, group))
    return guaranteed


def accept(world: World, guaranteed: Guaranteed) -> None:
    """Have the creditor take a guarantee whose fee the obligor can pay."""
    fund(world, guaranteed.obligor, 10_000_000_00)
    proposal = world.head(guaranteed.guarantee)
    world.do(guaranteed.creditor, "guarantee.accepted@1", **guaranteed.named, proposal=proposal)


def guarantee_in_force(
    world: World,
    pledged: Pledged | None = None,
    *,
    amount_fen: int = PRINCIPAL_FEN // 2,
    house: House | None = None,
    **changes: Any,
) -> Guaranteed:
    """Return a guarantee in force: of the loan behind `pledged`, or of another debt."""
    house = house or guarantor_house(world)
    if pledged is not None:
        changes = {"creditor_actor": pledged.lender, "pledge": pledged.pledge, **changes}
    obligor = pledged.pledgor if pledged is not None else world.join(Role.PROVIDER)
    guaranteed = signed_guarantee(world, house, obligor, amount_fen, **changes)
    accept(world, guaranteed)
    return guaranteed
