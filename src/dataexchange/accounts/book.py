"""The double-entry book 复式账: accounts in 分 that sum to zero, none of a party's negative.

Money enters and leaves through one account of the outside world, `account/bank`, which mirrors
what the bank holds and is the only one below zero. Escrows are accounts of their own.
"""

from dataexchange.rules import RefusalCode, State, View

BANK = "account/bank"
FEES = "account/fees"

INSUFFICIENT = RefusalCode(
    "account.insufficient",
    clause="domain: settlement, none negative",
    zh="账户 {account} 余额 {balance_fen} 分，不足 {amount_fen} 分",
    en="Account {account} holds {balance_fen} fen, less than {amount_fen}",
    remedy_zh="先入金，或减少金额。",
    remedy_en="Deposit funds first, or ask for less.",
    kind="conflict",
)


class Account(State, frozen=True, kw_only=True):
    """An account; its key is `account/<party>`, `account/<escrow>`, or one of the two above."""

    KIND = "account"

    balance_fen: int = 0


def account_key(owner: str) -> str:
    """Return the key of the account of a party or an escrow."""
    return f"account/{owner}"


class Book:
    """Some accounts while one event moves money between them; every move keeps the sum."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._balances: dict[str, int] = {}

    def balance_fen(self, account: str) -> int:
        """Return what `account` holds now."""
        if account not in self._balances:
            held = self._view.find(Account, account)
            self._balances[account] = held.balance_fen if held is not None else 0
        return self._balances[account]

    def move(self, amount_fen: int, *, source: str, target: str) -> None:
        """Move `amount_fen` ≥ 0; refuse to overdraw any account but the bank's."""
        if amount_fen < 0:
            raise ValueError("a negative amount")
        before = self.balance_fen(source)
        if source != BANK and before < amount_fen:
            raise INSUFFICIENT(account=source, balance_fen=before, amount_fen=amount_fen)
        self._balances[source] = before - amount_fen
        self._balances[target] = self.balance_fen(target) + amount_fen

    def changes(self) -> tuple[Account, ...]:
        """Return the accounts as the moves left them."""
        return tuple(Account(id=key, balance_fen=fen) for key, fen in self._balances.items())
