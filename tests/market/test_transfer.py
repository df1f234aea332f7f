"""Title moves by both parties' will, with the lien holders' consent, and what binds it stays."""

from datetime import timedelta
from typing import Any

import pytest

import steps_market
from dataexchange.asset.title import Asset, Lien, encumbered, frozen
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.ledger.statement import format_time
from dataexchange.registry.tail import Held
from dataexchange.rules import Role
from steps_accounts import assert_books_balance, balance_fen, fund
from steps_market import proposed_transfer
from steps_pipeline import Ready, Resource, claim, governed_resource, ready_product
from world import World


@pytest.fixture
def world() -> World:
    return World()


def change(world: World, asset: str, state: Asset) -> None:
    """Change an asset as a room above this one does."""
    held = world.tail.held[asset]
    world.tail.held[asset] = Held(held.seq, held.head, state)


def pledged(world: World, asset: str, lender: Actor) -> None:
    lien = Lien(by=new_id("pledge"), holder=lender.party, secured_fen=5_000, registered_index=1)
    change(world, asset, encumbered(world.state(Asset, asset), lien))


def heir(world: World, amount_fen: int = 0) -> Actor:
    party = world.join(Role.PROVIDER)
    if amount_fen:
        fund(world, party, amount_fen)
    return party


def taking(world: World, product: Ready, transfer: str, proposal: str) -> dict[str, Any]:
    return {
        "transfer": transfer,
        "asset": product.asset,
        "holder": product.provider.party,
        "proposal": proposal,
    }


def consent(product: Ready, transfer: str, proposal: str) -> dict[str, Any]:
    return {"transfer": transfer, "asset": product.asset, "proposal": proposal}


def test_title_and_price_change_hands_in_one_event(world: World) -> None:
    product, to = ready_product(world), heir(world, 70_000)
    transfer = proposed_transfer(world, product, to, 60_000)
    world.do(to, "title.transferred@1", **taking(world, product, transfer, world.head(transfer)))
    assert world.state(Asset, product.asset).holder == to.party
    assert balance_fen(world, to.party) == 10_000
    assert balance_fen(world, product.provider.party) == 60_000
    assert_books_balance(world)


def test_title_is_not_taken_without_the_price(world: World) -> None:
    product, to = ready_product(world), heir(world)
    transfer = proposed_transfer(world, product, to, 60_000)
    payload = taking(world, product, transfer, world.head(transfer))
    world.refuses("account.insufficient", to, "title.transferred@1", **payload)


def test_only_the_party_named_takes_title(world: World) -> None:
    product, to = ready_product(world), heir(world)
    transfer = proposed_transfer(world, product, to)
    payload = taking(world, product, transfer, world.head(transfer))
    world.refuses("party.not_concerned", heir(world), "title.transferred@1", **payload)


def test_only_the_holder_proposes(world: World) -> None:
    product, other = ready_product(world), heir(world)
    world.refuses(
        "asset.not_holder",
        other,
        "title.transfer_proposed@1",
        transfer=new_id("transfer"),
        asset=product.asset,
        to=heir(world).party,
        price_fen=0,
        valid_until=format_time(world.now + timedelta(days=1)),
    )


def test_a_consent_names_the_proposal(world: World) -> None:
    product, to = ready_product(world), heir(world)
    transfer = proposed_transfer(world, product, to)
    payload = taking(world, product, transfer, "0" * 64)
    world.refuses("event.mismatch", to, "title.transferred@1", **payload)


def test_a_pledged_asset_cannot_be_sold_without_the_lenders_consent(world: World) -> None:
    product, to, lender = ready_product(world), heir(world), world.join(Role.LENDER)
    pledged(world, product.asset, lender)
    transfer = proposed_transfer(world, product, to)
    proposal = world.head(transfer)
    payload = taking(world, product, transfer, proposal)
    world.refuses("asset.encumbered", to, "title.transferred@1", **payload)
    world.do(lender, "title.transfer_consented@1", **consent(product, transfer, proposal))
    world.do(to, "title.transferred@1", **payload)
    held = world.state(Asset, product.asset)
    assert (held.holder, held.secured_fen) == (to.party, 5_000)


def test_every_lien_holder_must_consent(world: World) -> None:
    product, to = ready_product(world), heir(world)
    lenders = [world.join(Role.LENDER) for _ in range(2)]
    for lender in lenders:
        pledged(world, product.asset, lender)
    transfer = proposed_transfer(world, product, to)
    proposal = world.head(transfer)
    payload = taking(world, product, transfer, proposal)
    world.do(lenders[0], "title.transfer_consented@1", **consent(product, transfer, proposal))
    world.refuses("asset.encumbered", to, "title.transferred@1", **payload)
    world.do(lenders[1], "title.transfer_consented@1", **consent(product, transfer, proposal))
    world.do(to, "title.transferred@1", **payload)


def test_who_has_no_lien_has_nothing_to_consent_to(world: World) -> None:
    product, to = ready_product(world), heir(world)
    transfer = proposed_transfer(world, product, to)
    payload = consent(product, transfer, world.head(transfer))
    world.refuses("title.no_lien", world.join(Role.LENDER), "title.transfer_consented@1", **payload)


def test_a_lien_holder_consents_once_and_to_the_proposal(world: World) -> None:
    product, to, lender = ready_product(world), heir(world), world.join(Role.LENDER)
    pledged(world, product.asset, lender)
    transfer = proposed_transfer(world, product, to)
    payload = consent(product, transfer, world.head(transfer))
    wrong = {**payload, "proposal": "0" * 64}
    world.refuses("event.mismatch", lender, "title.transfer_consented@1", **wrong)
    world.do(lender, "title.transfer_consented@1", **payload)
    world.refuses("title.consented_already", lender, "title.transfer_consented@1", **payload)


