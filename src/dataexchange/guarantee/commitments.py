"""What a guarantor carries, kept as it changes: per obligor, per group of affiliates, in all.

Weights follow a household's total, so an obligor's aggregate keeps its amounts by kind, and the
group's and the guarantor's keep sums of weighted balances, each rounded up to whole 分. An obligor
is counted in the group that its aggregate names; `exposure.regrouped` moves it when the group of
the party has changed.
"""

from typing import Annotated

from pydantic import Field

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
from dataexchange.identity.party import Party
from dataexchange.rules import (
    Changes,
    Event,
    Payload,
    Policy,
    RefusalCode,
    Role,
    State,
    View,
    event,
    require_actor,
    require_same,
)
from dataexchange.rules.payload import Fen, Hash, PositiveFen, decimal
from dataexchange.rules.reference import GroupId, PartyId

NO_CAPITAL = RefusalCode(
    "guarantee.no_capital_reported",
    clause="国务院令683号 art. 15",
    zh="担保机构 {guarantor} 尚未报告净资产",
    en="Guarantor {guarantor} has not reported its net assets",
    remedy_zh="先提交 guarantor.capital_reported。",
    remedy_en="Submit guarantor.capital_reported first.",
)

GROUP_CHANGED = RefusalCode(
    "guarantee.group_changed",
    clause="国务院令683号 art. 16",
    zh="被担保人 {obligor} 现计入关联组 {held}，事件写的是 {named}",
    en="Obligor {obligor} is counted in group {held}; the event names {named}",
    remedy_zh="先提交 exposure.regrouped，把已有责任转入现在的关联组。",
    remedy_en="Submit exposure.regrouped first, so that what is carried moves to the group.",
    kind="conflict",
)
NOTHING_TO_MOVE = RefusalCode(
    "exposure.nothing_to_move",
    clause="国务院令683号 art. 16",
    zh="对 {obligor} 没有在保责任，或其关联组未变",
    en="Nothing is carried for {obligor}, or its group is the same",
    kind="conflict",
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

    Its key is `exposure/<guarantor>/<obligor or group>`; `group` is where an obligor is counted.
    """

    KIND = "exposure"

    balance_fen: int = 0
    by_kind_fen: dict[str, int] = {}
    group: str | None = None


class CapitalReported(Payload):
    """A guarantor's audited capital: what its limits rest on."""

    net_assets_fen: PositiveFen
    stakes_in_guarantors_fen: Fen = 0
    focused: Annotated[bool, Field(description="主要为小微企业和“三农”服务")] = False
    controlling_shareholders: Annotated[tuple[PartyId, ...], Field(max_length=8)] = ()
    report_sha256: Hash


class ExposureRegrouped(Payload):
    """An obligor whose group has changed: from where, to where what is carried for it moves."""

    guarantor: PartyId
    obligor: PartyId
    group_before: GroupId | None = None
    group: GroupId | None = None


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


@event(
    "guarantor.capital_reported@1",
    by={Role.GUARANTOR},
    zh="报告净资产",
    en="Report a guarantor's capital",
    clause="国务院令683号 art. 15",
    also=lambda payload, actor: (book_key(actor),),
)
def report_capital(view: View, event: Event[CapitalReported]) -> Changes:
    """Set what the limits rest on; the balance carried stays as it is."""
    said = event.payload
    held = view.find(GuarantorBook, book_key(event.actor))
    return GuarantorBook(
        id=book_key(event.actor),
        net_assets_fen=said.net_assets_fen,
        stakes_fen=said.stakes_in_guarantors_fen,
        focused=said.focused,
        controlling_shareholders=said.controlling_shareholders,
        report=said.report_sha256,
        balance_fen=held.balance_fen if held is not None else 0,
    )


def _keys_of_move(payload: ExposureRegrouped, actor: str) -> tuple[str, ...]:
    names = (payload.obligor, payload.group_before, payload.group)
    return tuple(carried_key(payload.guarantor, name) for name in names if name is not None)


@event(
    "exposure.regrouped@1",
    by={Role.GUARANTOR, Role.OPERATOR, Role.REGULATOR},
    zh="调整关联组敞口",
    en="Move an obligor's exposure to its group",
    clause="国务院令683号 art. 16",
    also=_keys_of_move,
)
def regroup(view: View, event: Event[ExposureRegrouped]) -> Changes:
    """Count an obligor in the group it is in now; this records a fact and refuses at no limit."""
    said = event.payload
    if Role.GUARANTOR in event.roles:
        require_actor(event.actor, said.guarantor, said.guarantor)
    carried = _carried(view, carried_key(said.guarantor, said.obligor))
    require_same("group", said.group, view.get(Party, said.obligor).group)
    require_same("group_before", said.group_before, carried.group)
    if said.group == carried.group or not carried.balance_fen:
        raise NOTHING_TO_MOVE(obligor=said.obligor)
    return (
        carried.but(group=said.group),
        *_together(view, said.guarantor, said.group_before, -carried.balance_fen),
        *_together(view, said.guarantor, said.group, carried.balance_fen),
    )


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
    if before.balance_fen and before.group != group:
        raise GROUP_CHANGED(obligor=obligor, held=before.group or "—", named=group or "—")
    amounts = {**before.by_kind_fen, kind.value: before.by_kind_fen.get(kind, 0) + delta_fen}
    after_fen = _weighted_fen(obligor, amounts)
    difference = after_fen - before.balance_fen
    one = before.but(balance_fen=after_fen, by_kind_fen=amounts, group=group)
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
