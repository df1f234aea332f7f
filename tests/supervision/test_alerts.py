"""Alert rules: for each a story that raises it, with its entries, and one like it that does not."""

import json
from datetime import timedelta
from typing import Any

import pytest

import steps_insurance
import steps_pipeline as steps
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.identity.party import PartyKind
from dataexchange.ledger.statement import format_time
from dataexchange.rules import Role
from dataexchange.supervision.alert import AlertKind, AlertRaised
from dataexchange.supervision.alerts import RULES, find_all, misnamed, unraised
from dataexchange.supervision.finding import _SAID
from steps_accounts import fund
from steps_guarantee import active_pledge, defaulted_pledge, registered_pledge, terms
from steps_market import (
    FIXED,
    LUMP,
    Deal,
    finalised_licence,
    funded_buyer,
    opened_deal,
    proposed_transfer,
)
from steps_supervision import (
    alert,
    assigned_duty,
    confirmation,
    events_of,
    findings,
    records,
    report_duty,
)
from steps_valuation import VALUE_FEN, issued_valuation
from world import World


@pytest.fixture
def world() -> World:
    return World()


def transferred(world: World, product: steps.Ready, to: Actor, price_fen: int) -> steps.Ready:
    """Sell the title of `product`; return it in its new holder's hands."""
    if price_fen:
        fund(world, to, price_fen)
    transfer = proposed_transfer(world, product, to, price_fen)
    world.do(
        to,
        "title.transferred@1",
        transfer=transfer,
        asset=product.asset,
        holder=product.provider.party,
        proposal=world.head(transfer),
    )
    return steps.Ready(**{**vars(product), "provider": to})


def grouped(world: World, *parties: Actor) -> None:
    group = new_id("group")
    for party in parties:
        named = {"party": party.party, "group": group, "evidence": "GS-1"}
        world.do(world.regulator, "party.grouped@1", **named)


def expensive(world: World, fee_fen: int) -> Deal:
    """Return a licence in force of a valued product at `fee_fen`."""
    product = steps.ready_product(world)
    issued_valuation(world, product)
    deal = opened_deal(
        world, product, funded_buyer(world, fee_fen), price={**FIXED, "fee_fen": fee_fen}
    )
    return finalised_licence(world, deal, charge={**LUMP, "fee_fen": fee_fen})


