"""Whatever moves, the accounts sum to zero and nobody's is overdrawn."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.accounts.book import BANK, FEES, Account, Book, account_key
from dataexchange.errors import RefusedError
from dataexchange.rules import Held, View

KEYS = (BANK, FEES, "account/a", "account/b", "account/escrow")
moves = st.lists(
    st.tuples(st.sampled_from(KEYS), st.sampled_from(KEYS), st.integers(0, 10**12)), max_size=30
)


def view(**balances: int) -> View:
    held = {key: Held(0, "0" * 64, None) for key in KEYS}
    for name, fen in balances.items():
        key = account_key(name)
        held[key] = Held(1, "0" * 64, Account(id=key, balance_fen=fen))
    return View(held)


@given(moves)
def test_the_accounts_sum_to_zero_and_only_the_bank_is_below_it(
    moves: list[tuple[str, str, int]],
) -> None:
    book = Book(view(bank=-500, a=300, b=200))
    for source, target, amount_fen in moves:
        with suppress(RefusedError):
            book.move(amount_fen, source=source, target=target)
    balances = {key: book.balance_fen(key) for key in KEYS}
    assert sum(balances.values()) == 0
    assert all(fen >= 0 for key, fen in balances.items() if key != BANK)


def test_a_move_to_itself_changes_nothing() -> None:
    book = Book(view(a=300))
    book.move(100, source="account/a", target="account/a")
    assert book.changes() == (Account(id="account/a", balance_fen=300),)


def test_an_account_is_never_overdrawn() -> None:
    book = Book(view(a=300))
    with pytest.raises(RefusedError) as caught:
        book.move(301, source="account/a", target="account/b")
    assert caught.value.facts["balance_fen"] == 300


def test_a_negative_amount_is_a_fault_of_the_caller() -> None:
    with pytest.raises(ValueError, match="negative"):
        Book(view(a=300)).move(-1, source="account/b", target="account/a")
