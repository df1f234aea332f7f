"""A licence changes by both parties' will: a proposal, and a consent that names its leaf hash."""

from typing import Any

import pytest

import steps_market
from dataexchange.asset.grant import Grant, grant_key
from dataexchange.asset.title import Asset
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.market.change import change_key
from dataexchange.market.licence import Licence
from dataexchange.registry.tail import Held
from dataexchange.rules import Role
from steps_accounts import assert_books_balance, balance_fen
from steps_market import FEE_FEN, Deal, finalised_licence, release, settled_licence, terms
from steps_pipeline import digest
from world import World


@pytest.fixture
def world() -> World:
    return World()


EVENTS = {"amend": "amendment", "renew": "renewal", "dissolve": "dissolution"}


def propose(world: World, deal: Deal, by: Actor, kind: str, **change: Any) -> None:
    world.do(by, f"licence.{EVENTS[kind]}_proposed@1", licence=deal.licence, **change)


def consent(world: World, deal: Deal, **changes: Any) -> dict[str, Any]:
    return {
        "licence": deal.licence,
        "asset": deal.product.asset,
        "buyer": deal.buyer.party,
        "proposal": world.head(change_key(deal.licence)),
        **changes,
    }


def licence(world: World, deal: Deal) -> Licence:
    return world.state(Licence, deal.licence)


def test_terms_change_when_both_will_it(world: World) -> None:
    deal = finalised_licence(world)
    wider = terms(derivation=True, term_days=400)
    propose(world, deal, deal.buyer, kind="amend", terms=wider)
    assert not licence(world, deal).agreed_offer.terms.derivation
    world.do(deal.provider, "licence.amended@1", **consent(world, deal))
    assert licence(world, deal).agreed_offer.terms.derivation
    assert (licence(world, deal).ends_at or "")[:10] == "2027-02-16"
    assert world.state(Grant, grant_key(deal.product.asset, deal.licence)).derivation


def test_nobody_consents_to_its_own_proposal(world: World) -> None:
    deal = finalised_licence(world)
    propose(world, deal, deal.buyer, kind="amend", terms=terms(derivation=True))
    world.refuses("party.not_concerned", deal.buyer, "licence.amended@1", **consent(world, deal))


def test_a_consent_is_to_one_proposal(world: World) -> None:
    deal = finalised_licence(world)
    propose(world, deal, deal.buyer, kind="amend", terms=terms(derivation=True))
    first = consent(world, deal)
    propose(world, deal, deal.buyer, kind="amend", terms=terms(redistribution=True))
    world.refuses("event.mismatch", deal.provider, "licence.amended@1", **first)
    world.do(deal.provider, "licence.amended@1", **consent(world, deal))
    world.refuses(
        "aggregate.wrong_status", deal.provider, "licence.amended@1", **consent(world, deal)
    )


def test_a_consent_says_what_it_consents_to(world: World) -> None:
    deal = finalised_licence(world)
    propose(world, deal, deal.buyer, kind="dissolve", refund_fen=0)
    world.refuses("event.mismatch", deal.provider, "licence.renewed@1", **consent(world, deal))


def test_strangers_propose_nothing(world: World) -> None:
    deal = finalised_licence(world)
    world.refuses(
        "party.not_concerned",
        world.join(Role.BUYER),
        "licence.dissolution_proposed@1",
        licence=deal.licence,
        refund_fen=0,
    )


def test_a_licence_becomes_exclusive_only_where_it_is_alone(world: World) -> None:
    deal = finalised_licence(world)
    other = finalised_licence(world, steps_market.another(world, deal))
    propose(world, deal, deal.buyer, kind="amend", terms=terms(exclusive=True))
    world.refuses(
        "licence.others_licensed", deal.provider, "licence.amended@1", **consent(world, deal)
    )
    propose(world, other, other.buyer, kind="dissolve", refund_fen=FEE_FEN)
    world.do(other.provider, "licence.dissolved@1", **consent(world, other))
    world.do(deal.provider, "licence.amended@1", **consent(world, deal))
    assert world.state(Asset, deal.product.asset).exclusive_licence == deal.licence


def test_a_term_is_not_cut_to_the_past(world: World) -> None:
    deal = finalised_licence(world)
    world.advance(days=20)
    propose(world, deal, deal.buyer, kind="amend", terms=terms(term_days=10))
    world.refuses("change.term_past", deal.provider, "licence.amended@1", **consent(world, deal))


def test_welfare_does_not_change_in_the_term(world: World) -> None:
    deal = finalised_licence(world)
    scenario = steps_market.welfare_scenario(world, deal.buyer)
    world.refuses(
        "change.welfare_fixed",
        deal.buyer,
        "licence.amendment_proposed@1",
        licence=deal.licence,
        terms=terms(public_welfare=True, scenarios=[scenario]),
    )


def test_a_renewal_adds_days_and_its_fee_is_split_like_the_first(world: World) -> None:
    deal = settled_licence(world)
    propose(world, deal, deal.provider, kind="renew", days=100, fee_fen=50_000)
    world.do(deal.buyer, "licence.renewed@1", **consent(world, deal))
    assert (licence(world, deal).ends_at or "")[:10] == "2027-04-22"
    assert balance_fen(world, deal.licence) == 50_000
    world.do(deal.provider, "escrow.released@1", **release(deal))
    assert balance_fen(world, "fees") == 3_000
    assert_books_balance(world)


