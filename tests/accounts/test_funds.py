"""Money enters by one receipt of the bank and leaves by the party's order."""

from typing import Any

import pytest
from pydantic import ValidationError

from dataexchange.accounts.funds import FundsDeposited, Withdrawal
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.rules import Role
from steps_accounts import assert_books_balance, balance_fen, bank_reference, fund
from world import World


@pytest.fixture
def world() -> World:
    return World()


def ordered(world: World, party: Actor, amount_fen: int) -> str:
    withdrawal = new_id("withdrawal")
    world.do(party, "withdrawal.requested@1", withdrawal=withdrawal, amount_fen=amount_fen)
    return withdrawal


def paid(withdrawal: str, party: Actor) -> dict[str, Any]:
    return {
        "withdrawal": withdrawal,
        "party": party.party,
        "bank_reference": bank_reference(),
    }


def test_a_deposit_raises_the_partys_account_and_mirrors_the_bank(world: World) -> None:
    buyer = world.join(Role.BUYER)
    fund(world, buyer, 10_000)
    assert balance_fen(world, buyer.party) == 10_000
    assert balance_fen(world, "bank") == -10_000
    assert_books_balance(world)


def test_a_bank_reference_is_booked_once(world: World) -> None:
    buyer, other = world.join(Role.BUYER), world.join(Role.BUYER)
    reference = fund(world, buyer, 10_000)
    for party in (buyer, other):
        world.refuses(
            "receipt.used",
            world.operator,
            "funds.deposited@1",
            party=party.party,
            amount_fen=10_000,
            bank_reference=reference,
        )


def test_a_reference_of_a_deposit_cannot_serve_a_withdrawal(world: World) -> None:
    buyer = world.join(Role.BUYER)
    reference = fund(world, buyer, 10_000)
    withdrawal = ordered(world, buyer, 4_000)
    payload = {**paid(withdrawal, buyer), "bank_reference": reference}
    world.refuses("receipt.used", world.operator, "funds.withdrawn@1", **payload)


@pytest.mark.parametrize("reference", ["bank-0001", "A/1234", "AB", "-ABCD"])
def test_a_reference_has_one_spelling(reference: str) -> None:
    with pytest.raises(ValidationError):
        FundsDeposited(party=new_id("party"), amount_fen=1, bank_reference=reference)


def test_only_the_operator_reports_what_the_bank_did(world: World) -> None:
    buyer = world.join(Role.BUYER)
    world.refuses(
        "role.missing",
        buyer,
        "funds.deposited@1",
        party=buyer.party,
        amount_fen=1,
        bank_reference=bank_reference(),
    )


def test_nothing_is_deposited_for_a_stranger(world: World) -> None:
    world.refuses(
        "aggregate.not_found",
        world.operator,
        "funds.deposited@1",
        party=new_id("party"),
        amount_fen=1,
        bank_reference=bank_reference(),
    )


def test_a_withdrawal_is_set_aside_and_then_paid(world: World) -> None:
    buyer = world.join(Role.BUYER)
    fund(world, buyer, 10_000)
    withdrawal = ordered(world, buyer, 4_000)
    assert balance_fen(world, buyer.party) == 6_000
    assert balance_fen(world, withdrawal) == 4_000
    world.do(world.operator, "funds.withdrawn@1", **paid(withdrawal, buyer))
    assert balance_fen(world, "bank") == -6_000
    assert world.state(Withdrawal, withdrawal).status == "paid"
    assert_books_balance(world)


def test_nobody_withdraws_more_than_they_hold(world: World) -> None:
    buyer = world.join(Role.BUYER)
    fund(world, buyer, 10_000)
    world.refuses(
        "account.insufficient",
        buyer,
        "withdrawal.requested@1",
        withdrawal=new_id("withdrawal"),
        amount_fen=10_001,
    )


def test_an_order_is_paid_once(world: World) -> None:
    buyer = world.join(Role.BUYER)
    fund(world, buyer, 10_000)
    withdrawal = ordered(world, buyer, 4_000)
    world.do(world.operator, "funds.withdrawn@1", **paid(withdrawal, buyer))
    world.refuses(
        "aggregate.wrong_status", world.operator, "funds.withdrawn@1", **paid(withdrawal, buyer)
    )


def test_an_order_is_paid_to_the_party_that_gave_it(world: World) -> None:
    buyer, other = world.join(Role.BUYER), world.join(Role.BUYER)
    fund(world, buyer, 10_000)
    withdrawal = ordered(world, buyer, 4_000)
    world.refuses("event.mismatch", world.operator, "funds.withdrawn@1", **paid(withdrawal, other))


def test_a_cancelled_order_returns_the_money_and_cannot_be_paid(world: World) -> None:
    buyer, other = world.join(Role.BUYER), world.join(Role.BUYER)
    fund(world, buyer, 10_000)
    withdrawal = ordered(world, buyer, 4_000)
    world.refuses("party.not_concerned", other, "withdrawal.cancelled@1", withdrawal=withdrawal)
    world.do(buyer, "withdrawal.cancelled@1", withdrawal=withdrawal)
    assert balance_fen(world, buyer.party) == 10_000
    world.refuses(
        "aggregate.wrong_status", world.operator, "funds.withdrawn@1", **paid(withdrawal, buyer)
    )


def test_the_operator_collects_no_more_fees_than_there_are(world: World) -> None:
    world.refuses("account.insufficient", world.operator, "fees.collected@1", amount_fen=1)