def test_a_frozen_asset_is_not_transferred(world: World) -> None:
    product, to = ready_product(world), heir(world)
    transfer = proposed_transfer(world, product, to)
    change(world, product.asset, frozen(world.state(Asset, product.asset), "2026-1"))
    payload = taking(world, product, transfer, world.head(transfer))
    world.refuses("asset.frozen", to, "title.transferred@1", **payload)


def test_an_asset_in_its_objection_window_is_not_transferred(world: World) -> None:
    product, to = ready_product(world, registered=False), heir(world)
    transfer = proposed_transfer(world, product, to)
    claimed = claim(Resource(product.asset, 1, product.provider, "enterprise"))
    world.do(product.provider, "rights.claimed@1", **claimed)
    payload = taking(world, product, transfer, world.head(transfer))
    world.refuses("asset.claim_open", to, "title.transferred@1", **payload)


def test_an_asset_under_objection_is_not_transferred(world: World) -> None:
    product, to = ready_product(world), heir(world)
    transfer = proposed_transfer(world, product, to)
    change(world, product.asset, world.state(Asset, product.asset).but(objections_open=1))
    payload = taking(world, product, transfer, world.head(transfer))
    world.refuses("asset.under_objection", to, "title.transferred@1", **payload)


def test_an_exclusive_licence_survives_the_transfer(world: World) -> None:
    terms = steps_market.terms(exclusive=True)
    deal = steps_market.opened_deal(world, terms=terms)
    deal = steps_market.finalised_licence(world, deal, terms=terms)
    to = heir(world)
    transfer = proposed_transfer(world, deal.product, to)
    payload = taking(world, deal.product, transfer, world.head(transfer))
    world.do(to, "title.transferred@1", **payload)
    held = world.state(Asset, deal.product.asset)
    assert (held.holder, held.exclusive_licence) == (to.party, deal.licence)


def test_a_withdrawn_proposal_is_gone(world: World) -> None:
    product, to = ready_product(world), heir(world)
    transfer = proposed_transfer(world, product, to)
    world.refuses(
        "party.not_concerned", to, "title.transfer_withdrawn@1", transfer=transfer, reason="悔"
    )
    world.do(product.provider, "title.transfer_withdrawn@1", transfer=transfer, reason="另作安排")
    payload = taking(world, product, transfer, world.head(transfer))
    world.refuses("aggregate.wrong_status", to, "title.transferred@1", **payload)


def test_a_proposal_runs_out(world: World) -> None:
    product, to = ready_product(world), heir(world)
    transfer = proposed_transfer(world, product, to)
    world.advance(days=31)
    payload = taking(world, product, transfer, world.head(transfer))
    world.refuses("title.offer_over", to, "title.transferred@1", **payload)


def test_of_two_proposals_the_first_taken_wins(world: World) -> None:
    product, one, two = ready_product(world), heir(world), heir(world)
    first, second = (proposed_transfer(world, product, to) for to in (one, two))
    world.do(one, "title.transferred@1", **taking(world, product, first, world.head(first)))
    payload = taking(world, product, second, world.head(second))
    world.refuses("asset.not_holder", two, "title.transferred@1", **payload)


def test_a_public_body_needs_an_approval_to_dispose(world: World) -> None:
    resource = governed_resource(world)
    to = heir(world)
    payload = {
        "transfer": new_id("transfer"),
        "asset": resource.asset,
        "to": to.party,
        "price_fen": 0,
        "valid_until": format_time(world.now + timedelta(days=1)),
    }
    world.refuses(
        "title.approval_missing", resource.provider, "title.transfer_proposed@1", **payload
    )
    world.do(resource.provider, "title.transfer_proposed@1", approval="CZ-2026-12", **payload)


@pytest.mark.parametrize(("to", "code"), [("self", "to_oneself"), ("buyer", "not_a_provider")])
def test_title_goes_to_another_provider(world: World, to: str, code: str) -> None:
    product = ready_product(world)
    party = product.provider if to == "self" else world.join(Role.BUYER)
    world.refuses(
        f"title.{code}",
        product.provider,
        "title.transfer_proposed@1",
        transfer=new_id("transfer"),
        asset=product.asset,
        to=party.party,
        price_fen=0,
        valid_until=format_time(world.now + timedelta(days=1)),
    )


def test_a_frozen_asset_is_not_even_offered(world: World) -> None:
    product, to = ready_product(world), heir(world)
    change(world, product.asset, frozen(world.state(Asset, product.asset), "2026-1"))
    world.refuses(
        "asset.frozen",
        product.provider,
        "title.transfer_proposed@1",
        transfer=new_id("transfer"),
        asset=product.asset,
        to=to.party,
        price_fen=0,
        valid_until=format_time(world.now + timedelta(days=1)),
    )


def test_what_is_taken_is_not_withdrawn(world: World) -> None:
    product, to = ready_product(world), heir(world)
    transfer = proposed_transfer(world, product, to)
    world.do(to, "title.transferred@1", **taking(world, product, transfer, world.head(transfer)))
    payload = {"transfer": transfer, "reason": "悔"}
    world.refuses(
        "aggregate.wrong_status", product.provider, "title.transfer_withdrawn@1", **payload
    )


def test_the_price_goes_to_the_holder_for_the_asset_proposed(world: World) -> None:
    product, other, to = ready_product(world), ready_product(world), heir(world, 5_000)
    transfer = proposed_transfer(world, product, to, 5_000)
    payload = taking(world, product, transfer, world.head(transfer))
    for changes in ({"asset": other.asset}, {"holder": other.provider.party}):
        world.refuses("event.mismatch", to, "title.transferred@1", **{**payload, **changes})
