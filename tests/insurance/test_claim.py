"""Claims from the notice of a loss to the reserve, and the readings of an index."""

from datetime import timedelta

import pytest

from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.guarantee.pledge import Pledge
from dataexchange.insurance.claim import READINGS_MAX, Claim
from dataexchange.insurance.cover import Cover
from dataexchange.ledger.statement import format_time
from dataexchange.rules import Role
from steps_accounts import fund
from steps_guarantee import active_pledge
from steps_insurance import (
    Claimed,
    cover_in_force,
    documented_claim,
    loan_cover,
    notice,
    outage_cover,
    paid_claim,
    reserved_claim,
)
from steps_pipeline import digest, ready_product
from steps_valuation import VALUE_FEN
from world import World

NOTIFY, REPORT, RESERVE = "claim.notified@1", "claim.index_reported@1", "claim.reserved@1"


@pytest.fixture
def world() -> World:
    return World()


def reading(claimed: Claimed, value: str = "30") -> dict[str, object]:
    return {
        **claimed.named,
        "claimant": claimed.covered.policyholder.party,
        "insurer": claimed.covered.insurer.party,
        "value": value,
        "evidence_sha256": digest(f"feed {value}"),
    }


def group(world: World, name: str, *parties: Actor) -> None:
    for party in parties:
        said = {"party": party.party, "group": name, "evidence": "GQ-1"}
        world.do(world.operator, "party.grouped@1", **said)


def test_a_claim_that_is_notified_is_open_under_its_policy(world: World) -> None:
    covered = cover_in_force(world)
    claimed = documented_claim(world, covered)
    claim = world.state(Claim, claimed.claim)
    assert (claim.status, claim.interest_held) == ("DOCUMENTED", True)
    assert world.state(Cover, covered.cover).claims_open == 1


def test_only_the_policyholder_notifies_and_names_the_insured_asset(world: World) -> None:
    covered = cover_in_force(world)
    said = notice(world, covered, 100)
    world.refuses("party.not_concerned", world.join(Role.PROVIDER), NOTIFY, **said)
    stray = {**said, "asset": ready_product(world).asset}
    world.refuses("event.mismatch", covered.policyholder, NOTIFY, **stray)
    world.refuses("role.missing", covered.insurer.first, NOTIFY, **said)
    world.do(covered.policyholder, NOTIFY, **said)
    world.refuses("aggregate.exists", covered.policyholder, NOTIFY, **said)


def test_a_loss_lies_inside_the_period_and_in_the_past(world: World) -> None:
    covered = cover_in_force(world)
    earlier = format_time(world.now - timedelta(days=1))
    said = notice(world, covered, 100, occurred_at=earlier)
    world.refuses("claim.outside_period", covered.policyholder, NOTIFY, **said)
    later = {**said, "occurred_at": format_time(world.now + timedelta(days=1))}
    world.refuses("claim.loss_in_future", covered.policyholder, NOTIFY, **later)
    inside = notice(world, covered, 100)
    world.advance(days=370)
    outside = notice(world, covered, 100)
    world.refuses("claim.outside_period", covered.policyholder, NOTIFY, **outside)
    world.do(covered.policyholder, NOTIFY, **inside)


def test_a_loss_is_claimed_within_two_years_under_a_closed_policy_too(world: World) -> None:
    covered = cover_in_force(world)
    said, second = notice(world, covered, 100), notice(world, covered, 100)
    world.advance(days=366)
    world.do(covered.insurer.first, "cover.closed@1", cover=covered.cover, reason="期满")
    world.advance(days=363)
    world.do(covered.policyholder, NOTIFY, **said)
    world.advance(days=2)
    world.refuses("claim.limitation_over", covered.policyholder, NOTIFY, **second)


def test_a_loss_is_notified_once_under_one_policy(world: World) -> None:
    covered = cover_in_force(world)
    said = notice(world, covered, 100)
    world.do(covered.policyholder, NOTIFY, **said)
    again = {**said, "claim": new_id("claim")}
    world.refuses("claim.duplicate_loss", covered.policyholder, NOTIFY, **again)


def test_nothing_is_claimed_under_an_exhausted_policy(world: World) -> None:
    covered = cover_in_force(world, deductible_fen=0)
    paid_claim(world, covered, VALUE_FEN)
    assert world.state(Cover, covered.cover).status == "EXHAUSTED"
    said = notice(world, covered, 100)
    world.refuses("aggregate.wrong_status", covered.policyholder, NOTIFY, **said)


def test_loan_insurance_is_claimed_on_a_default_as_the_ledger_dates_it(world: World) -> None:
    pledged = active_pledge(world)
    covered = loan_cover(world, pledged)
    early = notice(world, covered, VALUE_FEN)
    world.refuses("claim.default_needed", pledged.lender, NOTIFY, **early)
    world.advance(days=367)
    world.do(pledged.lender, "pledge.defaulted@1", pledge=pledged.pledge)
    said = notice(world, covered, VALUE_FEN)
    world.refuses("claim.not_the_default", pledged.lender, NOTIFY, **said)
    world.refuses("event.mismatch", pledged.lender, NOTIFY, **{**said, "pledge": None})
    said["occurred_at"] = world.state(Pledge, pledged.pledge).defaulted_at
    world.do(pledged.lender, NOTIFY, **said)


