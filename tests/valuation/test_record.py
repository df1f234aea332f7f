"""Valuations on the ledger: two methods, current cards, two signers, one year."""

import pytest

from dataexchange.rules import Role
from dataexchange.valuation.card_register import RuleCard
from dataexchange.valuation.record import Valuation
from steps_pipeline import digest, ready_product
from steps_valuation import (
    VALUE_FEN,
    commission,
    drafting,
    issued_valuation,
    method_used,
    published_card,
)
from world import World


@pytest.fixture
def world() -> World:
    return World()


def test_an_issued_valuation_serves_for_a_year_from_its_base_date(world: World) -> None:
    product = ready_product(world)
    valuation, _ = issued_valuation(world, product)
    held = world.state(Valuation, valuation)
    assert (held.status, held.value_fen) == ("issued", VALUE_FEN)
    assert held.valid_until is not None
    assert held.valid_until[:4] == "2027"


def test_a_superseded_card_cannot_price_a_new_valuation(world: World) -> None:
    product = ready_product(world)
    chief, second = world.join(Role.APPRAISER), world.join(Role.APPRAISER)
    valuation = commission(world, product.provider, product, chief)
    draft = drafting(world, valuation, second)
    old = draft["methods"][0]["card"]
    published_card(world, "cost", version="1.1.0", sha256=digest("newer"), supersedes=old)
    assert world.state(RuleCard, old).status == "superseded"
    world.refuses("aggregate.wrong_status", chief, "valuation.drafted@1", **draft)


def test_a_card_is_superseded_by_its_own_method_once(world: World) -> None:
    old = published_card(world, "cost")
    change = {"version": "2.0.0", "name": {"zh": "x"}, "sha256": digest("x"), "supersedes": old}
    world.refuses(
        "card.method_differs",
        world.operator,
        "card.published@1",
        card=old.replace("card_0", "card_1"),
        method="income",
        **change,
    )


def test_the_inputs_of_a_draft_are_checked(world: World) -> None:
    product = ready_product(world)
    chief, second = world.join(Role.APPRAISER), world.join(Role.APPRAISER)
    valuation = commission(world, product.provider, product, chief)
    draft = drafting(world, valuation, second)

    def refused(code: str, **changes: object) -> None:
        world.refuses(code, chief, "valuation.drafted@1", **{**draft, **changes})

    forged = [{**draft["methods"][0], "card_sha256": digest("forged")}, draft["methods"][1]]
    refused("card.hash_differs", methods=forged)
    refused("valuation.too_few_methods", methods=[{**draft["methods"][0], "value_fen": VALUE_FEN}])
    refused("valuation.outside_methods", value_fen=VALUE_FEN * 2)
    refused("valuation.outside_methods", p10_fen=VALUE_FEN + 1)
    refused("valuation.signer_repeated", second=chief.party)
    refused("valuation.not_appraiser", second=product.provider.party)
    world.refuses("party.not_concerned", second, "valuation.drafted@1", **draft)


def test_one_method_needs_its_reason(world: World) -> None:
    product = ready_product(world)
    chief, second = world.join(Role.APPRAISER), world.join(Role.APPRAISER)
    valuation = commission(world, product.provider, product, chief)
    one = [method_used(world, "cost", VALUE_FEN, "1")]
    reason = {"single_method_reason": "无可比交易，且尚无收益"}
    world.do(
        chief, "valuation.drafted@1", **drafting(world, valuation, second, methods=one, **reason)
    )
    assert world.state(Valuation, valuation).status == "drafted"


def test_an_appraiser_is_independent_and_the_base_date_is_past(world: World) -> None:
    product = ready_product(world)
    holder = world.join(Role.APPRAISER, Role.LENDER)
    said = {
        "valuation": product.asset.replace("asset", "valuation"),
        "asset": product.asset,
        "version": 1,
        "appraiser": holder.party,
        "purpose": "质押",
        "base_date": "2026-01-06",
    }
    event = "valuation.commissioned@1"
    world.refuses("valuation.appraiser_not_independent", holder, event, **said)
    future = {**said, "base_date": "2030-01-01"}
    world.refuses("valuation.base_date_in_future", product.provider, event, **future)
    lender = world.join(Role.LENDER)
    not_one = {**said, "appraiser": lender.party}
    world.refuses("valuation.not_appraiser", product.provider, event, **not_one)


def test_signatures_name_exactly_what_was_drafted(world: World) -> None:
    product = ready_product(world)
    chief, second = world.join(Role.APPRAISER), world.join(Role.APPRAISER)
    valuation = commission(world, product.provider, product, chief)
    world.do(chief, "valuation.drafted@1", **drafting(world, valuation, second))
    stale = world.head(valuation)
    world.do(chief, "valuation.drafted@1", **drafting(world, valuation, second, VALUE_FEN * 2))
    event = "valuation.countersigned@1"
    world.refuses("event.mismatch", second, event, valuation=valuation, proposal=stale)
    current = world.head(valuation)
    world.refuses("party.not_concerned", chief, event, valuation=valuation, proposal=current)
    world.refuses(
        "aggregate.wrong_status", chief, "valuation.issued@1", valuation=valuation, proposal=current
    )
    world.do(second, event, valuation=valuation, proposal=current)
    world.refuses(
        "event.mismatch", chief, "valuation.issued@1", valuation=valuation, proposal=stale
    )


def test_parties_agree_on_one_figure_within_the_interval(world: World) -> None:
    product = ready_product(world)
    valuation, chief = issued_valuation(world, product)
    lender, event = world.join(Role.LENDER), "valuation.agreed@1"
    figure = VALUE_FEN * 9 // 10
    world.do(product.provider, event, valuation=valuation, figure_fen=figure)
    world.refuses(
        "valuation.agreed_out_of_range",
        lender,
        event,
        valuation=valuation,
        figure_fen=VALUE_FEN * 2,
    )
    world.refuses(
        "valuation.agreement_differs", lender, event, valuation=valuation, figure_fen=figure + 1
    )
    world.do(lender, event, valuation=valuation, figure_fen=figure)
    assert len(world.state(Valuation, valuation).agreed_by) == 2
    world.do(chief, "valuation.withdrawn@1", valuation=valuation, reason="数据有误")
    world.refuses("aggregate.wrong_status", lender, event, valuation=valuation, figure_fen=figure)


def test_an_expired_valuation_serves_no_one(world: World) -> None:
    product = ready_product(world)
    valuation, _ = issued_valuation(world, product)
    world.advance(days=400)
    world.refuses(
        "valuation.no_longer_valid",
        product.provider,
        "valuation.agreed@1",
        valuation=valuation,
        figure_fen=VALUE_FEN,
    )
