"""What a guarantor carries, kept as it changes: per obligor, per group of affiliates, in all.

Weights follow a household's total, so an obligor's aggregate keeps its amounts by kind, and the
group's and the guarantor's keep sums of weighted balances, each rounded up to whole 分.
"""

from dataexchange.guarantee.exposure import (
    CONTROLLING_SHAREHOLDER,
    Commitment,
    Guarantor,
    ObligorKind,
    check_balance_fen,
    check_group_fen,
    check_obligor_fen,
    exposure_of,
)
from dataexchange.rules import Policy, RefusalCode, State, View
from dataexchange.rules.payload import decimal

NO_CAPITAL = RefusalCode(
    "guarantee.no_capital_reported",
    clause="国务院令683号 art. 15",
    zh="担保机构 {guarantor} 尚未报告净资产",
    en="Guarantor {guarantor} has not reported its net assets",
    remedy_zh="先提交 guarantor.capital_reported。",
    remedy_en="Submit guarantor.capital_reported first.",
)


class GuarantorBook(State, frozen=True, kw_only=True):
    """A guarantor's capital and all that it carries; its key is `book/<guarantor>`."""

    KIND = "book"

    net_assets_fen: int
    stakes_fen: int
    focused: bool
    controlling_shareholders: tuple[str, ...]
    report: str
    balance_fen: int = 0


class Carried(State, frozen=True, kw_only=True):
    """What a guarantor carries for one obligor, or for one group (weighted sum only).

    Its key is `exposure/<guarantor>/<obligor or group>`.
    """

    KIND = "exposure"

    balance_fen: int = 0
    by_kind_fen: dict[str, int] = {}


def book_key(guarantor: str) -> str:
    """Return the key of a guarantor's book."""
    return f"book/{guarantor}"


def carried_key(guarantor: str, obligor_or_group: str) -> str:
    """Return the key of what a guarantor carries for an obligor or a group."""
    return f"exposure/{guarantor}/{obligor_or_group}"


def keys(guarantor: str, obligor: str, group: str | None) -> tuple[str, ...]:
    """Return the keys of the aggregates that one commitment changes."""
    groups = () if group is None else (carried_key(guarantor, group),)
    return (book_key(guarantor), carried_key(guarantor, obligor), *groups)


def changed(
    view: View,
    guarantor: str,
    obligor: str,
    *,
    group: str | None,
    kind: ObligorKind,
    delta_fen: int,
) -> tuple[State, ...]:
    """Return the aggregates after `delta_fen` more (or less) in force; refuse above any limit."""
    book = _book(view, guarantor)
    if delta_fen > 0 and obligor in book.controlling_shareholders:
        raise CONTROLLING_SHAREHOLDER(obligor=obligor)
    before = _carried(view, carried_key(guarantor, obligor))
    amounts = {**before.by_kind_fen, kind.value: before.by_kind_fen.get(kind, 0) + delta_fen}
    after_fen = _weighted_fen(obligor, amounts)
    difference = after_fen - before.balance_fen
    one = before.but(balance_fen=after_fen, by_kind_fen=amounts)
    whole = book.but(balance_fen=book.balance_fen + difference)
    together = _together(view, guarantor, group, difference)
    if delta_fen > 0:
        limits = _guarantor(book, view.policy)
        check_obligor_fen(limits, obligor, one.balance_fen)
        for affiliates in together:
            check_group_fen(limits, group or "", affiliates.balance_fen)
        check_balance_fen(limits, whole.balance_fen)
    return (whole, one, *together)


def _together(
    view: View, guarantor: str, group: str | None, difference: int
) -> tuple[Carried, ...]:
    if group is None:
        return ()
    held = _carried(view, carried_key(guarantor, group))
    return (held.but(balance_fen=held.balance_fen + difference),)


def _book(view: View, guarantor: str) -> GuarantorBook:
    book = view.find(GuarantorBook, book_key(guarantor))
    if book is None:
        raise NO_CAPITAL(guarantor=guarantor)
    return book


def _carried(view: View, key: str) -> Carried:
    return view.find(Carried, key) or Carried(id=key)


def _weighted_fen(obligor: str, amounts: dict[str, int]) -> int:
    held = [
        Commitment(obligor, fen, ObligorKind(kind), bond_rated_aa_plus=kind == ObligorKind.BOND)
        for kind, fen in amounts.items()
    ]
    return exposure_of(held).balance_fen


def _guarantor(book: GuarantorBook, policy: Policy) -> Guarantor:
    return Guarantor(
        book.net_assets_fen,
        book.stakes_fen,
        book.focused,
        multiple_usual=decimal(policy.guarantee_multiple_max),
        multiple_focused=decimal(policy.guarantee_multiple_small_max),
        obligor_share_max=decimal(policy.guarantee_single_ratio_max),
        group_share_max=decimal(policy.guarantee_affiliated_ratio_max),
    )
