"""Policies from the quote to their inception, and what stands in their way."""

from datetime import timedelta

import pytest

from dataexchange.client.typeid import new_id
from dataexchange.insurance.cover import Cover
from dataexchange.insurance.double_cover import COVERS_MAX, InsuredInterest, interest_key
from dataexchange.ledger.statement import format_time
from dataexchange.rules import Role
from steps_accounts import assert_books_balance, balance_fen, fund
from steps_guarantee import PRINCIPAL_FEN, Pledged, active_pledge, signed_pledge
from steps_insurance import (
    PREMIUM_FEN,
    SUM_FEN,
    accepted_cover,
    asset_loss_cover,
    cover_in_force,
    insurer,
    loan_cover,
    outage_cover,
    quotation,
)
from steps_pipeline import ready_product
from steps_valuation import VALUE_FEN, issued_valuation
from world import World

QUOTE, INCEPT = "cover.quoted@1", "cover.incepted@1"


@pytest.fixture
def world() -> World:
    return World()


def loan_terms(pledged: Pledged, **changes: object) -> dict[str, object]:
    sums = {"sum_insured_fen": PRINCIPAL_FEN, "insured_value_fen": PRINCIPAL_FEN}
    terms = {"pledge": pledged.pledge, **sums, **changes}
    return quotation(pledged.product, pledged.lender, kind="loan", **terms)


def test_a_policy_is_in_force_once_its_premium_is_paid(world: World) -> None:
    covered = accepted_cover(world)
    before = balance_fen(world, covered.insurer.party)
    world.do(covered.policyholder, INCEPT, **covered.inception)
    cover = world.state(Cover, covered.cover)
    assert cover.status == "IN_FORCE"
    assert (cover.starts, cover.version) == (format_time(world.now - timedelta(seconds=1)), 1)
    assert balance_fen(world, covered.insurer.party) - before == PREMIUM_FEN
    key = interest_key(covered.product.asset, covered.policyholder.party)
    assert world.state(InsuredInterest, key).covers[covered.cover].sum_fen == SUM_FEN
    assert_books_balance(world)


def test_only_an_insurer_quotes_once(world: World) -> None:
    product, house = ready_product(world), insurer(world)
    said = quotation(product, product.provider)
    world.refuses("role.missing", product.provider, QUOTE, **said)
    world.do(house.first, QUOTE, **said)
    world.refuses("aggregate.exists", house.first, QUOTE, **said)


def test_only_who_holds_the_asset_or_a_lien_on_it_is_insured(world: World) -> None:
    pledged, house = active_pledge(world), insurer(world)
    stranger = world.join(Role.BUYER)
    said = quotation(pledged.product, stranger)
    world.refuses("cover.no_insurable_interest", house.first, QUOTE, **said)
    for policyholder in (pledged.pledgor, pledged.lender):
        world.do(house.first, QUOTE, **quotation(pledged.product, policyholder))


def test_an_interest_that_has_gone_begins_no_policy(world: World) -> None:
    pledged = active_pledge(world)
    covered = accepted_cover(world, pledged.product, policyholder=pledged.lender)
    fund(world, pledged.pledgor, PRINCIPAL_FEN)
    repaid = {"pledge": pledged.pledge, "asset": pledged.product.asset}
    owed = world.refuses(
        "pledge.overpaid",
        pledged.pledgor,
        "pledge.repaid@1",
        **repaid,
        lender=pledged.lender.party,
        amount_fen=PRINCIPAL_FEN * 2,
    ).facts["due_fen"]
    payment = {"lender": pledged.lender.party, "amount_fen": owed}
    world.do(pledged.pledgor, "pledge.repaid@1", **repaid, **payment)
    world.do(pledged.lender, "pledge.released@1", **repaid)
    world.refuses("cover.no_insurable_interest", pledged.lender, INCEPT, **covered.inception)


