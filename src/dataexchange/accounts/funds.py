"""Money enters and leaves 入金与出金: each by one receipt of the bank, each receipt once.

A party orders its own withdrawal, which sets the sum aside; the operator reports that the bank
has paid it. So the operator's signature alone never takes money from a party.
"""

from typing import Annotated

from pydantic import Field

from dataexchange.accounts.book import BANK, FEES, Book, account_key
from dataexchange.identity.party import Party
from dataexchange.rules import (
    Changes,
    Event,
    Payload,
    RefusalCode,
    Role,
    State,
    View,
    event,
    require_actor,
    require_same,
    require_status,
)
from dataexchange.rules.payload import PositiveFen
from dataexchange.rules.reference import PartyId, WithdrawalId

PAYMENT_RULES = "非银行支付机构监督管理条例 (国务院令768号); domain: settlement"

RECEIPT_USED = RefusalCode(
    "receipt.used",
    clause=PAYMENT_RULES,
    zh="银行流水号 {reference} 已入账",
    en="Bank reference {reference} is in the book already",
    remedy_zh="同一笔银行流水只能记账一次；核对流水号。",
    remedy_en="One bank transaction is booked once; check the reference.",
    kind="conflict",
)

# Upper case only: two spellings of one reference would be two receipts.
BankReference = Annotated[
    str,
    Field(pattern=r"^[A-Z0-9][A-Z0-9-]{3,63}$", description="银行流水号, the bank's own reference"),
]


class Receipt(State, frozen=True, kw_only=True):
    """A transaction of the bank as booked; its key is `receipt/<reference>`."""

    KIND = "receipt"

    party: str
    amount_fen: int
    direction: str  # in | out


class Withdrawal(State, frozen=True, kw_only=True):
    """A sum that a party ordered to be paid out, set aside in `account/<withdrawal>`."""

    KIND = "withdrawal"

    party: str
    amount_fen: int
    status: str  # requested | paid | cancelled


class FundsDeposited(Payload):
    """Money that the bank received for a party."""

    party: PartyId
    amount_fen: PositiveFen
    bank_reference: BankReference


class WithdrawalRequested(Payload):
    """A party's order to pay out of its own account."""

    withdrawal: WithdrawalId
    amount_fen: PositiveFen


class WithdrawalCancelled(Payload):
    """The order taken back before the bank paid."""

    withdrawal: WithdrawalId


class FundsWithdrawn(Payload):
    """The bank has paid an order."""

    withdrawal: WithdrawalId
    party: PartyId
    bank_reference: BankReference


class FeesCollected(Payload):
    """Platform fees that the operator takes as its own."""

    amount_fen: PositiveFen


def receipt_key(reference: str) -> str:
    """Return the key that makes a bank reference usable once."""
    return f"receipt/{reference}"


def _received(view: View, reference: str, *, party: str, amount_fen: int, way: str) -> Receipt:
    key = receipt_key(reference)
    if view.find(Receipt, key) is not None:
        raise RECEIPT_USED(reference=reference)
    return Receipt(id=key, party=party, amount_fen=amount_fen, direction=way)


@event(
    "funds.deposited@1",
    by={Role.OPERATOR},
    zh="入金",
    en="Deposit funds",
    clause=PAYMENT_RULES,
    also=lambda payload, actor: (
        account_key(payload.party),
        BANK,
        receipt_key(payload.bank_reference),
    ),
    sealable=("account",),
)
def deposit(view: View, event: Event[FundsDeposited]) -> Changes:
    """Book a sum that the bank received."""
    paid = event.payload
    view.get(Party, paid.party)
    book = Book(view)
    book.move(paid.amount_fen, source=BANK, target=account_key(paid.party))
    receipt = _received(
        view, paid.bank_reference, party=paid.party, amount_fen=paid.amount_fen, way="in"
    )
    return (receipt, *book.changes())


@event(
    "withdrawal.requested@1",
    by=set(Role),
    zh="申请出金",
    en="Order a withdrawal",
    clause=PAYMENT_RULES,
    also=lambda payload, actor: (account_key(actor), account_key(payload.withdrawal)),
    sealable=("account",),
)
def request_withdrawal(view: View, event: Event[WithdrawalRequested]) -> Changes:
    """Set the sum aside, so that it is not spent twice while the bank pays."""
    order = event.payload
    view.require_new(order.withdrawal)
    book = Book(view)
    book.move(
        order.amount_fen, source=account_key(event.actor), target=account_key(order.withdrawal)
    )
    withdrawal = Withdrawal(
        id=order.withdrawal, party=event.actor, amount_fen=order.amount_fen, status="requested"
    )
    return (withdrawal, *book.changes())


@event(
    "withdrawal.cancelled@1",
    by=set(Role),
    zh="撤回出金",
    en="Take a withdrawal back",
    clause=PAYMENT_RULES,
    also=lambda payload, actor: (account_key(actor), account_key(payload.withdrawal)),
)
def cancel_withdrawal(view: View, event: Event[WithdrawalCancelled]) -> Changes:
    """Return the sum to the party that ordered it."""
    withdrawal = view.get(Withdrawal, event.payload.withdrawal)
    require_actor(event.actor, withdrawal.party, withdrawal.id)
    require_status(withdrawal, "requested")
    book = Book(view)
    book.move(
        withdrawal.amount_fen, source=account_key(withdrawal.id), target=account_key(event.actor)
    )
    return (withdrawal.but(status="cancelled"), *book.changes())


@event(
    "funds.withdrawn@1",
    by={Role.OPERATOR},
    zh="出金",
    en="Withdraw funds",
    clause=PAYMENT_RULES,
    also=lambda payload, actor: (
        account_key(payload.withdrawal),
        BANK,
        receipt_key(payload.bank_reference),
    ),
    sealable=("account",),
)
def withdraw(view: View, event: Event[FundsWithdrawn]) -> Changes:
    """Book that the bank has paid an order."""
    paid = event.payload
    withdrawal = view.get(Withdrawal, paid.withdrawal)
    require_same("party", paid.party, withdrawal.party)
    require_status(withdrawal, "requested")
    book = Book(view)
    book.move(withdrawal.amount_fen, source=account_key(withdrawal.id), target=BANK)
    receipt = _received(
        view, paid.bank_reference, party=paid.party, amount_fen=withdrawal.amount_fen, way="out"
    )
    return (receipt, withdrawal.but(status="paid"), *book.changes())


@event(
    "fees.collected@1",
    by={Role.OPERATOR},
    zh="收取服务费",
    en="Collect platform fees",
    clause="domain: settlement, fees",
    also=lambda payload, actor: (FEES, account_key(actor)),
)
def collect_fees(view: View, event: Event[FeesCollected]) -> Changes:
    """Move fees from the exchange's fee account to the operator's own."""
    book = Book(view)
    book.move(event.payload.amount_fen, source=FEES, target=account_key(event.actor))
    return book.changes()
