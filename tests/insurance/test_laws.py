"""What holds whatever claims come: payouts within the sum insured, nothing paid twice."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataexchange.errors import RefusedError
from dataexchange.insurance.claim import Claim
from dataexchange.insurance.cover import Cover
from steps_accounts import assert_books_balance, balance_fen
from steps_insurance import PREMIUM_FEN, SUM_FEN, Claimed, Covered, cover_in_force, reserved_claim
from steps_valuation import VALUE_FEN
from world import World

LOSSES = st.integers(1, VALUE_FEN)
ACTS = st.tuples(
    st.sampled_from(["notify", "assess", "advance", "agree", "pay", "reject", "dispute", "reopen"]),
    st.integers(0, 2),
    LOSSES,
    st.sampled_from([0, 0, 1_000_00, VALUE_FEN]),
)


def attempt(world: World, actor: Any, event: str, **payload: Any) -> None:
    """Do what the rules allow, and nothing where they refuse."""
    try:
        world.do(actor, event, **payload)
    except RefusedError:
        return


def act(world: World, claimed: Claimed, name: str, *, loss_fen: int, costs_fen: int) -> None:
    house, holder = claimed.covered.insurer, claimed.covered.policyholder
    reasoned = {**claimed.named, "reason": "理由"}
    signed = {"claim": claimed.claim, "proposal": world.head(claimed.claim)}
    match name:
        case "assess":
            said = claimed.assessment(loss_fen, mitigation_fen=costs_fen)
            attempt(world, house.first, "claim.assessed@1", **said)
        case "advance":
            said = {**claimed.payment, "amount_fen": loss_fen}
            attempt(world, house.first, "claim.paid_in_advance@1", **said)
        case "agree":
            attempt(world, holder, "claim.agreed@1", **signed)
        case "pay":
            attempt(world, house.second, "claim.paid@1", **claimed.payment)
        case "reject":
            attempt(world, house.first, "claim.rejected@1", **reasoned)
        case "dispute":
            attempt(world, holder, "claim.disputed@1", **reasoned)
        case _:
            attempt(world, house.first, "claim.closed@1", **reasoned)
            attempt(world, house.first, "claim.reopened@1", **reasoned)
            said = {"claim": claimed.claim, "reserve_fen": VALUE_FEN * 2}
            attempt(world, house.first, "claim.reserved@1", **said)


def check(world: World, covered: Covered, claims: list[Claimed]) -> None:
    cover = world.state(Cover, covered.cover)
    held = [world.state(Claim, claimed.claim) for claimed in claims]
    assert cover.confirmed_fen == sum(claim.payable_fen for claim in held) <= SUM_FEN
    assert cover.mitigation_fen == sum(claim.mitigation_fen for claim in held) <= SUM_FEN
    assert cover.paid_fen == sum(claim.paid_fen for claim in held) <= cover.confirmed_fen
    for claim in held:
        assert claim.paid_fen <= claim.payable_fen <= claim.claimed_fen
        assert claim.mitigation_paid_fen <= claim.mitigation_fen
    costs_fen = sum(claim.mitigation_paid_fen for claim in held)
    assert balance_fen(world, covered.policyholder.party) == cover.paid_fen + costs_fen
    assert cover.claims_open == sum(claim.status != "CLOSED" for claim in held)
    assert_books_balance(world)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(ACTS, max_size=24))
def test_payouts_stay_within_the_sum_insured_whatever_is_done(
    acts: list[tuple[str, int, int, int]],
) -> None:
    world = World()
    covered = cover_in_force(world, deductible_fen=0, premium_fen=PREMIUM_FEN)
    claims = [reserved_claim(world, covered, VALUE_FEN)]
    for name, which, loss_fen, costs_fen in acts:
        claimed = claims[min(which, len(claims) - 1)]
        if name == "notify":
            if world.state(Cover, covered.cover).status == "IN_FORCE":
                claims.append(reserved_claim(world, covered, loss_fen))
        else:
            act(world, claimed, name, loss_fen=loss_fen, costs_fen=costs_fen)
        check(world, covered, claims)
