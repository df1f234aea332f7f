"""Claims assessed: what is payable, within what, who says so, and what undoes it."""

from decimal import Decimal

import pytest

from dataexchange.client.typeid import new_id
from dataexchange.guarantee.pledge import Pledge
from dataexchange.insurance.claim import Claim
from dataexchange.insurance.cover import Cover
from dataexchange.ledger.statement import format_time
from dataexchange.rules import Role
from steps_accounts import assert_books_balance, fund
from steps_guarantee import PRINCIPAL_FEN, Pledged, active_pledge
from steps_insurance import (
    DEDUCTIBLE_FEN,
    SUM_FEN,
    Claimed,
    Covered,
    agree_and_pay,
    assessed_claim,
    cover_in_force,
    insurer,
    loan_cover,
    outage_cover,
    paid_claim,
    reserved_claim,
)
from steps_pipeline import digest, ready_product
from steps_valuation import VALUE_FEN
from world import World

ASSESS, AGREE, REJECT = "claim.assessed@1", "claim.agreed@1", "claim.rejected@1"
DISPUTE, REOPEN, AUTHORISE = "claim.disputed@1", "claim.reopened@1", "claim.authorised@1"
LOSS_FEN = VALUE_FEN // 2


@pytest.fixture
def world() -> World:
    return World()


def claim_of(world: World, claimed: Claimed) -> Claim:
    return world.state(Claim, claimed.claim)


def cover_of(world: World, covered: Covered) -> Cover:
    return world.state(Cover, covered.cover)


def signed(world: World, claimed: Claimed) -> dict[str, str]:
    return {"claim": claimed.claim, "proposal": world.head(claimed.claim)}


def report(world: World, claimed: Claimed, *values: str, group: str | None = None) -> None:
    """Have one feed per value report the index, all of one group where one is named."""
    for value in values:
        feed = world.join(Role.DATA_SERVICE)
        if group is not None:
            said = {"party": feed.party, "group": group, "evidence": "GQ-1"}
            world.do(world.operator, "party.grouped@1", **said)
        said = {
            **claimed.named,
            "claimant": claimed.covered.policyholder.party,
            "insurer": claimed.covered.insurer.party,
        }
        proof = {"evidence_sha256": digest(f"feed {value}")}
        world.do(feed, "claim.index_reported@1", **said, **proof, value=value)


def defaulted_claim(world: World, claimed_fen: int = VALUE_FEN) -> tuple[Claimed, Pledged]:
    """Return a reserved claim on loan insurance whose loan is in default."""
    pledged = active_pledge(world)
    covered = loan_cover(world, pledged)
    world.advance(days=367)
    world.do(pledged.lender, "pledge.defaulted@1", pledge=pledged.pledge)
    when = world.state(Pledge, pledged.pledge).defaulted_at
    return reserved_claim(world, covered, claimed_fen, occurred_at=when), pledged


def test_underinsurance_pays_in_proportion_less_the_deductible(world: World) -> None:
    covered = cover_in_force(world)
    claimed = assessed_claim(world, covered, LOSS_FEN)
    payable_fen = LOSS_FEN * 6 // 10 - DEDUCTIBLE_FEN
    assert claim_of(world, claimed).payable_fen == payable_fen
    assert cover_of(world, covered).confirmed_fen == payable_fen


def test_no_more_is_payable_than_was_claimed(world: World) -> None:
    covered = cover_in_force(world, deductible_fen=0)
    claimed = reserved_claim(world, covered, 1_000_00)
    world.do(covered.insurer.first, ASSESS, **claimed.assessment(LOSS_FEN))
    assert claim_of(world, claimed).payable_fen == 600_00