def test_the_sum_insured_keeps_to_the_value_and_the_value_to_the_valuation(world: World) -> None:
    product, house = ready_product(world), insurer(world)
    over = quotation(product, product.provider, sum_insured_fen=VALUE_FEN + 1)
    world.refuses("cover.sum_above_value", house.first, QUOTE, **over)
    valuation, _ = issued_valuation(world, product)
    high = {"valuation": valuation, "insured_value_fen": VALUE_FEN + 1}
    said = quotation(product, product.provider, kind="asset_loss", **high)
    world.refuses("cover.sum_above_value", house.first, QUOTE, **said)
    world.do(house.first, QUOTE, **{**said, "insured_value_fen": VALUE_FEN})


def test_asset_loss_cover_rests_on_a_valuation_of_that_asset_in_force(world: World) -> None:
    product, house = ready_product(world), insurer(world)
    said = quotation(product, product.provider, kind="asset_loss")
    world.refuses("cover.valuation_needed", house.first, QUOTE, **said)
    other, _ = issued_valuation(world, ready_product(world))
    world.refuses("event.mismatch", house.first, QUOTE, **said, valuation=other)
    valuation, _ = issued_valuation(world, product)
    world.advance(days=380)
    expired = {**said, "valuation": valuation}
    world.refuses("valuation.no_longer_valid", house.first, QUOTE, **expired)


def test_loan_insurance_and_a_pledge_go_together(world: World) -> None:
    pledged, house = active_pledge(world), insurer(world)
    alone = loan_terms(pledged, pledge=None)
    world.refuses("cover.pledge_needed", house.first, QUOTE, **alone)
    stray = quotation(pledged.product, pledged.lender, pledge=pledged.pledge)
    world.refuses("cover.pledge_needed", house.first, QUOTE, **stray)
    world.do(house.first, QUOTE, **loan_terms(pledged))


def test_loan_insurance_is_the_lenders_up_to_the_secured_sum_of_that_pledge(world: World) -> None:
    pledged, house = active_pledge(world), insurer(world)
    over = loan_terms(pledged, insured_value_fen=PRINCIPAL_FEN + 1)
    world.refuses("cover.sum_above_value", house.first, QUOTE, **over)
    holder = {**loan_terms(pledged), "policyholder": pledged.pledgor.party}
    world.refuses("event.mismatch", house.first, QUOTE, **holder)
    other = active_pledge(world)
    stray = loan_terms(pledged, pledge=other.pledge)
    world.refuses("event.mismatch", house.first, QUOTE, **stray)


def test_a_loan_not_registered_or_in_default_is_not_insured(world: World) -> None:
    pledged, house = signed_pledge(world), insurer(world)
    said = loan_terms(pledged)
    world.refuses("cover.no_insurable_interest", house.first, QUOTE, **said)
    bad = active_pledge(world)
    covered = accepted_cover(
        world,
        bad.product,
        policyholder=bad.lender,
        kind="loan",
        pledge=bad.pledge,
        sum_insured_fen=PRINCIPAL_FEN,
        insured_value_fen=PRINCIPAL_FEN,
    )
    world.advance(days=366)
    world.do(bad.lender, "pledge.defaulted@1", pledge=bad.pledge)
    world.refuses("aggregate.wrong_status", house.first, QUOTE, **loan_terms(bad))
    world.refuses("aggregate.wrong_status", bad.lender, INCEPT, **covered.inception)
    hidden = {**covered.inception, "pledge": None}
    world.refuses("event.mismatch", bad.lender, INCEPT, **hidden)


@pytest.mark.parametrize(
    ("kind", "trigger"),
    [
        ("outage", None),
        ("security", {"attach": "12", "exit": "48"}),
        ("outage", {"attach": "48", "exit": "48"}),
    ],
)
def test_parametric_cover_alone_has_a_trigger_that_rises(
    world: World, kind: str, trigger: dict[str, str] | None
) -> None:
    product, house = ready_product(world), insurer(world)
    said = quotation(product, product.provider, kind=kind, trigger=trigger)
    world.refuses("cover.trigger_wrong", house.first, QUOTE, **said)
    rising = {**said, "product": "outage", "trigger": {"attach": "12", "exit": "48"}}
    world.do(house.first, QUOTE, **rising)


