"""Steps that put money into accounts, for the stories of every room above them."""

from itertools import count

from dataexchange.accounts.book import BANK, Account, account_key
from dataexchange.client.signing import Actor
from world import World

_numbers = count(1)


def bank_reference() -> str:
    """Return a bank reference that was not used before."""
    return f"BANK-{next(_numbers):08d}"


def fund(world: World, party: Actor, amount_fen: int) -> str:
    """Deposit `amount_fen` for `party`; return the bank reference."""
    reference = bank_reference()
    world.do(
        world.operator,
        "funds.deposited@1",
        party=party.party,
        amount_fen=amount_fen,
        bank_reference=reference,
    )
    return reference


def balance_fen(world: World, owner: str) -> int:
    """Return what the account of a party, an escrow or `fees` holds."""
    held = world.tail.held.get(account_key(owner))
    return held.state.balance_fen if held and isinstance(held.state, Account) else 0


def assert_books_balance(world: World) -> None:
    """All accounts sum to zero, and only the bank's is below it."""
    accounts = [state for state in world.held_states().values() if isinstance(state, Account)]
    assert sum(account.balance_fen for account in accounts) == 0
    assert all(account.balance_fen >= 0 for account in accounts if account.id != BANK)