def test_what_the_liable_party_has_paid_already_is_taken_off(world: World) -> None:
    covered = cover_in_force(world, deductible_fen=0, sum_insured_fen=VALUE_FEN)
    claimed = assessed_claim(world, covered, LOSS_FEN, received_fen=LOSS_FEN // 4)
    assert claim_of(world, claimed).payable_fen == LOSS_FEN * 3 // 4


def test_mitigation_costs_are_paid_beside_the_sum_insured_up_to_it(world: World) -> None:
    covered = cover_in_force(world, deductible_fen=0)
    claimed = assessed_claim(world, covered, VALUE_FEN, mitigation_fen=VALUE_FEN)
    claim, cover = claim_of(world, claimed), cover_of(world, covered)
    assert (claim.payable_fen, claim.mitigation_fen) == (SUM_FEN, SUM_FEN)
    assert (cover.confirmed_fen, cover.mitigation_fen) == (SUM_FEN, SUM_FEN)
    agree_and_pay(world, claimed)
    assert cover_of(world, covered).paid_fen == SUM_FEN
    assert_books_balance(world)


def test_mitigation_costs_of_all_claims_stay_within_the_sum_insured(world: World) -> None:
    covered = cover_in_force(world, deductible_fen=0)
    assessed_claim(world, covered, 1_000_00, mitigation_fen=SUM_FEN - 100)
    second = assessed_claim(world, covered, 1_000_00, mitigation_fen=SUM_FEN)
    assert claim_of(world, second).mitigation_fen == 100


def test_several_claims_together_confirm_no_more_than_the_sum_insured(world: World) -> None:
    covered = cover_in_force(world, deductible_fen=0)
    first = paid_claim(world, covered, VALUE_FEN // 2)
    second = assessed_claim(world, covered, VALUE_FEN)
    assert claim_of(world, first).payable_fen == SUM_FEN // 2
    assert claim_of(world, second).payable_fen == SUM_FEN // 2
    assert cover_of(world, covered).confirmed_fen == SUM_FEN
    third = reserved_claim(world, covered, LOSS_FEN)
    said = third.assessment(LOSS_FEN)
    world.refuses("claim.nothing_payable", covered.insurer.first, ASSESS, **said)
    agree_and_pay(world, second)
    assert cover_of(world, covered).status == "EXHAUSTED"
    world.refuses("claim.nothing_payable", covered.insurer.first, ASSESS, **said)
    assert_books_balance(world)


def test_a_loss_within_the_deductible_is_rejected_not_assessed(world: World) -> None:
    covered = cover_in_force(world)
    claimed = reserved_claim(world, covered, DEDUCTIBLE_FEN)
    first, said = covered.insurer.first, claimed.assessment(DEDUCTIBLE_FEN)
    world.refuses("claim.nothing_payable", first, ASSESS, **said)
    world.do(first, REJECT, **claimed.named, reason="未超过免赔额")


def test_an_assessment_needs_a_reserve_that_holds_it(world: World) -> None:
    covered = cover_in_force(world, deductible_fen=0)
    claimed = reserved_claim(world, covered, LOSS_FEN, reserve_fen=100)
    first, said = covered.insurer.first, claimed.assessment(LOSS_FEN)
    world.refuses("claim.above_reserve", first, ASSESS, **said)
    world.do(first, "claim.reserved@1", claim=claimed.claim, reserve_fen=SUM_FEN // 2)
    more = {**said, "mitigation_fen": 1}
    world.refuses("claim.above_reserve", first, ASSESS, **more)
    world.do(first, ASSESS, **said)


def test_only_the_insurer_assesses_what_is_reserved_by_its_true_names(world: World) -> None:
    covered = cover_in_force(world)
    claimed = reserved_claim(world, covered)
    said, other = claimed.assessment(LOSS_FEN), cover_in_force(world)
    world.refuses("party.not_concerned", world.join(Role.INSURER), ASSESS, **said)
    wrong = {
        "cover": other.cover,
        "claimant": other.policyholder.party,
        "asset": other.product.asset,
        "pledge": active_pledge(world).pledge,
    }
    for field, value in wrong.items():
        world.refuses("event.mismatch", covered.insurer.first, ASSESS, **{**said, field: value})
    twin = {**said, "cover": cover_in_force(world, covered.product).cover}
    world.refuses("event.mismatch", covered.insurer.first, ASSESS, **twin)
    world.do(covered.insurer.first, ASSESS, **said)
    world.refuses("aggregate.wrong_status", covered.insurer.first, ASSESS, **said)


def test_two_insurers_of_one_loss_bear_it_pro_rata(world: World) -> None:
    product = ready_product(world)
    terms = {"deductible_fen": 0, "sum_insured_fen": VALUE_FEN}
    one = cover_in_force(world, product, **terms)
    two = cover_in_force(world, product, **{**terms, "sum_insured_fen": VALUE_FEN // 2})
    parts = [
        claim_of(world, assessed_claim(world, covered, 300_000_00)).payable_fen
        for covered in (one, two)
    ]
    # Alone they would pay 300,000 and 150,000; together 2 : 1 of the loss (保险法 art. 56).
    assert parts == [200_000_00, 100_000_00]


@pytest.mark.parametrize("how", ["another peril", "another period", "cancelled", "rescinded"])
def test_cover_of_another_peril_or_time_is_no_double_cover(world: World, how: str) -> None:
    product = ready_product(world)
    terms = {"deductible_fen": 0, "sum_insured_fen": VALUE_FEN}
    kind = "technology" if how == "another peril" else "security"
    other = cover_in_force(world, product, kind=kind, period_days=1, **terms)
    if how == "another period":
        world.advance(days=3)
    if how == "cancelled":
        world.do(other.policyholder, "cover.cancelled@1", **other.cancellation)
    if how == "rescinded":
        said = {"cover": other.cover, "policyholder": other.policyholder.party}
        ground = {"known_since": format_time(world.now), "intentional": True, "reason": "x"}
        world.do(other.insurer.first, "cover.rescinded@1", **said, **ground, asset=product.asset)
    world.advance(hours=1)
    covered = cover_in_force(world, product, **terms)
    claimed = assessed_claim(world, covered, 300_000_00)
    assert claim_of(world, claimed).payable_fen == 300_000_00


def test_an_interest_that_was_gone_at_the_notice_is_shown_for_the_time_of_the_loss(
    world: World,
) -> None:
    pledged = active_pledge(world)
    covered = cover_in_force(world, pledged.product, policyholder=pledged.lender)
    fund(world, pledged.pledgor, PRINCIPAL_FEN)
    loan = {"pledge": pledged.pledge, "asset": pledged.product.asset}
    paying = {**loan, "lender": pledged.lender.party, "amount_fen": VALUE_FEN * 2}
    repay = "pledge.repaid@1"
    refused = world.refuses("pledge.overpaid", pledged.pledgor, repay, **paying)
    paying["amount_fen"] = refused.facts["due_fen"]
    world.do(pledged.pledgor, repay, **paying)
    world.do(pledged.lender, "pledge.released@1", **loan)
    claimed = reserved_claim(world, covered)
    said = claimed.assessment(LOSS_FEN)
    world.refuses("claim.interest_not_shown", covered.insurer.first, ASSESS, **said)
    shown = {**said, "interest_sha256": digest("lien on the day of the loss")}
    world.do(covered.insurer.first, ASSESS, **shown)


def test_loan_insurance_pays_no_more_than_the_lender_is_owed(world: World) -> None:
    claimed, pledged = defaulted_claim(world)
    fund(world, pledged.pledgor, PRINCIPAL_FEN)
    half = {"asset": pledged.product.asset, "lender": pledged.lender.party}
    paid = {"pledge": pledged.pledge, **half, "amount_fen": PRINCIPAL_FEN // 2}
    world.do(pledged.pledgor, "pledge.repaid@1", **paid)
    owed = world.state(Pledge, pledged.pledge).debt_fen
    said = claimed.assessment(VALUE_FEN)
    world.do(claimed.covered.insurer.first, ASSESS, **said)
    assert claim_of(world, claimed).payable_fen == pytest.approx(owed, abs=10)


@pytest.mark.parametrize(
    ("values", "share"),
    [
        (("30", "30"), "0.5"),
        (("48", "60"), "1"),
        (("500", "30"), "0.5"),
        (("500", "30", "21"), "0.5"),
    ],
)
def test_parametric_cover_pays_what_two_feeds_support(values: tuple[str, ...], share: str) -> None:
    world = World()
    covered = outage_cover(world)
    claimed = reserved_claim(world, covered)
    report(world, claimed, *values)
    world.do(covered.insurer.first, ASSESS, **claimed.assessment(0))
    assert claim_of(world, claimed).payable_fen == int(Decimal(share) * SUM_FEN)


def test_one_feed_or_two_of_one_house_pay_nothing(world: World) -> None:
    covered = outage_cover(world)
    claimed = reserved_claim(world, covered)
    first, said = covered.insurer.first, claimed.assessment(0, mitigation_fen=100)
    world.refuses("claim.feeds_too_few", first, ASSESS, **said)
    report(world, claimed, "500", "500", group=new_id("group"))
    world.refuses("claim.feeds_too_few", first, ASSESS, **said)
    report(world, claimed, "12")
    world.refuses("claim.nothing_payable", first, ASSESS, **said)
    report(world, claimed, "30")
    world.do(first, ASSESS, **said)
    claim = claim_of(world, claimed)
    assert (claim.payable_fen, claim.mitigation_fen) == (SUM_FEN // 2, 0)


def test_a_sum_above_the_authority_waits_for_a_second_officer(world: World) -> None:
    house = insurer(world)
    world.do(house.second, "insurer.authority_set@1", limit_fen=1_000_00)
    covered = cover_in_force(world, house=house, deductible_fen=0)
    small = assessed_claim(world, covered, 1_600_00)
    assert claim_of(world, small).status == "ASSESSED"
    large = assessed_claim(world, covered, LOSS_FEN)
    assert claim_of(world, large).status == "PENDING"
    holder = covered.policyholder
    world.refuses("aggregate.wrong_status", holder, AGREE, **signed(world, large))
    said = signed(world, large)
    world.refuses("claim.assessor_authorises", house.first, AUTHORISE, **said)
    world.refuses("party.not_concerned", world.join(Role.INSURER), AUTHORISE, **said)
    wrong = {**said, "proposal": "0" * 64}
    world.refuses("event.mismatch", house.second, AUTHORISE, **wrong)
    world.do(house.second, AUTHORISE, **said)
    again = signed(world, large)
    world.refuses("aggregate.wrong_status", house.second, AUTHORISE, **again)
    agree_and_pay(world, large)
    assert_books_balance(world)


def test_an_assessment_that_waits_may_be_made_anew_or_rejected(world: World) -> None:
    house = insurer(world)
    world.do(house.second, "insurer.authority_set@1", limit_fen=1)
    covered = cover_in_force(world, house=house, deductible_fen=0)
    claimed = assessed_claim(world, covered, LOSS_FEN)
    world.do(house.first, ASSESS, **claimed.assessment(LOSS_FEN // 2))
    assert cover_of(world, covered).confirmed_fen == LOSS_FEN // 2 * 6 // 10
    world.do(house.first, REJECT, **claimed.named, reason="除外责任")
    assert cover_of(world, covered).confirmed_fen == 0


def test_the_claimant_agrees_to_exactly_the_assessment(world: World) -> None:
    covered = cover_in_force(world)
    claimed = reserved_claim(world, covered)
    holder = covered.policyholder
    world.refuses("aggregate.wrong_status", holder, AGREE, **signed(world, claimed))
    world.do(covered.insurer.first, ASSESS, **claimed.assessment(LOSS_FEN))
    said = signed(world, claimed)
    world.refuses("event.mismatch", holder, AGREE, **{**said, "proposal": "0" * 64})
    world.refuses("party.not_concerned", world.join(Role.PROVIDER), AGREE, **said)
    world.do(holder, AGREE, **said)
    assert claim_of(world, claimed).pay_by == "2026-01-22T16:00:00.000000Z"


def test_a_missed_clock_is_marked_and_stays(world: World) -> None:
    covered = cover_in_force(world)
    late, later = reserved_claim(world, covered), reserved_claim(world, covered)
    dismissed = reserved_claim(world, covered)
    world.advance(days=31)
    first = covered.insurer.first
    world.do(first, ASSESS, **late.assessment(LOSS_FEN // 10))
    world.do(first, REJECT, **dismissed.named, reason="除外责任")
    assert claim_of(world, late).clocks_missed == ("assessment",)
    assert claim_of(world, dismissed).clocks_missed == ("assessment",)
    world.advance(days=30)
    world.do(first, ASSESS, **later.assessment(LOSS_FEN // 10))
    assert claim_of(world, later).clocks_missed == ("assessment", "interim")
    world.do(covered.policyholder, AGREE, **signed(world, late))
    world.advance(days=11)
    world.do(covered.insurer.second, "claim.paid@1", **late.payment)
    assert claim_of(world, late).clocks_missed == ("assessment", "payment")


def test_a_claim_in_time_bears_no_mark(world: World) -> None:
    assert claim_of(world, paid_claim(world)).clocks_missed == ()


def test_a_dispute_undoes_what_was_confirmed_and_a_reopened_claim_is_assessed_anew(
    world: World,
) -> None:
    covered = cover_in_force(world)
    claimed = assessed_claim(world, covered)
    said = {**claimed.named, "reason": "定损过低"}
    world.refuses("party.not_concerned", world.join(Role.PROVIDER), DISPUTE, **said)
    world.do(covered.policyholder, DISPUTE, **said)
    assert cover_of(world, covered).confirmed_fen == claim_of(world, claimed).payable_fen == 0
    world.refuses("aggregate.wrong_status", covered.policyholder, AGREE, **signed(world, claimed))
    world.refuses("party.not_concerned", world.join(Role.INSURER), REOPEN, **said)
    world.advance(days=40)
    first = covered.insurer.first
    world.do(first, REOPEN, **said)
    world.do(first, "claim.reserved@1", claim=claimed.claim, reserve_fen=SUM_FEN)
    world.do(first, ASSESS, **claimed.assessment(LOSS_FEN))
    claim = claim_of(world, claimed)
    assert (claim.status, claim.clocks_missed) == ("ASSESSED", ())
    assert cover_of(world, covered).claims_open == 1


def test_a_rejection_gives_its_reason_and_may_be_disputed(world: World) -> None:
    covered = cover_in_force(world)
    claimed = reserved_claim(world, covered)
    said = {**claimed.named, "reason": "除外责任"}
    world.refuses("party.not_concerned", world.join(Role.INSURER), REJECT, **said)
    stray = {**said, "cover": cover_in_force(world).cover}
    world.refuses("event.mismatch", covered.insurer.first, REJECT, **stray)
    world.do(covered.insurer.first, REJECT, **said)
    assert claim_of(world, claimed).reason == "除外责任"
    world.refuses("aggregate.wrong_status", covered.insurer.first, REOPEN, **said)
    world.do(covered.policyholder, DISPUTE, **said)
    world.do(covered.insurer.first, REOPEN, **said)


def test_a_claim_that_was_agreed_is_neither_rejected_nor_disputed(world: World) -> None:
    covered = cover_in_force(world)
    claimed = assessed_claim(world, covered)
    world.do(covered.policyholder, AGREE, **signed(world, claimed))
    said = {**claimed.named, "reason": "反悔"}
    world.refuses("aggregate.wrong_status", covered.insurer.first, REJECT, **said)
    world.refuses("aggregate.wrong_status", covered.policyholder, DISPUTE, **said)


def test_a_paid_claim_that_is_reopened_is_not_paid_twice(world: World) -> None:
    covered = cover_in_force(world, deductible_fen=0)
    claimed = paid_claim(world, covered, LOSS_FEN)
    first = covered.insurer.first
    world.do(first, "claim.closed@1", **claimed.named, reason="结案")
    assert cover_of(world, covered).claims_open == 0
    world.do(first, REOPEN, **claimed.named, reason="补充材料")
    assert cover_of(world, covered).claims_open == 1
    world.do(first, "claim.reserved@1", claim=claimed.claim, reserve_fen=SUM_FEN)
    same = claimed.assessment(LOSS_FEN)
    world.refuses("claim.nothing_payable", first, ASSESS, **same)
    world.do(first, ASSESS, **claimed.assessment(LOSS_FEN, mitigation_fen=500))
    agree_and_pay(world, claimed)
    claim, cover = claim_of(world, claimed), cover_of(world, covered)
    assert (claim.paid_fen, claim.mitigation_paid_fen) == (LOSS_FEN * 6 // 10, 500)
    assert (cover.confirmed_fen, cover.paid_fen) == (LOSS_FEN * 6 // 10, LOSS_FEN * 6 // 10)
    assert_books_balance(world)
