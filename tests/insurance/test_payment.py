"""Claims paid: by whom, how much, in advance, and what comes back from who is liable."""

import pytest

from dataexchange.client.typeid import new_id
from dataexchange.guarantee.pledge import Pledge
from dataexchange.insurance.claim import Claim
from dataexchange.insurance.cover import Cover
from dataexchange.ledger.statement import format_time
from dataexchange.rules import Role
from steps_accounts import assert_books_balance, balance_fen, fund
from steps_guarantee import PRINCIPAL_FEN, Pledged, active_pledge, guarantee_in_force
from steps_insurance import (
    SUM_FEN,
    Claimed,
    agree_and_pay,
    assessed_claim,
    cover_in_force,
    insurer,
    loan_cover,
    paid_claim,
    reserved_claim,
)
from steps_valuation import VALUE_FEN
from world import World

PAY, ADVANCE = "claim.paid@1", "claim.paid_in_advance@1"
CLOSE, SUBROGATE = "claim.closed@1", "claim.subrogated@1"
LOSS_FEN = VALUE_FEN // 2


@pytest.fixture
def world() -> World:
    return World()


def agreed_claim(world: World) -> Claimed:
    claimed = assessed_claim(world, cover_in_force(world))
    said = {"claim": claimed.claim, "proposal": world.head(claimed.claim)}
    world.do(claimed.covered.policyholder, "claim.agreed@1", **said)
    return claimed


def advance(claimed: Claimed, amount_fen: int) -> dict[str, object]:
    return {**claimed.payment, "amount_fen": amount_fen}


def subrogation(claimed: Claimed, amount_fen: int) -> dict[str, object]:
    named = {"claim": claimed.claim, "insurer": claimed.covered.insurer.party}
    return {**named, "amount_fen": amount_fen}


def loan_claim(world: World, pledged: Pledged, claimed_fen: int) -> Claimed:
    covered = loan_cover(world, pledged)
    world.advance(days=367)
    world.do(pledged.lender, "pledge.defaulted@1", pledge=pledged.pledge)
    when = world.state(Pledge, pledged.pledge).defaulted_at
    return reserved_claim(world, covered, claimed_fen, occurred_at=when)


def test_a_claim_is_paid_from_the_insurers_account_to_the_claimants(world: World) -> None:
    claimed = agreed_claim(world)
    covered = claimed.covered
    payable_fen = world.state(Claim, claimed.claim).payable_fen
    before = balance_fen(world, covered.insurer.party)
    world.do(covered.insurer.second, PAY, **claimed.payment)
    assert before - balance_fen(world, covered.insurer.party) == payable_fen
    assert balance_fen(world, covered.policyholder.party) == payable_fen
    assert world.state(Cover, covered.cover).paid_fen == payable_fen
    assert_books_balance(world)


def test_the_assessor_does_not_pay_and_nobody_pays_before_the_agreement(world: World) -> None:
    claimed = assessed_claim(world, cover_in_force(world))
    house, said = claimed.covered.insurer, claimed.payment
    world.refuses("aggregate.wrong_status", house.second, PAY, **said)
    claimed = agreed_claim(world)
    house, said = claimed.covered.insurer, claimed.payment
    world.refuses("claim.assessor_pays", house.first, PAY, **said)
    world.refuses("party.not_concerned", world.join(Role.INSURER), PAY, **said)
    other, pledge = cover_in_force(world), active_pledge(world).pledge
    parties = {"claimant": other.policyholder.party}
    for wrong in ({"cover": other.cover}, parties, {"pledge": pledge}):
        world.refuses("event.mismatch", house.second, PAY, **{**said, **wrong})
    world.do(house.second, PAY, **said)
    world.refuses("aggregate.wrong_status", house.second, PAY, **said)


def test_an_insurer_without_money_has_not_paid(world: World) -> None:
    claimed = agreed_claim(world)
    house = claimed.covered.insurer
    amount_fen = balance_fen(world, house.party)
    order = {"withdrawal": new_id("withdrawal"), "amount_fen": amount_fen}
    world.do(house.first, "withdrawal.requested@1", **order)
    world.refuses("account.insufficient", house.second, PAY, **claimed.payment)