def test_an_amended_term_keeps_its_renewals(world: World) -> None:
    deal = settled_licence(world)
    propose(world, deal, deal.provider, kind="renew", days=100, fee_fen=0)
    world.do(deal.buyer, "licence.renewed@1", **consent(world, deal))
    propose(world, deal, deal.provider, kind="amend", terms=terms(term_days=366))
    world.do(deal.buyer, "licence.amended@1", **consent(world, deal))
    assert (licence(world, deal).ends_at or "")[:10] == "2027-04-23"


def test_a_renewal_that_the_buyer_cannot_pay_is_refused(world: World) -> None:
    deal = settled_licence(world)
    propose(world, deal, deal.buyer, kind="renew", days=100, fee_fen=100 * FEE_FEN)
    world.refuses(
        "account.insufficient", deal.provider, "licence.renewed@1", **consent(world, deal)
    )


def test_what_ran_out_is_not_renewed(world: World) -> None:
    deal = settled_licence(world)
    propose(world, deal, deal.buyer, kind="renew", days=100, fee_fen=0)
    world.advance(days=366)
    world.refuses("licence.term_over", deal.provider, "licence.renewed@1", **consent(world, deal))


def test_a_dissolution_divides_the_escrow_as_agreed(world: World) -> None:
    deal = finalised_licence(world)
    propose(world, deal, deal.buyer, kind="dissolve", refund_fen=70_000)
    world.do(deal.provider, "licence.dissolved@1", **consent(world, deal))
    assert licence(world, deal).status == "terminated"
    world.do(deal.provider, "escrow.released@1", **release(deal))
    assert balance_fen(world, deal.buyer.party) == 9 * FEE_FEN + 70_000
    assert balance_fen(world, "fees") == 600
    assert_books_balance(world)


def test_a_dissolution_returns_no_more_than_the_escrow_holds(world: World) -> None:
    deal = settled_licence(world)
    propose(world, deal, deal.buyer, kind="dissolve", refund_fen=1)
    world.refuses(
        "account.insufficient", deal.provider, "licence.dissolved@1", **consent(world, deal)
    )


def marked(world: World, deal: Deal, **changes: Any) -> None:
    """Change the asset as rooms below or above would have left it."""
    held = world.tail.held[deal.product.asset]
    state = world.state(Asset, deal.product.asset).but(**changes)
    world.tail.held[deal.product.asset] = Held(held.seq, held.head, state)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"freezes": ("2026-1",)}, "asset.frozen"),
        ({"grade": "core"}, "gate.core_data"),
    ],
)
def test_an_amendment_keeps_to_what_the_asset_allows_now(
    world: World, changes: dict[str, Any], code: str
) -> None:
    deal = finalised_licence(world)
    propose(world, deal, deal.buyer, kind="amend", terms=terms(derivation=True))
    marked(world, deal, **changes)
    world.refuses(code, deal.provider, "licence.amended@1", **consent(world, deal))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"freezes": ("2026-1",)}, "asset.frozen"),
        ({"grade": "core"}, "gate.core_data"),
        ({"incidents": ("incident_x",)}, "asset.incident_open"),
        ({"holder": "party_x"}, "asset.not_holder"),
    ],
)
def test_a_renewal_keeps_to_what_the_asset_allows_now(
    world: World, changes: dict[str, Any], code: str
) -> None:
    deal = finalised_licence(world)
    propose(world, deal, deal.buyer, kind="renew", days=10, fee_fen=0)
    marked(world, deal, **changes)
    world.refuses(code, deal.provider, "licence.renewed@1", **consent(world, deal))


def test_an_amendment_binds_to_open_scenarios_only(world: World) -> None:
    deal = finalised_licence(world)
    world.refuses(
        "aggregate.not_found",
        deal.buyer,
        "licence.amendment_proposed@1",
        licence=deal.licence,
        terms=terms(scenarios=[new_id("scenario")]),
    )


def test_a_disputed_licence_is_not_dissolved_past_the_dispute(world: World) -> None:
    deal = finalised_licence(world)
    propose(world, deal, deal.buyer, kind="dissolve", refund_fen=0)
    world.do(
        deal.buyer,
        "dispute.opened@1",
        dispute=new_id("dispute"),
        licence=deal.licence,
        grounds="未交付",
        evidence=digest("evidence"),
    )
    world.refuses("escrow.in_dispute", deal.provider, "licence.dissolved@1", **consent(world, deal))


def test_nothing_is_proposed_for_what_ran_out(world: World) -> None:
    deal = finalised_licence(world)
    world.advance(days=366)
    world.refuses(
        "licence.term_over",
        deal.buyer,
        "licence.dissolution_proposed@1",
        licence=deal.licence,
        refund_fen=0,
    )


def test_a_consent_names_the_buyer_and_the_asset(world: World) -> None:
    deal = finalised_licence(world)
    propose(world, deal, deal.buyer, kind="renew", days=10, fee_fen=0)
    for changes in ({"buyer": world.join(Role.BUYER).party}, {"asset": deal.product.source}):
        payload = consent(world, deal, **changes)
        world.refuses("event.mismatch", deal.provider, "licence.renewed@1", **payload)
