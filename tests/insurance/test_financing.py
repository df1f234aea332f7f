"""Financing files: each mode names what it rests on, and the ledger holds it."""

import pytest

from dataexchange.client.typeid import new_id
from dataexchange.guarantee.pledge import Pledge
from dataexchange.insurance.financing import Financing
from dataexchange.rules import Role
from steps_guarantee import Pledged, active_pledge, guarantee_in_force
from steps_insurance import cover_in_force, loan_cover
from steps_pipeline import digest
from steps_valuation import VALUE_FEN, issued_valuation
from world import World

FILE, CONFIRM = "financing.filed@1", "financing.confirmed@1"
WARRANT = {
    "notional_fen": 3_200_000,
    "option_value": "0.416642",
    "default_probability": "0.04",
    "loss_given_default": "0.55",
    "valuation_sha256": digest("warrant"),
}


@pytest.fixture
def world() -> World:
    return World()


def filing(pledged: Pledged, mode: str, **changes: object) -> dict[str, object]:
    return {
        "financing": new_id("financing"),
        "mode": mode,
        "pledge": pledged.pledge,
        "asset": pledged.product.asset,
        "valuation": pledged.valuation,
        **changes,
    }


def agreed(world: World, figure_fen: int) -> Pledged:
    """Return an active pledge resting on a figure that pledgor and lender have signed."""
    pledged = active_pledge(world)
    said = {"valuation": pledged.valuation, "figure_fen": figure_fen}
    for party in (pledged.pledgor, pledged.lender):
        world.do(party, "valuation.agreed@1", **said)
    put = {"pledge": pledged.pledge, "valuation": pledged.valuation}
    world.do(pledged.appraiser, "pledge.revalued@1", **put)
    return pledged


def test_an_insured_loan_names_the_policy_that_insures_it(world: World) -> None:
    pledged = active_pledge(world)
    covered = loan_cover(world, pledged)
    said = filing(pledged, "insured_loan", cover=covered.cover)
    world.refuses("financing.mode_unfit", pledged.lender, FILE, **{**said, "cover": None})
    other = loan_cover(world)
    wrong = {**said, "cover": other.cover}
    world.refuses("financing.cover_unfit", pledged.lender, FILE, **wrong)
    asset = cover_in_force(world, pledged.product)
    world.refuses("financing.cover_unfit", pledged.lender, FILE, **{**said, "cover": asset.cover})
    world.do(pledged.lender, FILE, **said)
    financing = world.state(Financing, str(said["financing"]))
    assert (financing.status, financing.cover, financing.liens_before) == (
        "filed",
        covered.cover,
        0,
    )


def test_a_policy_that_was_cancelled_makes_no_insured_loan(world: World) -> None:
    pledged = active_pledge(world)
    covered = loan_cover(world, pledged)
    world.do(covered.policyholder, "cover.cancelled@1", **covered.cancellation)
    said = filing(pledged, "insured_loan", cover=covered.cover)
    world.refuses("financing.cover_unfit", pledged.lender, FILE, **said)


def test_a_negotiated_value_is_signed_by_all_and_is_what_the_pledge_rests_on(world: World) -> None:
    pledged = active_pledge(world)
    plain = filing(pledged, "negotiated_value")
    world.refuses("financing.not_agreed", pledged.lender, FILE, **plain)
    figure_fen = VALUE_FEN * 11 // 10
    pledged = agreed(world, figure_fen)
    guaranteed = guarantee_in_force(world, pledged)
    said = filing(pledged, "negotiated_value", guarantee=guaranteed.guarantee)
    world.refuses("financing.not_agreed", pledged.lender, FILE, **said)
    figure = {"valuation": pledged.valuation, "figure_fen": figure_fen}
    world.do(guaranteed.house.analyst, "valuation.agreed@1", **figure)
    world.do(pledged.lender, FILE, **said)
    assert world.state(Financing, str(said["financing"])).value_fen == figure_fen


def test_a_loan_with_a_warrant_says_what_both_are_expected_to_bring(world: World) -> None:
    pledged = active_pledge(world)
    said = filing(pledged, "loan_and_equity", warrant=WARRANT)
    world.refuses("financing.mode_unfit", pledged.lender, FILE, **{**said, "warrant": None})
    stray = filing(pledged, "negotiated_value", warrant=WARRANT)
    world.refuses("financing.mode_unfit", pledged.lender, FILE, **stray)
    world.do(pledged.lender, FILE, **said)
    warrant = world.state(Financing, str(said["financing"])).warrant
    # 40M fen at 4.35 %, PD 4 %, LGD 55 %, and 3.2M fen of warrant at 41.6642 %.
    assert warrant is not None
    assert warrant.expected_fen == 1_670_400 - 880_000 + 1_333_254


def test_a_guarantee_of_another_debt_is_not_named(world: World) -> None:
    pledged, other = active_pledge(world), guarantee_in_force(world)
    said = filing(pledged, "loan_and_equity", warrant=WARRANT, guarantee=other.guarantee)
    world.refuses("event.mismatch", pledged.lender, FILE, **said)


def test_only_the_lender_files_a_performing_loan_on_a_clean_title(world: World) -> None:
    pledged = active_pledge(world)
    said = filing(pledged, "loan_and_equity", warrant=WARRANT)
    world.refuses("party.not_concerned", world.join(Role.LENDER), FILE, **said)
    world.refuses("role.missing", pledged.pledgor, FILE, **said)
    later, _ = issued_valuation(world, pledged.product)
    world.refuses("event.mismatch", pledged.lender, FILE, **{**said, "valuation": later})
    other = active_pledge(world).product.asset
    world.refuses("event.mismatch", pledged.lender, FILE, **{**said, "asset": other})
    world.do(pledged.lender, FILE, **said)
    world.refuses("aggregate.exists", pledged.lender, FILE, **said)
    world.advance(days=366)
    world.do(pledged.lender, "pledge.defaulted@1", pledge=pledged.pledge)
    late = filing(pledged, "loan_and_equity", warrant=WARRANT)
    world.refuses("aggregate.wrong_status", pledged.lender, FILE, **late)


def test_a_second_lien_says_how_many_rank_before_it(world: World) -> None:
    small = {"principal_fen": VALUE_FEN // 5, "secured_fen": VALUE_FEN // 5}
    first = active_pledge(world, **small)
    second = active_pledge(world, first.product, **small)
    said = filing(second, "loan_and_equity", warrant=WARRANT)
    world.do(second.lender, FILE, **said)
    assert world.state(Financing, str(said["financing"])).liens_before == 1
    assert world.state(Pledge, second.pledge).status == "ACTIVE"


def test_the_pledgor_confirms_exactly_what_was_filed(world: World) -> None:
    pledged = active_pledge(world)
    said = filing(pledged, "loan_and_equity", warrant=WARRANT)
    world.do(pledged.lender, FILE, **said)
    key = str(said["financing"])
    consent = {"financing": key, "proposal": world.head(key)}
    world.refuses("party.not_concerned", world.join(Role.PROVIDER), CONFIRM, **consent)
    wrong = {**consent, "proposal": "0" * 64}
    world.refuses("event.mismatch", pledged.pledgor, CONFIRM, **wrong)
    world.do(pledged.pledgor, CONFIRM, **consent)
    world.refuses("aggregate.wrong_status", pledged.pledgor, CONFIRM, **consent)
