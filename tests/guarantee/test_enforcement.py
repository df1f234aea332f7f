"""Pledges after the draw: interest, calls, cures, default, the sale, and the release."""

import pytest

from dataexchange.asset.title import Asset
from dataexchange.guarantee.pledge import Pledge
from dataexchange.rules import Role
from steps_accounts import assert_books_balance, balance_fen, fund
from steps_guarantee import PRINCIPAL_FEN, Pledged, active_pledge, revalue, signed_pledge
from steps_valuation import VALUE_FEN
from world import World


@pytest.fixture
def world() -> World:
    return World()


def repayment(pledged: Pledged, amount_fen: int) -> dict[str, object]:
    return {
        "pledge": pledged.pledge,
        "asset": pledged.product.asset,
        "lender": pledged.lender.party,
        "amount_fen": amount_fen,
    }


def defaulted_pledge(world: World) -> Pledged:
    pledged = active_pledge(world)
    world.advance(days=366)
    world.do(pledged.lender, "pledge.defaulted@1", pledge=pledged.pledge)
    return pledged


def sale(pledged: Pledged, proceeds_fen: int) -> dict[str, object]:
    return {
        "pledge": pledged.pledge,
        "asset": pledged.product.asset,
        "pledgor": pledged.pledgor.party,
        "liens": [{"pledge": pledged.pledge, "lender": pledged.lender.party}],
        "proceeds_fen": proceeds_fen,
    }


def begin(world: World, pledged: Pledged, **changes: object) -> None:
    said = {"mode": "auction", "reference": "PM-1", "reserve_fen": 100, "costs_fen": 1_000_00}
    world.do(
        pledged.lender,
        "pledge.realisation_begun@1",
        **{"pledge": pledged.pledge, **said, **changes},
    )


def test_interest_is_paid_before_principal(world: World) -> None:
    pledged = active_pledge(world)
    world.advance(days=365)
    interest = 1_740_000  # 4.35 % of 40,000,000 分 for a year, and a few seconds
    world.do(pledged.pledgor, "pledge.repaid@1", **repayment(pledged, 2_000_000))
    debt = world.state(Pledge, pledged.pledge).debt_fen
    assert debt == pytest.approx(PRINCIPAL_FEN + interest - 2_000_000, abs=10)
    assert_books_balance(world)


def test_nobody_pays_more_than_is_owed(world: World) -> None:
    pledged = active_pledge(world)
    fund(world, pledged.pledgor, PRINCIPAL_FEN)
    said = repayment(pledged, PRINCIPAL_FEN + 1_000)
    world.refuses("pledge.overpaid", pledged.pledgor, "pledge.repaid@1", **said)


def test_a_paid_debt_releases_the_asset(world: World) -> None:
    pledged = active_pledge(world)
    release = {"pledge": pledged.pledge, "asset": pledged.product.asset}
    world.refuses("pledge.debt_left", pledged.lender, "pledge.released@1", **release)
    world.do(pledged.pledgor, "pledge.repaid@1", **repayment(pledged, PRINCIPAL_FEN))
    debt = world.state(Pledge, pledged.pledge).debt_fen
    if debt:
        fund(world, pledged.pledgor, debt)
        world.do(pledged.pledgor, "pledge.repaid@1", **repayment(pledged, debt))
    world.do(pledged.lender, "pledge.released@1", **release)
    assert world.state(Asset, pledged.product.asset).liens == ()
    assert world.state(Pledge, pledged.pledge).status == "RELEASED"


def test_a_fall_in_value_calls_for_margin_and_a_payment_cures_it(world: World) -> None:
    pledged = active_pledge(world)
    call = {"pledge": pledged.pledge}
    world.refuses("pledge.no_call_due", pledged.lender, "pledge.margin_called@1", **call)
    revalue(world, pledged, VALUE_FEN * 85 // 100)
    world.refuses("pledge.no_call_due", pledged.lender, "pledge.margin_called@1", **call)
    revalue(world, pledged, VALUE_FEN * 76 // 100)
    world.do(pledged.lender, "pledge.margin_called@1", **call)
    assert world.state(Pledge, pledged.pledge).status == "MARGIN_CALL"
    world.refuses("pledge.cure_not_expired", pledged.lender, "pledge.defaulted@1", **call)
    revalue(world, pledged, VALUE_FEN)
    assert world.state(Pledge, pledged.pledge).status == "ACTIVE"


def test_a_call_that_is_not_cured_in_time_is_a_default(world: World) -> None:
    pledged = active_pledge(world)
    revalue(world, pledged, VALUE_FEN * 60 // 100)
    call = {"pledge": pledged.pledge}
    world.do(pledged.lender, "pledge.margin_called@1", **call)
    world.advance(days=12)
    world.do(pledged.lender, "pledge.defaulted@1", **call)
    assert world.state(Pledge, pledged.pledge).status == "DEFAULTED"


def test_the_price_pays_costs_then_the_lender_and_the_rest_goes_back(world: World) -> None:
    pledged = defaulted_pledge(world)
    begin(world, pledged)
    purchaser, price = world.join(Role.BUYER), VALUE_FEN
    fund(world, purchaser, price)
    before = balance_fen(world, pledged.pledgor.party), balance_fen(world, pledged.lender.party)
    debt = world.state(Pledge, pledged.pledge).debt_fen
    world.do(purchaser, "pledge.realised@1", **sale(pledged, price))
    got = balance_fen(world, pledged.lender.party) - before[1]
    rest = balance_fen(world, pledged.pledgor.party) - before[0]
    assert got > debt + 1_000_00
    assert got + rest == price
    asset = world.state(Asset, pledged.product.asset)
    assert (asset.holder, asset.liens) == (purchaser.party, ())
    assert world.state(Pledge, pledged.pledge).debt_fen == 0
    assert_books_balance(world)


def test_a_forfeiture_clause_never_moves_the_title(world: World) -> None:
    pledged = active_pledge(world, forfeiture_clause=True)
    world.advance(days=366)
    world.do(pledged.lender, "pledge.defaulted@1", pledge=pledged.pledge)
    begin(world, pledged)
    said = sale(pledged, PRINCIPAL_FEN)
    world.refuses("pledge.no_forfeiture", pledged.lender, "pledge.realised@1", **said)


def test_a_sale_names_every_lien_and_keeps_to_the_reserve(world: World) -> None:
    pledged = defaulted_pledge(world)
    begin(world, pledged, reserve_fen=VALUE_FEN // 2)
    purchaser = world.join(Role.BUYER)
    fund(world, purchaser, VALUE_FEN)
    event = "pledge.realised@1"
    world.refuses("pledge.below_reserve", purchaser, event, **sale(pledged, VALUE_FEN // 3))
    wrong = {**sale(pledged, VALUE_FEN)}
    wrong["liens"] = [{"pledge": pledged.pledge, "lender": purchaser.party}]
    world.refuses("event.mismatch", purchaser, event, **wrong)


def test_default_waits_for_the_due_day(world: World) -> None:
    pledged = active_pledge(world)
    call = {"pledge": pledged.pledge}
    world.refuses("pledge.cure_not_expired", pledged.lender, "pledge.defaulted@1", **call)
    other = world.join(Role.LENDER)
    world.refuses("party.not_concerned", other, "pledge.defaulted@1", **call)


def test_a_signed_pledge_that_nobody_registered_lapses(world: World) -> None:
    pledged = signed_pledge(world)
    said = {"pledge": pledged.pledge, "reason": "未登记"}
    world.do(world.operator, "pledge.lapsed@1", **said)
    world.refuses("aggregate.wrong_status", world.operator, "pledge.lapsed@1", **said)
