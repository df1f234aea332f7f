"""Policies changed by both sides: what may change, and from when."""

import pytest

from dataexchange.insurance.claim import Claim
from dataexchange.insurance.cover import Cover
from dataexchange.insurance.endorsement import ENDORSEMENTS_MAX
from dataexchange.rules import Role
from steps_accounts import assert_books_balance, balance_fen, fund
from steps_insurance import (
    DEDUCTIBLE_FEN,
    PREMIUM_FEN,
    SUM_FEN,
    Covered,
    asset_loss_cover,
    cover_in_force,
    loan_cover,
    notice,
    paid_claim,
)
from steps_pipeline import digest, ready_product
from steps_valuation import VALUE_FEN, issued_valuation
from world import World

OFFER, ENDORSE = "cover.endorsement_offered@1", "cover.endorsed@1"


@pytest.fixture
def world() -> World:
    return World()


def offering(covered: Covered, **changes: object) -> dict[str, object]:
    """Return the offer to insure the whole value, without a deductible, for 1,000 元 more."""
    return {
        "cover": covered.cover,
        "asset": covered.product.asset,
        "sum_insured_fen": VALUE_FEN,
        "insured_value_fen": VALUE_FEN,
        "deductible_fen": 0,
        "premium_fen": 100_000,
        "terms_sha256": digest("wording, second version"),
        **changes,
    }


def consent(world: World, covered: Covered, **changes: object) -> dict[str, object]:
    return {
        "cover": covered.cover,
        "proposal": world.head(covered.cover),
        "insurer": covered.insurer.party,
        "asset": covered.product.asset,
        **changes,
    }


def endorse(world: World, covered: Covered, **changes: object) -> None:
    world.do(covered.insurer.first, OFFER, **offering(covered, **changes))
    fund(world, covered.policyholder, 100_000)
    world.do(covered.policyholder, ENDORSE, **consent(world, covered))


def test_an_endorsement_is_a_new_version_that_both_sides_signed_and_one_paid(world: World) -> None:
    covered = cover_in_force(world)
    before = balance_fen(world, covered.insurer.party)
    endorse(world, covered)
    cover = world.state(Cover, covered.cover)
    assert (cover.version, cover.sum_insured_fen, cover.deductible_fen) == (2, VALUE_FEN, 0)
    assert (cover.premium_fen, cover.offer) == (PREMIUM_FEN + 100_000, None)
    assert balance_fen(world, covered.insurer.party) - before == 100_000
    assert_books_balance(world)


def test_a_loss_is_measured_by_the_terms_of_its_own_time(world: World) -> None:
    covered = cover_in_force(world)
    before = notice(world, covered, VALUE_FEN // 2)
    world.advance(days=1)
    endorse(world, covered)
    after = notice(world, covered, VALUE_FEN // 4)
    payable = {}
    for said, loss_fen in ((before, VALUE_FEN // 2), (after, VALUE_FEN // 4)):
        world.do(covered.policyholder, "claim.notified@1", **said)
        claim, first = {"claim": said["claim"]}, covered.insurer.first
        proofs = {"evidence_sha256": digest("proofs")}
        world.do(covered.policyholder, "claim.documented@1", **claim, **proofs)
        world.do(first, "claim.reserved@1", **claim, reserve_fen=VALUE_FEN)
        names = {"cover": covered.cover, "claimant": covered.policyholder.party}
        loss = {"asset": covered.product.asset, "loss_fen": loss_fen}
        report = {"report_sha256": digest("report")}
        world.do(first, "claim.assessed@1", **claim, **names, **loss, **report)
        payable[loss_fen] = world.state(Claim, said["claim"]).payable_fen
    assert payable == {
        VALUE_FEN // 2: VALUE_FEN // 2 * 6 // 10 - DEDUCTIBLE_FEN,
        VALUE_FEN // 4: VALUE_FEN // 4,
    }


def test_the_insurer_offers_and_the_policyholder_consents_to_exactly_that(world: World) -> None:
    covered, stranger = cover_in_force(world), world.join(Role.INSURER, Role.PROVIDER)
    world.refuses("cover.no_offer", covered.policyholder, ENDORSE, **consent(world, covered))
    world.refuses("party.not_concerned", stranger, OFFER, **offering(covered))
    other = offering(covered, asset=ready_product(world).asset)
    world.refuses("event.mismatch", covered.insurer.first, OFFER, **other)
    world.do(covered.insurer.first, OFFER, **offering(covered))
    holder = covered.policyholder
    world.refuses("party.not_concerned", stranger, ENDORSE, **consent(world, covered))
    for wrong in ({"proposal": "0" * 64}, {"insurer": stranger.party}, {"asset": other["asset"]}):
        world.refuses("event.mismatch", holder, ENDORSE, **consent(world, covered, **wrong))
    world.refuses("account.insufficient", holder, ENDORSE, **consent(world, covered))


def test_a_sum_above_the_value_or_below_what_is_confirmed_is_not_offered(world: World) -> None:
    covered = cover_in_force(world, deductible_fen=0)
    first = covered.insurer.first
    over = offering(covered, sum_insured_fen=VALUE_FEN + 1)
    world.refuses("cover.sum_above_value", first, OFFER, **over)
    claimed = paid_claim(world, covered, VALUE_FEN // 2)
    confirmed = world.state(Claim, claimed.claim).payable_fen
    under = offering(covered, sum_insured_fen=confirmed - 1)
    world.refuses("cover.sum_below_confirmed", first, OFFER, **under)
    world.do(first, OFFER, **offering(covered, sum_insured_fen=confirmed))


def test_a_higher_value_rests_on_a_valuation(world: World) -> None:
    product = ready_product(world)
    covered = asset_loss_cover(world, product)
    first, high = covered.insurer.first, {"insured_value_fen": VALUE_FEN * 2}
    world.refuses("cover.value_unfounded", first, OFFER, **offering(covered, **high))
    valuation, _ = issued_valuation(world, product, VALUE_FEN * 3 // 2)
    said = offering(covered, **high, valuation=valuation)
    world.refuses("cover.sum_above_value", first, OFFER, **said)
    other, _ = issued_valuation(world, ready_product(world), VALUE_FEN * 3)
    stray = offering(covered, **high, valuation=other)
    world.refuses("event.mismatch", first, OFFER, **stray)
    world.do(first, OFFER, **{**said, "insured_value_fen": VALUE_FEN * 3 // 2})


def test_the_value_of_an_insured_loan_is_not_raised(world: World) -> None:
    covered = loan_cover(world)
    valuation, _ = issued_valuation(world, covered.product)
    said = offering(covered, valuation=valuation)
    world.refuses("cover.value_unfounded", covered.insurer.first, OFFER, **said)


def test_a_policy_that_is_over_is_not_endorsed(world: World) -> None:
    covered = cover_in_force(world)
    world.do(covered.insurer.first, OFFER, **offering(covered))
    world.advance(days=367)
    world.refuses("cover.period_over", covered.insurer.first, OFFER, **offering(covered))
    world.refuses("cover.period_over", covered.policyholder, ENDORSE, **consent(world, covered))


def test_a_policy_is_endorsed_so_often_and_no_more(world: World) -> None:
    covered = cover_in_force(world)
    for _ in range(ENDORSEMENTS_MAX):
        endorse(world, covered)
    world.do(covered.insurer.first, OFFER, **offering(covered, sum_insured_fen=SUM_FEN))
    fund(world, covered.policyholder, 100_000)
    world.refuses("cover.endorsed_often", covered.policyholder, ENDORSE, **consent(world, covered))