@pytest.mark.parametrize("price_fen", [0, VALUE_FEN // 2 - 1, VALUE_FEN * 3 // 2 + 1])
def test_title_sold_far_from_its_value_is_found(world: World, price_fen: int) -> None:
    product = steps.ready_product(world)
    issued_valuation(world, product)
    transferred(world, product, world.join(Role.PROVIDER), price_fen)
    (one,) = findings(world, AlertKind.PRICE_FAR_FROM_VALUE)
    assert events_of(world, one) == [
        "valuation.drafted@1",
        "valuation.issued@1",
        "title.transfer_proposed@1",
        "title.transferred@1",
    ]
    assert str(price_fen) in one.said.zh
    assert str(price_fen) in (one.said.en or "")


@pytest.mark.parametrize("price_fen", [VALUE_FEN // 2, VALUE_FEN, VALUE_FEN * 3 // 2])
def test_title_sold_near_its_value_is_not(world: World, price_fen: int) -> None:
    product = steps.ready_product(world)
    issued_valuation(world, product)
    transferred(world, product, world.join(Role.PROVIDER), price_fen)
    assert not findings(world, AlertKind.PRICE_FAR_FROM_VALUE)


def test_a_price_is_compared_with_a_valuation_in_force_only(world: World) -> None:
    product = steps.ready_product(world)
    first = transferred(world, product, world.join(Role.PROVIDER), 0)
    issued_valuation(world, first)
    world.advance(days=400)
    transferred(world, first, world.join(Role.PROVIDER), 0)
    assert not findings(world, AlertKind.PRICE_FAR_FROM_VALUE)


def test_a_valuation_withdrawn_before_the_deal_is_no_measure_of_it(world: World) -> None:
    product = steps.ready_product(world)
    valuation, appraiser = issued_valuation(world, product)
    second, _ = issued_valuation(world, product, VALUE_FEN * 3)
    world.do(appraiser, "valuation.withdrawn@1", valuation=valuation, reason="更正")
    transferred(world, product, world.join(Role.PROVIDER), VALUE_FEN)
    (one,) = findings(world, AlertKind.PRICE_FAR_FROM_VALUE)
    assert one.facts["value_fen"] == VALUE_FEN * 3
    assert records(world)[one.entries[1]].payload["valuation"] == second


def test_a_licence_dearer_than_the_whole_asset_is_found(world: World) -> None:
    deal = expensive(world, VALUE_FEN * 3 // 2 + 1)
    (one,) = findings(world, AlertKind.PRICE_FAR_FROM_VALUE)
    assert one.subject == deal.licence
    assert events_of(world, one)[-1] == "licence.finalised@1"


def test_a_licence_cheaper_than_the_asset_is_not(world: World) -> None:
    expensive(world, VALUE_FEN // 100)
    assert not findings(world, AlertKind.PRICE_FAR_FROM_VALUE)


def test_a_deal_within_a_group_is_found_with_the_entries_that_grouped_it(world: World) -> None:
    deal = finalised_licence(world)
    assert not findings(world, AlertKind.WASH_TRADE)
    grouped(world, deal.provider, deal.buyer)
    (one,) = findings(world, AlertKind.WASH_TRADE)
    assert events_of(world, one) == ["licence.finalised@1", *["party.grouped@1"] * 2]


def test_a_deal_between_two_groups_is_not(world: World) -> None:
    deal = finalised_licence(world)
    grouped(world, deal.provider)
    grouped(world, deal.buyer)
    assert not findings(world, AlertKind.WASH_TRADE)


def test_title_that_comes_back_within_a_year_is_found(world: World) -> None:
    product, other = steps.ready_product(world), world.join(Role.PROVIDER)
    away = transferred(world, product, other, 1_000)
    assert not findings(world, AlertKind.WASH_TRADE)
    transferred(world, away, product.provider, 2_000)
    (one,) = findings(world, AlertKind.WASH_TRADE)
    assert len(one.entries) == 4


def test_title_that_comes_back_later_is_not(world: World) -> None:
    product, other = steps.ready_product(world), world.join(Role.PROVIDER)
    away = transferred(world, product, other, 1_000)
    world.advance(days=366)
    transferred(world, away, product.provider, 2_000)
    assert not findings(world, AlertKind.WASH_TRADE)


def test_a_second_pledge_is_found_while_the_first_stands(world: World) -> None:
    pledged = registered_pledge(world)
    assert not findings(world, AlertKind.SECOND_PLEDGE)
    said = terms(pledged.product, world.join(Role.LENDER))
    world.do(pledged.pledgor, "pledge.drafted@1", **said)
    (one,) = findings(world, AlertKind.SECOND_PLEDGE)
    assert events_of(world, one) == ["pledge.registered@1", "pledge.drafted@1"]
    assert one.facts == {"first": pledged.pledge, "second": said["pledge"]}


def test_more_of_the_same_lender_or_after_the_release_is_no_second_pledge(world: World) -> None:
    pledged = registered_pledge(world)
    world.do(pledged.pledgor, "pledge.drafted@1", **terms(pledged.product, pledged.lender))
    released = {"pledge": pledged.pledge, "asset": pledged.product.asset}
    world.do(pledged.lender, "pledge.released@1", **released)
    said = terms(pledged.product, world.join(Role.LENDER))
    world.do(pledged.pledgor, "pledge.drafted@1", **said)
    assert not findings(world, AlertKind.SECOND_PLEDGE)


def test_an_asset_is_over_pledged_once_its_value_falls(world: World) -> None:
    pledged = active_pledge(world)
    assert not findings(world, AlertKind.OVER_PLEDGED)
    issued_valuation(world, pledged.product, VALUE_FEN // 2)
    (one,) = findings(world, AlertKind.OVER_PLEDGED)
    assert events_of(world, one)[0] == "pledge.registered@1"
    assert one.facts["ceiling_fen"] == VALUE_FEN // 4


def test_an_asset_whose_valuation_ran_out_secures_more_than_anyone_knows(world: World) -> None:
    pledged = active_pledge(world)
    world.advance(days=400)
    world.join(Role.BUYER)
    (one,) = findings(world, AlertKind.OVER_PLEDGED)
    assert (one.subject, one.facts["ceiling_fen"]) == (pledged.product.asset, 0)


def next_version(world: World, resource: steps.Resource, number: int = 2) -> None:
    content = steps.content(number)
    named = {"asset": resource.asset, "number": number, "content": content}
    world.do(resource.provider, "resource.version_added@1", **named)


def test_a_version_that_waits_too_long_for_its_assessment_is_found(world: World) -> None:
    resource = steps.governed_resource(world)
    next_version(world, resource)
    world.advance(days=29)
    world.join(Role.BUYER)
    assert not findings(world, AlertKind.STALE_QUALITY)
    world.advance(days=2)
    world.join(Role.BUYER)
    (one,) = findings(world, AlertKind.STALE_QUALITY)
    assert events_of(world, one) == ["quality.assessed@1", "resource.version_added@1"]
    assert (one.facts["version"], one.facts["assessed"]) == (2, 1)
    steps.assess(world, resource.asset, 2)
    assert not findings(world, AlertKind.STALE_QUALITY)


def test_a_product_behind_its_source_is_found_after_a_while(world: World) -> None:
    source = steps.opened_resource(world)
    product, _ = steps.developed_product(world, [source])
    next_version(world, source)
    world.advance(days=29)
    world.join(Role.BUYER)
    assert not findings(world, AlertKind.STALE_PRODUCT)
    world.advance(days=2)
    next_version(world, source, 3)
    (one,) = findings(world, AlertKind.STALE_PRODUCT)
    assert one.subject == product.asset
    assert events_of(world, one) == ["product.developed@1", "resource.version_added@1"]
    remade = {
        "asset": product.asset,
        "number": 2,
        "sources": [{**steps.source(source), "version": 3}],
        "content": steps.content(9),
    }
    steps.assess(world, source.asset, 3)
    world.do(product.provider, "product.version_added@1", **remade)
    world.advance(days=31)
    world.join(Role.BUYER)
    assert not findings(world, AlertKind.STALE_PRODUCT)


def planned(world: World, resource: steps.Resource) -> dict[str, Any]:
    """Plan an opening by the end of January; return how it is fulfilled."""
    plan = {"plan": new_id("plan"), "asset": resource.asset, "opening": "unconditional"}
    world.do(resource.provider, "opening.planned@1", **plan, by="2026-01-31")
    return {**plan, "version": resource.version}


def test_a_missed_opening_plan_is_found_and_stays_found(world: World) -> None:
    resource = steps.governed_resource(world)
    opening = planned(world, resource)
    world.advance(days=28)
    world.join(Role.BUYER)
    (one,) = findings(world, AlertKind.OPENING_PLAN_MISSED)
    assert events_of(world, one) == ["opening.planned@1"]
    world.do(resource.provider, "opening.published@1", **opening)
    assert findings(world, AlertKind.OPENING_PLAN_MISSED) == [one]


def test_a_plan_fulfilled_in_time_is_not(world: World) -> None:
    resource = steps.governed_resource(world)
    world.do(resource.provider, "opening.published@1", **planned(world, resource))
    world.advance(days=28)
    world.join(Role.BUYER)
    assert not findings(world, AlertKind.OPENING_PLAN_MISSED)


def test_a_claim_assessed_too_late_is_found_before_and_after(world: World) -> None:
    claimed = steps_insurance.reserved_claim(world, steps_insurance.cover_in_force(world))
    assert not findings(world, AlertKind.CLAIM_CLOCK_MISSED)
    world.advance(days=32)
    world.join(Role.BUYER)
    (one,) = findings(world, AlertKind.CLAIM_CLOCK_MISSED)
    assert events_of(world, one) == ["claim.documented@1"]
    said = claimed.assessment(VALUE_FEN // 4)
    world.do(claimed.covered.insurer.first, "claim.assessed@1", **said)
    assert findings(world, AlertKind.CLAIM_CLOCK_MISSED) == [one]


def test_a_claim_paid_too_late_is_found_and_one_in_time_is_not(world: World) -> None:
    claimed = steps_insurance.assessed_claim(world, steps_insurance.cover_in_force(world))
    named = {"claim": claimed.claim, "proposal": world.head(claimed.claim)}
    world.do(claimed.covered.policyholder, "claim.agreed@1", **named)
    world.advance(days=9)
    world.join(Role.BUYER)
    assert not findings(world, AlertKind.CLAIM_CLOCK_MISSED)
    world.advance(days=3)
    world.do(claimed.covered.insurer.second, "claim.paid@1", **claimed.payment)
    (one,) = findings(world, AlertKind.CLAIM_CLOCK_MISSED)
    assert events_of(world, one) == ["claim.agreed@1"]


def test_a_request_to_share_that_nobody_answers_is_found(world: World) -> None:
    resource = steps.governed_resource(world)
    said = {
        "share": new_id("share"),
        "asset": resource.asset,
        "government_level": "city",
        "legal_basis": "道路交通安全法",
        "purpose": "事故处置",
    }
    body = world.join(Role.BUYER, kind=PartyKind.PUBLIC_INSTITUTION)
    world.do(body, "share.requested@1", **said)
    world.advance(days=13)
    world.join(Role.BUYER)
    assert not findings(world, AlertKind.SHARE_CLOCK_MISSED)
    world.advance(days=2)
    world.join(Role.BUYER)
    (one,) = findings(world, AlertKind.SHARE_CLOCK_MISSED)
    assert events_of(world, one) == ["share.requested@1"]
    answer = {"share": said["share"], "asset": resource.asset, "version": 1}
    until = format_time(world.now + timedelta(days=9))
    world.do(resource.provider, "share.approved@1", **answer, until=until)
    assert findings(world, AlertKind.SHARE_CLOCK_MISSED) == [one]


def test_an_error_that_nobody_mends_is_found(world: World) -> None:
    resource = steps.registered_resource(world)
    said = {"correction": new_id("correction"), "asset": resource.asset, "version": 1}
    world.do(world.join(Role.BUYER), "data.error_reported@1", **said, description="车速为负")
    world.join(Role.BUYER)
    assert not findings(world, AlertKind.CORRECTION_CLOCK_MISSED)
    world.advance(days=16)
    world.join(Role.BUYER)
    (one,) = findings(world, AlertKind.CORRECTION_CLOCK_MISSED)
    assert events_of(world, one) == ["data.error_reported@1"]


def test_an_overdue_duty_is_found_and_one_reported_in_time_is_not(world: World) -> None:
    owner = world.join(Role.PROVIDER)
    kept, missed = assigned_duty(world, owner), assigned_duty(world, owner)
    report_duty(world, owner, kept)
    world.do(world.regulator, "duty.accepted@1", **confirmation(world, kept))
    world.advance(days=12)
    world.join(Role.BUYER)
    (one,) = findings(world, AlertKind.DUTY_OVERDUE)
    assert (one.subject, events_of(world, one)) == (missed, ["duty.assigned@1"])


def test_a_finding_that_is_on_record_is_not_offered_again(world: World) -> None:
    assigned_duty(world, world.join(Role.PROVIDER))
    world.advance(days=12)
    world.join(Role.BUYER)
    (one,) = unraised(find_all(records(world), world.held_states()), world.held_states())
    raised = alert(world, one.subject, *one.entries, kind=one.kind)
    world.do(world.regulator, "alert.raised@1", **raised)
    assert not unraised(find_all(records(world), world.held_states()), world.held_states())


def test_an_alert_that_names_an_entry_by_a_wrong_leaf_is_told(world: World) -> None:
    owner = world.join(Role.PROVIDER)
    raised = alert(world, owner.party, 1, 2)
    payload = AlertRaised.model_validate_json(json.dumps(raised), strict=True)
    leaves = [one.leaf.hex() for one in world.entries]
    assert misnamed(payload, leaves.__getitem__) == []
    leaves[2] = leaves[1]
    assert misnamed(payload, leaves.__getitem__) == [2]


def test_a_quiet_log_raises_nothing(world: World) -> None:
    assert find_all([], {}) == []
    active_pledge(world)
    finalised_licence(world)
    assert find_all(records(world), world.held_states()) == []


def test_every_kind_that_a_rule_can_find_is_said_in_both_languages(world: World) -> None:
    assert set(_SAID) == set(AlertKind) - {AlertKind.OTHER}
    defaulted_pledge(world)
    world.advance(days=400)
    world.join(Role.BUYER)
    for one in find_all(records(world), world.held_states()):
        assert "{" not in one.said.zh + (one.said.en or "{")
    assert len(RULES) >= len(_SAID)