def test_a_default_after_the_period_is_not_covered(world: World) -> None:
    pledged = active_pledge(world)
    covered = loan_cover(world, pledged, period_days=30)
    world.advance(days=367)
    world.do(pledged.lender, "pledge.defaulted@1", pledge=pledged.pledge)
    when = world.state(Pledge, pledged.pledge).defaulted_at
    said = notice(world, covered, VALUE_FEN, occurred_at=when)
    world.refuses("claim.outside_period", pledged.lender, NOTIFY, **said)


def test_a_claim_on_an_asset_that_was_sold_says_so(world: World) -> None:
    pledged = active_pledge(world)
    covered = cover_in_force(world, pledged.product, policyholder=pledged.lender)
    said = notice(world, covered, 100)
    world.advance(days=366)
    world.do(pledged.lender, "pledge.defaulted@1", pledge=pledged.pledge)
    terms = {"mode": "auction", "reference": "PM-1", "reserve_fen": 100}
    world.do(pledged.lender, "pledge.realisation_begun@1", pledge=pledged.pledge, **terms)
    buyer = world.join(Role.BUYER)
    fund(world, buyer, VALUE_FEN)
    liens = [{"pledge": pledged.pledge, "lender": pledged.lender.party}]
    sale = {"asset": pledged.product.asset, "pledgor": pledged.pledgor.party, "liens": liens}
    world.do(buyer, "pledge.realised@1", pledge=pledged.pledge, **sale, proceeds_fen=VALUE_FEN)
    world.do(pledged.lender, NOTIFY, **said)
    assert not world.state(Claim, said["claim"]).interest_held


def test_proofs_are_the_claimants_and_start_the_clock(world: World) -> None:
    covered, event = cover_in_force(world), "claim.documented@1"
    claimed = documented_claim(world, covered)
    said = {"claim": claimed.claim, "evidence_sha256": digest("more proofs")}
    world.refuses("party.not_concerned", world.join(Role.PROVIDER), event, **said)
    first = world.state(Claim, claimed.claim).assess_by
    assert first == "2026-02-11T16:00:00.000000Z"  # 30 days after January 12th, 24:00 in China
    world.advance(days=2)
    world.do(covered.policyholder, event, **said)
    assert world.state(Claim, claimed.claim).assess_by == "2026-02-13T16:00:00.000000Z"


def test_a_reserve_is_the_insurers_after_the_proofs(world: World) -> None:
    covered = cover_in_force(world)
    said = notice(world, covered, 100)
    world.do(covered.policyholder, NOTIFY, **said)
    reserve = {"claim": said["claim"], "reserve_fen": 100}
    world.refuses("aggregate.wrong_status", covered.insurer.first, RESERVE, **reserve)
    claimed = documented_claim(world, covered)
    reserve = {**reserve, "claim": claimed.claim}
    world.refuses("party.not_concerned", world.join(Role.INSURER), RESERVE, **reserve)
    world.do(covered.insurer.first, RESERVE, **reserve)
    world.do(covered.insurer.first, RESERVE, **{**reserve, "reserve_fen": 200})
    late = {"claim": claimed.claim, "evidence_sha256": digest("late proofs")}
    world.refuses("aggregate.wrong_status", covered.policyholder, "claim.documented@1", **late)
    assert world.state(Claim, claimed.claim).reserve_fen == 200


def test_an_index_is_read_once_by_each_independent_party(world: World) -> None:
    claimed = reserved_claim(world, outage_cover(world))
    feed = world.join(Role.DATA_SERVICE)
    world.do(feed, REPORT, **reading(claimed))
    world.refuses("claim.read_already", feed, REPORT, **reading(claimed, "40"))
    world.refuses("role.missing", claimed.covered.policyholder, REPORT, **reading(claimed))
    for _ in range(READINGS_MAX - 1):
        world.do(world.join(Role.WITNESS), REPORT, **reading(claimed))
    late = world.join(Role.WITNESS)
    world.refuses("claim.read_already", late, REPORT, **reading(claimed))
    first = claimed.covered.insurer.first
    world.do(first, "claim.rejected@1", **claimed.named, reason="除外责任")
    world.refuses("aggregate.wrong_status", late, REPORT, **reading(claimed))


def test_no_affiliate_of_either_side_reads_the_index(world: World) -> None:
    claimed = reserved_claim(world, outage_cover(world))
    covered, code = claimed.covered, "claim.reader_not_independent"
    for side in (covered.policyholder, covered.insurer.first):
        affiliate = world.join(Role.DATA_SERVICE)
        group(world, new_id("group"), side, affiliate)
        world.refuses(code, affiliate, REPORT, **reading(claimed))
        for name in ("claimant", "insurer"):
            hidden = {**reading(claimed), name: affiliate.party}
            world.refuses("event.mismatch", affiliate, REPORT, **hidden)


def test_only_parametric_cover_has_an_index(world: World) -> None:
    claimed, feed = reserved_claim(world, cover_in_force(world)), world.join(Role.WITNESS)
    world.refuses("claim.not_parametric", feed, REPORT, **reading(claimed))
    other = {**reading(claimed), "cover": outage_cover(world).cover}
    world.refuses("event.mismatch", feed, REPORT, **other)
