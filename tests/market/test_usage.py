"""Usage is metered without overlap, within the count, and pays what it earned."""

from datetime import timedelta
from typing import Any

import pytest

import steps_market
from dataexchange.ledger.statement import format_time
from dataexchange.market.usage import Meter, meter_key
from dataexchange.rules import Role
from steps_accounts import assert_books_balance, balance_fen
from steps_market import (
    Deal,
    accepted_licence,
    agreed_licence,
    finalised_licence,
    opened_deal,
    refund,
    release,
)
from steps_pipeline import digest
from world import World

CALLS = {"kind": "per_call", "call_fen": 10, "cap_fen": 10_000}
SHARE = {"kind": "revenue_share", "ratio": "0.15", "minimum_fen": 1_000}


@pytest.fixture
def world() -> World:
    return World()


def metered(world: World, **terms: Any) -> Deal:
    """Return a deal by the call, its service accepted."""
    agreed = steps_market.terms(**terms)
    price = {"model": "per_call", "call_fen": 10, "cap_fen": 10_000}
    deal = opened_deal(world, price=price, terms=agreed)
    return accepted_licence(world, finalised_licence(world, deal, charge=CALLS, terms=agreed))


def shared(world: World) -> Deal:
    """Return a deal by the share of revenue, its delivery accepted."""
    price = {"model": "revenue_share", "ratio": "0.15", "minimum_fen": 1_000}
    deal = opened_deal(world, price=price)
    return accepted_licence(world, finalised_licence(world, deal, charge=SHARE))


def report(world: World, deal: Deal, **counted: int) -> dict[str, Any]:
    """Let a day pass and return a report on it."""
    world.advance(days=1)
    through = format_time(world.now - timedelta(seconds=1))
    return {"licence": deal.licence, "through": through, "evidence": digest("log"), **counted}


def expire(world: World, deal: Deal) -> None:
    payload = {"licence": deal.licence, "asset": deal.product.asset}
    world.do(deal.provider, "licence.expired@1", **payload)


def test_calls_add_up_and_pay(world: World) -> None:
    deal = metered(world)
    for calls in (30, 70):
        world.do(deal.provider, "usage.reported@1", **report(world, deal, calls=calls))
    assert world.state(Meter, meter_key(deal.licence)).calls == 100
    world.do(deal.provider, "escrow.released@1", **release(deal))
    assert balance_fen(world, deal.licence) == 9_000
    world.refuses("escrow.nothing_due", deal.provider, "escrow.released@1", **release(deal))
    world.do(deal.provider, "usage.reported@1", **report(world, deal, calls=50))
    world.do(deal.buyer, "escrow.released@1", **release(deal))
    assert balance_fen(world, deal.licence) == 8_500
    assert_books_balance(world)


def test_calls_beyond_the_cap_are_served_free(world: World) -> None:
    deal = metered(world)
    world.do(deal.provider, "usage.reported@1", **report(world, deal, calls=2_000))
    world.do(deal.provider, "escrow.released@1", **release(deal))
    assert balance_fen(world, deal.licence) == 0
    assert_books_balance(world)


def test_more_calls_than_licensed_are_refused(world: World) -> None:
    deal = metered(world, count_max=100)
    world.do(deal.provider, "usage.reported@1", **report(world, deal, calls=100))
    payload = report(world, deal, calls=1)
    world.refuses("usage.count_exceeded", deal.provider, "usage.reported@1", **payload)


def test_a_period_is_reported_once(world: World) -> None:
    deal = metered(world)
    payload = report(world, deal, calls=10)
    world.do(deal.provider, "usage.reported@1", **payload)
    world.refuses("usage.period_unfit", deal.provider, "usage.reported@1", **payload)


def test_the_future_and_the_time_before_are_not_reported(world: World) -> None:
    deal = metered(world)
    for days in (1, -60):
        through = format_time(world.now + timedelta(days=days))
        payload = {**report(world, deal, calls=1), "through": through}
        world.advance(days=-1)
        world.refuses("usage.period_unfit", deal.provider, "usage.reported@1", **payload)


def test_only_the_provider_counts_calls(world: World) -> None:
    deal = metered(world)
    world.refuses("role.missing", deal.buyer, "usage.reported@1", **report(world, deal, calls=1))


def test_after_the_end_the_last_report_comes_before_the_refund(world: World) -> None:
    deal = metered(world, term_days=10)
    world.advance(days=11)
    expire(world, deal)
    world.refuses("escrow.nothing_to_refund", deal.buyer, "escrow.refunded@1", **refund(deal))
    late = {**report(world, deal, calls=100)}
    world.refuses("usage.period_unfit", deal.provider, "usage.reported@1", **late)
    through = format_time(world.now - timedelta(days=3))
    world.do(deal.provider, "usage.reported@1", **{**late, "through": through})
    world.advance(days=8)
    world.do(deal.buyer, "escrow.refunded@1", **refund(deal))
    assert balance_fen(world, deal.licence) == 1_000
    world.do(deal.provider, "escrow.released@1", **release(deal))
    assert balance_fen(world, deal.licence) == 0
    assert_books_balance(world)


def test_the_minimum_counts_towards_the_share(world: World) -> None:
    deal = shared(world)
    world.do(deal.buyer, "revenue.reported@1", **report(world, deal, revenue_fen=5_000))
    assert balance_fen(world, deal.licence) == 1_000
    world.do(deal.buyer, "revenue.reported@1", **report(world, deal, revenue_fen=5_003))
    assert balance_fen(world, deal.licence) == 1_500  # 15 % of 100.03 yuan, rounded half up
    world.do(deal.provider, "escrow.released@1", **release(deal))
    assert balance_fen(world, deal.licence) == 0
    assert_books_balance(world)


def test_revenue_is_reported_where_it_is_shared(world: World) -> None:
    deal = metered(world)
    world.refuses(
        "usage.no_revenue_share",
        deal.buyer,
        "revenue.reported@1",
        **report(world, deal, revenue_fen=1),
    )


def test_a_share_that_the_buyer_cannot_pay_is_refused(world: World) -> None:
    deal = shared(world)
    payload = report(world, deal, revenue_fen=10**9)
    world.refuses("account.insufficient", deal.buyer, "revenue.reported@1", **payload)


def test_strangers_report_nothing(world: World) -> None:
    deal, by_share = metered(world), shared(world)
    stranger = world.join(Role.BUYER, Role.PROVIDER)
    payload = report(world, deal, calls=1)
    world.refuses("party.not_concerned", stranger, "usage.reported@1", **payload)
    payload = report(world, by_share, revenue_fen=1)
    world.refuses("party.not_concerned", stranger, "revenue.reported@1", **payload)


def test_nothing_is_used_before_the_licence_is_in_force(world: World) -> None:
    deal = agreed_licence(world)
    payload = report(world, deal, calls=1)
    world.refuses("aggregate.wrong_status", deal.provider, "usage.reported@1", **payload)