def test_what_is_paid_in_advance_is_part_of_the_indemnity(world: World) -> None:
    covered = cover_in_force(world, deductible_fen=0)
    claimed = reserved_claim(world, covered, LOSS_FEN)
    first = covered.insurer.first
    world.do(first, ADVANCE, **advance(claimed, 100_000_00))
    assert world.state(Cover, covered.cover).confirmed_fen == 100_000_00
    world.advance(days=70)
    world.do(first, "claim.assessed@1", **claimed.assessment(LOSS_FEN))
    agree_and_pay(world, claimed)
    claim = world.state(Claim, claimed.claim)
    assert claim.paid_fen == balance_fen(world, covered.policyholder.party) == LOSS_FEN * 6 // 10
    assert claim.clocks_missed == ("assessment",)
    assert_books_balance(world)


def test_what_was_paid_in_advance_stays_paid_when_less_turns_out_to_be_due(world: World) -> None:
    covered = cover_in_force(world, deductible_fen=0)
    claimed = reserved_claim(world, covered, LOSS_FEN)
    first = covered.insurer.first
    world.do(first, ADVANCE, **advance(claimed, 100_000_00))
    said = claimed.assessment(100_00)
    world.refuses("claim.nothing_payable", first, "claim.assessed@1", **said)
    world.do(first, "claim.rejected@1", **claimed.named, reason="已先行赔付")
    assert world.state(Cover, covered.cover).confirmed_fen == 100_000_00


def test_an_advance_keeps_to_the_reserve_the_claim_and_the_sum_insured(world: World) -> None:
    covered = cover_in_force(world)
    house = covered.insurer
    poor = reserved_claim(world, covered, LOSS_FEN, reserve_fen=100)
    world.refuses("claim.above_reserve", house.first, ADVANCE, **advance(poor, 101))
    small = reserved_claim(world, covered, 100)
    world.refuses("claim.beyond_claim", house.first, ADVANCE, **advance(small, 101))
    large = reserved_claim(world, covered, VALUE_FEN)
    over = advance(large, SUM_FEN + 1)
    world.refuses("claim.sum_insured_exceeded", house.first, ADVANCE, **over)
    stranger = world.join(Role.INSURER)
    world.refuses("party.not_concerned", stranger, ADVANCE, **advance(large, 1))
    world.do(house.first, ADVANCE, **advance(large, SUM_FEN))
    assert world.state(Cover, covered.cover).status == "EXHAUSTED"
    world.refuses("claim.sum_insured_exceeded", house.first, ADVANCE, **advance(small, 1))
    done = paid_claim(world)
    world.refuses("aggregate.wrong_status", done.covered.insurer.first, ADVANCE, **advance(done, 1))


def test_nothing_is_paid_in_advance_under_a_rescinded_policy(world: World) -> None:
    covered = cover_in_force(world)
    claimed = reserved_claim(world, covered)
    said = {"cover": covered.cover, "policyholder": covered.policyholder.party}
    ground = {"known_since": format_time(world.now), "intentional": True, "reason": "x"}
    first, asset = covered.insurer.first, covered.product.asset
    world.do(first, "cover.rescinded@1", **said, **ground, asset=asset)
    world.refuses("aggregate.wrong_status", first, ADVANCE, **advance(claimed, 1))


def test_a_claim_is_closed_by_the_insurer_once_paid_or_rejected(world: World) -> None:
    claimed = agreed_claim(world)
    house, said = claimed.covered.insurer, {**claimed.named, "reason": "结案"}
    world.refuses("aggregate.wrong_status", house.first, CLOSE, **said)
    world.do(house.second, PAY, **claimed.payment)
    world.refuses("party.not_concerned", world.join(Role.INSURER), CLOSE, **said)
    stray = {**said, "cover": cover_in_force(world).cover}
    world.refuses("event.mismatch", house.first, CLOSE, **stray)
    world.do(house.first, CLOSE, **said)
    assert world.state(Cover, claimed.covered.cover).claims_open == 0