def test_each_side_signs_what_the_other_said_last(world: World) -> None:
    product, house = ready_product(world), insurer(world)
    holder, said = product.provider, quotation(product, product.provider)
    world.do(house.first, QUOTE, **said)
    signed = {"cover": said["cover"], "proposal": world.head(said["cover"])}
    apply, accept = "cover.applied@1", "cover.accepted@1"
    world.refuses("aggregate.wrong_status", house.second, accept, **signed)
    world.refuses("event.mismatch", holder, apply, **{**signed, "proposal": "0" * 64})
    world.refuses("party.not_concerned", world.join(Role.PROVIDER), apply, **signed)
    world.do(holder, apply, **signed)
    world.refuses("event.mismatch", house.second, accept, **signed)
    signed["proposal"] = world.head(said["cover"])
    world.refuses("cover.underwriter_quotes", house.first, accept, **signed)
    world.refuses("party.not_concerned", world.join(Role.INSURER), accept, **signed)
    world.do(house.second, accept, **signed)
    world.refuses("aggregate.wrong_status", holder, apply, **signed)


def test_the_policyholder_pays_the_insurer_the_premium(world: World) -> None:
    covered, other = accepted_cover(world), insurer(world)
    said = covered.inception
    stranger = world.join(Role.PROVIDER)
    world.refuses("party.not_concerned", stranger, INCEPT, **said)
    world.refuses(
        "event.mismatch", covered.policyholder, INCEPT, **{**said, "insurer": other.party}
    )
    asset = {**said, "asset": ready_product(world).asset}
    world.refuses("event.mismatch", covered.policyholder, INCEPT, **asset)
    world.do(covered.policyholder, INCEPT, **said)
    world.refuses("aggregate.wrong_status", covered.policyholder, INCEPT, **said)


def test_a_premium_that_cannot_be_paid_begins_nothing(world: World) -> None:
    covered = accepted_cover(world)
    spent = {"withdrawal": new_id("withdrawal"), "amount_fen": PREMIUM_FEN}
    world.do(covered.policyholder, "withdrawal.requested@1", **spent)
    world.refuses("account.insufficient", covered.policyholder, INCEPT, **covered.inception)


def test_either_side_steps_back_until_the_premium_is_paid(world: World) -> None:
    covered, event = accepted_cover(world), "cover.declined@1"
    said = {"cover": covered.cover, "reason": "另行投保"}
    world.refuses("party.not_concerned", world.join(Role.PROVIDER), event, **said)
    world.do(covered.policyholder, event, **said)
    world.refuses("aggregate.wrong_status", covered.policyholder, INCEPT, **covered.inception)
    begun = cover_in_force(world)
    late = {**said, "cover": begun.cover}
    world.refuses("aggregate.wrong_status", begun.insurer.first, event, **late)


def test_every_product_has_its_basis(world: World) -> None:
    covers = [asset_loss_cover(world), outage_cover(world), loan_cover(world)]
    kinds = [world.state(Cover, covered.cover).product.value for covered in covers]
    assert kinds == ["asset_loss", "outage", "loan"]
    assert_books_balance(world)


def test_covers_of_one_interest_are_bounded_and_old_ones_make_room(world: World) -> None:
    product, house = ready_product(world), insurer(world)
    for _ in range(COVERS_MAX):
        cover_in_force(world, product, house=house, period_days=1)
    last = accepted_cover(world, product, house=house)
    world.refuses("cover.too_many", last.policyholder, INCEPT, **last.inception)
    world.advance(days=733)
    world.do(last.policyholder, INCEPT, **last.inception)
    key = interest_key(product.asset, product.provider.party)
    assert list(world.state(InsuredInterest, key).covers) == [last.cover]
