"""Policies cancelled, rescinded, closed: who may, until when, and what comes back."""

from datetime import timedelta

import pytest

from dataexchange.errors import RefusedError
from dataexchange.insurance.cover import Cover
from dataexchange.ledger.statement import format_time
from dataexchange.rules import Role
from steps_accounts import assert_books_balance, balance_fen
from steps_insurance import (
    PREMIUM_FEN,
    SUM_FEN,
    Covered,
    cover_in_force,
    notice,
    paid_claim,
    reserved_claim,
)
from steps_pipeline import ready_product
from world import World

CANCEL, RESCIND, CLOSE = "cover.cancelled@1", "cover.rescinded@1", "cover.closed@1"


@pytest.fixture
def world() -> World:
    return World()


def status(world: World, covered: Covered) -> str:
    return world.state(Cover, covered.cover).status


def rescission(world: World, covered: Covered, **changes: object) -> dict[str, object]:
    return {
        "cover": covered.cover,
        "policyholder": covered.policyholder.party,
        "asset": covered.product.asset,
        "known_since": format_time(world.now),
        "intentional": True,
        "reason": "未如实告知",
        **changes,
    }


def closing(covered: Covered) -> dict[str, str]:
    return {"cover": covered.cover, "reason": "保险期间届满"}


@pytest.mark.parametrize(
    ("days", "refund_fen"),
    [(0, PREMIUM_FEN), (90, PREMIUM_FEN * 275 // 365), (365, 0)],
)
def test_a_cancelled_policy_refunds_the_days_not_run(days: int, refund_fen: int) -> None:
    world = World()
    covered = cover_in_force(world)
    world.advance(days=days)
    world.do(covered.policyholder, CANCEL, **covered.cancellation)
    assert balance_fen(world, covered.policyholder.party) == refund_fen
    assert status(world, covered) == "CANCELLED"
    assert_books_balance(world)


def test_the_premium_of_a_sum_that_was_paid_out_does_not_come_back(world: World) -> None:
    covered = cover_in_force(world, deductible_fen=0)
    claimed = paid_claim(world, covered, SUM_FEN // 2 * 10 // 6)
    world.do(covered.insurer.first, "claim.closed@1", **claimed.named, reason="结案")
    before = balance_fen(world, covered.policyholder.party)
    world.do(covered.policyholder, CANCEL, **covered.cancellation)
    assert balance_fen(world, covered.policyholder.party) - before == PREMIUM_FEN // 2


def test_only_the_policyholder_cancels_and_names_its_insurer_and_asset(world: World) -> None:
    covered = cover_in_force(world)
    said = covered.cancellation
    world.refuses("party.not_concerned", world.join(Role.PROVIDER), CANCEL, **said)
    for wrong in ("insurer", "asset"):
        other = {"insurer": world.join(Role.INSURER).party, "asset": ready_product(world).asset}
        stray = {**said, wrong: other[wrong]}
        world.refuses("event.mismatch", covered.policyholder, CANCEL, **stray)
    world.do(covered.policyholder, CANCEL, **said)
    world.refuses("aggregate.wrong_status", covered.policyholder, CANCEL, **said)


def test_no_policy_is_cancelled_with_a_claim_open(world: World) -> None:
    covered = cover_in_force(world)
    claimed = reserved_claim(world, covered)
    world.refuses("cover.claims_open", covered.policyholder, CANCEL, **covered.cancellation)
    world.do(covered.insurer.first, "claim.rejected@1", **claimed.named, reason="除外责任")
    world.do(covered.insurer.first, "claim.closed@1", **claimed.named, reason="结案")
    world.do(covered.policyholder, CANCEL, **covered.cancellation)


def test_cancelling_a_policy_that_is_over_does_not_stretch_its_period(world: World) -> None:
    covered = cover_in_force(world)
    world.advance(days=370)
    world.refuses("cover.period_over", covered.policyholder, CANCEL, **covered.cancellation)
    late = notice(world, covered, 100)
    world.refuses("claim.outside_period", covered.policyholder, "claim.notified@1", **late)


def test_a_loss_before_the_cancellation_is_covered_and_none_after(world: World) -> None:
    covered = cover_in_force(world)
    before = notice(world, covered, 100)
    world.advance(days=1)
    world.do(covered.policyholder, CANCEL, **covered.cancellation)
    after = notice(world, covered, 100)
    holder, event = covered.policyholder, "claim.notified@1"
    world.refuses("claim.outside_period", holder, event, **after)
    world.do(holder, event, **before)


@pytest.mark.parametrize(("intentional", "refund_fen"), [(True, 0), (False, PREMIUM_FEN)])
def test_a_rescission_returns_the_premium_unless_it_was_on_purpose(
    intentional: bool, refund_fen: int
) -> None:
    world = World()
    covered = cover_in_force(world)
    world.advance(days=10)
    said = rescission(world, covered, intentional=intentional)
    world.do(covered.insurer.first, RESCIND, **said)
    assert balance_fen(world, covered.policyholder.party) == refund_fen
    world.refuses("aggregate.wrong_status", covered.insurer.first, RESCIND, **said)
    loss = notice(world, covered, 100)
    event = "claim.notified@1"
    world.refuses("aggregate.wrong_status", covered.policyholder, event, **loss)
    assert_books_balance(world)


def test_a_claim_under_a_rescinded_policy_is_not_assessed(world: World) -> None:
    covered = cover_in_force(world)
    claimed = reserved_claim(world, covered)
    world.do(covered.insurer.first, RESCIND, **rescission(world, covered))
    said = claimed.assessment(SUM_FEN // 2)
    first = covered.insurer.first
    world.refuses("aggregate.wrong_status", first, "claim.assessed@1", **said)
    world.do(first, "claim.rejected@1", **claimed.named, reason="合同已解除")


def test_a_rescission_is_the_insurers_within_thirty_days_of_knowing(world: World) -> None:
    covered = cover_in_force(world)
    said = rescission(world, covered)
    stranger = world.join(Role.INSURER)
    world.refuses("party.not_concerned", stranger, RESCIND, **said)
    holder = {**said, "policyholder": stranger.party}
    world.refuses("event.mismatch", covered.insurer.first, RESCIND, **holder)
    asset = {**said, "asset": ready_product(world).asset}
    world.refuses("event.mismatch", covered.insurer.first, RESCIND, **asset)
    world.advance(days=31)
    world.refuses("cover.rescission_late", covered.insurer.first, RESCIND, **said)
    known = format_time(world.now - timedelta(days=29))
    world.do(covered.insurer.first, RESCIND, **{**said, "known_since": known})


def test_no_contract_is_rescinded_after_two_years(world: World) -> None:
    covered = cover_in_force(world, period_days=1_000)
    world.advance(days=731)
    said = rescission(world, covered)
    world.refuses("cover.rescission_late", covered.insurer.first, RESCIND, **said)


def test_an_insurer_that_knew_when_it_contracted_may_not_rescind(world: World) -> None:
    covered = cover_in_force(world)
    earlier = format_time(world.now - timedelta(days=1))
    later = format_time(world.now + timedelta(days=1))
    for known in (earlier, later):
        said = rescission(world, covered, known_since=known)
        world.refuses("cover.known_when", covered.insurer.first, RESCIND, **said)
    said = rescission(world, covered, known_since="yesterday")
    with pytest.raises(RefusedError, match="RFC 3339"):
        world.do(covered.insurer.first, RESCIND, **said)


def test_a_policy_is_closed_after_its_period_with_no_claim_open(world: World) -> None:
    covered = cover_in_force(world)
    first, said = covered.insurer.first, closing(covered)
    world.refuses("party.not_concerned", world.join(Role.INSURER), CLOSE, **said)
    world.refuses("cover.period_runs", first, CLOSE, **said)
    claimed = reserved_claim(world, covered)
    world.advance(days=366)
    world.refuses("cover.claims_open", first, CLOSE, **said)
    world.do(first, "claim.rejected@1", **claimed.named, reason="除外责任")
    world.do(first, "claim.closed@1", **claimed.named, reason="结案")
    world.do(first, CLOSE, **said)
    world.refuses("aggregate.wrong_status", first, CLOSE, **said)