def test_a_third_party_pays_the_insurer_back_up_to_what_it_paid(world: World) -> None:
    claimed = paid_claim(world, cover_in_force(world), LOSS_FEN, mitigation_fen=500)
    claim = world.state(Claim, claimed.claim)
    whole_fen = claim.paid_fen + 500
    culprit = world.join(Role.DATA_SERVICE)
    fund(world, culprit, VALUE_FEN)
    over = subrogation(claimed, whole_fen + 1)
    world.refuses("claim.subrogation_exceeded", culprit, SUBROGATE, **over)
    stray = {**subrogation(claimed, 1), "insurer": insurer(world).party}
    world.refuses("event.mismatch", culprit, SUBROGATE, **stray)
    holder = claimed.covered.policyholder
    world.refuses("claim.not_a_third_party", holder, SUBROGATE, **subrogation(claimed, 1))
    world.do(culprit, SUBROGATE, **subrogation(claimed, whole_fen - 1))
    world.refuses("claim.subrogation_exceeded", culprit, SUBROGATE, **subrogation(claimed, 2))
    world.do(culprit, SUBROGATE, **subrogation(claimed, 1))
    assert_books_balance(world)


def test_there_is_no_subrogation_before_a_payment(world: World) -> None:
    claimed, culprit = agreed_claim(world), world.join(Role.DATA_SERVICE)
    fund(world, culprit, 100)
    world.refuses("aggregate.wrong_status", culprit, SUBROGATE, **subrogation(claimed, 1))


def test_what_loan_insurance_pays_lessens_the_debt_and_the_debtor_owes_the_insurer(
    world: World,
) -> None:
    pledged = active_pledge(world)
    claimed = loan_claim(world, pledged, PRINCIPAL_FEN // 2)
    covered = claimed.covered
    said = claimed.assessment(PRINCIPAL_FEN // 2)
    world.do(covered.insurer.first, "claim.assessed@1", **said)
    agree_and_pay(world, claimed)
    interest_fen = PRINCIPAL_FEN * 435 // 10_000 * 367 // 365
    debt_fen = world.state(Pledge, pledged.pledge).debt_fen
    assert debt_fen == pytest.approx(PRINCIPAL_FEN // 2 + interest_fen, abs=100)
    debtor = pledged.pledgor
    world.do(debtor, SUBROGATE, **subrogation(claimed, PRINCIPAL_FEN // 2))
    assert_books_balance(world)


def test_guarantor_and_insurer_together_never_pay_the_lender_more_than_the_debt(
    world: World,
) -> None:
    pledged = active_pledge(world)
    guaranteed = guarantee_in_force(world, pledged, amount_fen=PRINCIPAL_FEN)
    claimed = loan_claim(world, pledged, VALUE_FEN)
    house = claimed.covered.insurer
    world.do(house.first, "claim.assessed@1", **claimed.assessment(VALUE_FEN))
    agreed = {"claim": claimed.claim, "proposal": world.head(claimed.claim)}
    world.do(pledged.lender, "claim.agreed@1", **agreed)
    called = {"guarantee": guaranteed.guarantee, "pledge": pledged.pledge}
    world.do(pledged.lender, "guarantee.called@1", **called, amount_fen=PRINCIPAL_FEN)
    fund(world, guaranteed.house.analyst, PRINCIPAL_FEN)
    parties = {"creditor": pledged.lender.party, "obligor": pledged.pledgor.party}
    before = balance_fen(world, pledged.lender.party)
    world.do(guaranteed.house.analyst, "guarantee.paid@1", **called, **parties)
    world.do(house.second, PAY, **claimed.payment)
    received_fen = balance_fen(world, pledged.lender.party) - before
    interest_fen = PRINCIPAL_FEN * 435 // 10_000 * 367 // 365
    assert received_fen == pytest.approx(PRINCIPAL_FEN + interest_fen, abs=100)
    assert world.state(Pledge, pledged.pledge).debt_fen == 0
    cover, claim = world.state(Cover, claimed.covered.cover), world.state(Claim, claimed.claim)
    assert cover.confirmed_fen == cover.paid_fen == claim.paid_fen < PRINCIPAL_FEN
    assert_books_balance(world)


def test_an_advance_on_a_loan_is_no_more_than_is_owed(world: World) -> None:
    pledged = active_pledge(world)
    claimed = loan_claim(world, pledged, VALUE_FEN)
    fund(world, pledged.pledgor, PRINCIPAL_FEN)
    most = {"pledge": pledged.pledge, "asset": pledged.product.asset}
    paid = {"lender": pledged.lender.party, "amount_fen": PRINCIPAL_FEN}
    world.do(pledged.pledgor, "pledge.repaid@1", **most, **paid)
    over = advance(claimed, PRINCIPAL_FEN // 2)
    world.refuses("pledge.overpaid", claimed.covered.insurer.first, ADVANCE, **over)
