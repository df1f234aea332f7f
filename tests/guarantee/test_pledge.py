"""Pledges from the draft to the draw, and what stands in their way."""

import pytest

from dataexchange.asset.title import Asset
from dataexchange.client.typeid import new_id
from dataexchange.guarantee.pledge import Pledge
from dataexchange.rules import Role
from steps_accounts import assert_books_balance, balance_fen, fund
from steps_guarantee import (
    PRINCIPAL_FEN,
    active_pledge,
    drawing,
    registered_pledge,
    registration,
    signed_pledge,
    terms,
    valued_pledge,
)
from steps_pipeline import governed_resource, government, ready_product, staff
from steps_valuation import VALUE_FEN, issued_valuation
from world import World


@pytest.fixture
def world() -> World:
    return World()


def test_an_active_pledge_is_a_lien_and_the_loan_is_paid_out(world: World) -> None:
    pledged = active_pledge(world)
    pledge = world.state(Pledge, pledged.pledge)
    (lien,) = world.state(Asset, pledged.product.asset).liens
    assert (pledge.status, pledge.debt_fen, pledge.in_rem) == ("ACTIVE", PRINCIPAL_FEN, False)
    assert (lien.by, lien.holder) == (pledge.id, pledged.lender.party)
    assert balance_fen(world, pledged.pledgor.party) == PRINCIPAL_FEN
    assert_books_balance(world)


def test_a_second_pledge_beyond_the_value_is_refused(world: World) -> None:
    first = active_pledge(world)
    lender = world.join(Role.LENDER)
    second = terms(first.product, lender)
    world.do(first.pledgor, "pledge.drafted@1", **second)
    named = {"asset": first.product.asset, "valuation": first.valuation}
    refused = world.refuses(
        "pledge.ltv_exceeded", first.appraiser, "pledge.valued@1", pledge=second["pledge"], **named
    )
    assert refused.facts["ceiling_fen"] == VALUE_FEN // 2


def test_a_second_pledge_that_fits_takes_the_next_place(world: World) -> None:
    product = ready_product(world)
    small = {"principal_fen": VALUE_FEN // 5, "secured_fen": VALUE_FEN // 5}
    registered_pledge(world, product, **small)
    registered_pledge(world, product, **small)
    first, second = world.state(Asset, product.asset).liens
    assert first.registered_index < second.registered_index
    over = signed_refused(world, product)
    assert over == "pledge.ltv_exceeded"


def signed_refused(world: World, product: object) -> str:
    from dataexchange.errors import RefusedError

    with pytest.raises(RefusedError) as caught:
        signed_pledge(world, product)  # type: ignore[arg-type]
    return caught.value.code


def test_a_public_body_gives_no_security(world: World) -> None:
    resource = governed_resource(world, government(world))
    said = terms(resource, world.join(Role.LENDER))
    world.refuses("pledge.public_body", resource.provider, "pledge.drafted@1", **said)


def test_a_draft_names_the_holders_asset_a_lender_and_an_allowed_ratio(world: World) -> None:
    product, lender = ready_product(world), world.join(Role.LENDER)
    other = world.join(Role.PROVIDER)
    event = "pledge.drafted@1"
    world.refuses("asset.not_holder", other, event, **terms(product, lender))
    world.refuses("pledge.lender_unfit", product.provider, event, **terms(product, other))
    said = terms(product, lender, loan_to_value_max="0.6")
    world.refuses("pledge.ltv_above_policy", product.provider, event, **said)


def test_both_sides_sign_the_same_terms_once(world: World) -> None:
    pledged, event = valued_pledge(world), "pledge.signed@1"
    proposal = world.head(pledged.pledge)
    stranger = world.join(Role.LENDER)
    named = {"pledge": pledged.pledge, "proposal": proposal}
    world.refuses("party.not_concerned", stranger, event, **named)
    world.refuses("event.mismatch", pledged.lender, event, **{**named, "proposal": "0" * 64})
    world.do(pledged.pledgor, event, **named)
    world.refuses("pledge.already_signed", pledged.pledgor, event, **named)
    world.do(pledged.lender, event, **named)
    assert world.state(Pledge, pledged.pledge).status == "SIGNED"


def test_a_valuation_after_one_signature_needs_both_again(world: World) -> None:
    pledged = valued_pledge(world)
    old = world.head(pledged.pledge)
    world.do(pledged.pledgor, "pledge.signed@1", pledge=pledged.pledge, proposal=old)
    world.do(
        pledged.appraiser,
        "pledge.valued@1",
        pledge=pledged.pledge,
        asset=pledged.product.asset,
        valuation=pledged.valuation,
    )
    assert world.state(Pledge, pledged.pledge).signed_by == ()
    named = {"pledge": pledged.pledge, "proposal": old}
    world.refuses("event.mismatch", pledged.lender, "pledge.signed@1", **named)


def test_only_a_registered_right_of_the_pledgor_is_registered_as_pledged(world: World) -> None:
    product = ready_product(world, registered=False)
    pledged = signed_pledge(world, product)
    event, said = "pledge.registered@1", registration(pledged)
    world.refuses("pledge.no_right_registered", pledged.registrar, event, **said)
    world.refuses("role.missing", pledged.lender, event, **said)


def test_the_asset_that_is_named_is_the_one_that_is_pledged(world: World) -> None:
    pledged, other = signed_pledge(world), ready_product(world)
    said = {**registration(pledged), "asset": other.asset}
    world.refuses("event.mismatch", pledged.registrar, "pledge.registered@1", **said)


def test_a_valuation_of_another_asset_is_refused(world: World) -> None:
    pledged, other = valued_pledge(world), ready_product(world)
    valuation, appraiser = issued_valuation(world, other)
    said = {"pledge": pledged.pledge, "asset": pledged.product.asset, "valuation": valuation}
    world.refuses("event.mismatch", appraiser, "pledge.valued@1", **said)


def test_no_loan_is_drawn_on_an_expired_appraisal_or_without_money(world: World) -> None:
    pledged, event = registered_pledge(world), "pledge.drawn@1"
    world.refuses("account.insufficient", pledged.lender, event, **drawing(pledged))
    fund(world, pledged.lender, PRINCIPAL_FEN)
    world.refuses("role.missing", pledged.pledgor, event, **drawing(pledged))
    other = world.join(Role.LENDER)
    world.refuses("party.not_concerned", other, event, **drawing(pledged))
    world.advance(days=380)
    world.refuses("valuation.no_longer_valid", pledged.lender, event, **drawing(pledged))


def test_a_pledge_is_cancelled_before_registration_only(world: World) -> None:
    pledged = signed_pledge(world)
    said = {"pledge": pledged.pledge, "reason": "另行融资"}
    stranger = world.join(Role.LENDER)
    world.refuses("party.not_concerned", stranger, "pledge.cancelled@1", **said)
    world.do(pledged.lender, "pledge.cancelled@1", **said)
    event = "pledge.registered@1"
    world.refuses("aggregate.wrong_status", pledged.registrar, event, **registration(pledged))
    later = registered_pledge(world)
    said = {"pledge": later.pledge, "reason": "另行融资"}
    world.refuses("aggregate.wrong_status", later.lender, "pledge.cancelled@1", **said)


def test_a_pledge_that_does_not_exist_is_not_found(world: World) -> None:
    lender = staff(world, Role.LENDER)
    said = {"pledge": new_id("pledge"), "reason": "x"}
    world.refuses("aggregate.not_found", lender, "pledge.cancelled@1", **said)
