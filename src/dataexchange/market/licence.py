"""A licence 许可: a contract between a provider and a buyer, from the first request to its end.

    requested ⇄ offered → accepted → agreed → verified → finalised ⇄ suspended, breached
                                                          → expired | terminated

The first six are the Dataspace Protocol's. What follows is the life that it lacks.
"""

from datetime import datetime
from typing import Any

import msgspec

from dataexchange.asset.grant import Grant, ended, grant_key, granted
from dataexchange.asset.title import Asset
from dataexchange.ledger.statement import format_time, parse_time
from dataexchange.market.offer import Offer, offer_of
from dataexchange.market.price import escrow_fen
from dataexchange.rules import RefusalCode, State, View
from dataexchange.rules.guard import require_same, require_status
from dataexchange.rules.time import end_of_day_after

CONTRACT_LAW = "民法典 合同编"
RUNNING = ("finalised", "breached")
CONCLUDED = ("finalised", "breached", "suspended", "expired", "terminated")
_DSP_STATES = {
    "requested": "REQUESTED",
    "offered": "OFFERED",
    "accepted": "ACCEPTED",
    "agreed": "AGREED",
    "verified": "VERIFIED",
}

EXCLUDED = RefusalCode(
    "licence.excluded",
    clause="民法典 art. 865; domain: exclusive licences exclude",
    zh="资产 {asset} 已独占许可（{licence}）",
    en="Asset {asset} is licensed exclusively by {licence}",
    remedy_zh="待独占许可终止；已到期的，先提交 licence.expired。",
    remedy_en="Wait for it to end; if it has run out, announce that by licence.expired.",
    kind="conflict",
)
OTHERS_LICENSED = RefusalCode(
    "licence.others_licensed",
    clause="民法典 art. 865; domain: exclusive licences exclude",
    zh="资产 {asset} 尚有 {count} 项有效许可，不能再作独占许可",
    en="Asset {asset} has {count} running licences, so it cannot be licensed exclusively",
    kind="conflict",
)
TERM_OVER = RefusalCode(
    "licence.term_over",
    clause=CONTRACT_LAW + " art. 509",
    zh="许可 {licence} 已于 {ends_at} 到期",
    en="Licence {licence} ran out at {ends_at}",
    remedy_zh="重新取得许可。",
    remedy_en="Obtain a new licence.",
    kind="conflict",
)


class Breach(msgspec.Struct, frozen=True):
    """A breach as one party reported it, and until when the other may cure it."""

    by: str
    reported_by: str
    cure_until: str


class Licence(State, frozen=True, kw_only=True):
    """A licence; money in 分, times RFC 3339.

    `proposal` is the leaf hash of the offer that both sides are bound to. `served` tells how far
    the provider has performed: none | completed | accepted | rejected | adjudicated.
    """

    KIND = "licence"

    listing: str
    asset: str
    provider: str
    buyer: str
    status: str
    offer: dict[str, Any]
    offered_by: str
    moved_at: str
    public_data: bool = False
    proposal: str | None = None
    policy_version: int = 0
    fee_ratio: str = "0"
    upstream_ratio: str = "0"
    acceptance_days: int = 0
    ceiling_version: int | None = None
    starts_at: str | None = None
    ends_at: str | None = None
    ended_at: str | None = None
    locked_fen: int = 0
    released_fen: int = 0
    refunded_fen: int = 0
    served: str = "none"
    served_at: str | None = None
    dispute: str | None = None
    breach: Breach | None = None
    suspended_by: str | None = None

    @property
    def agreed_offer(self) -> Offer:
        """The offer on the table, or the one agreed, to reason with."""
        return offer_of(self.offer)

    @property
    def escrow_fen(self) -> int:
        """What the escrow of this licence holds."""
        return self.locked_fen - self.released_fen - self.refunded_fen

    @property
    def due_at_agreement_fen(self) -> int:
        """What the buyer must lock before it verifies the agreement."""
        return escrow_fen(self.agreed_offer.charge)

    @property
    def is_concluded(self) -> bool:
        """Whether the contract was ever finalised."""
        return self.starts_at is not None

    @property
    def dsp_state(self) -> str:
        """The state of the negotiation in the Dataspace Protocol 2025-1."""
        if self.is_concluded:
            return "FINALIZED"
        return _DSP_STATES.get(self.status, "TERMINATED")

    def counterparty(self, actor: str) -> str:
        """Return the other party."""
        return self.buyer if actor == self.provider else self.provider


def require_in_term(licence: Licence, now: datetime) -> None:
    """Refuse unless the licence is in force now; expiry counts whether announced or not."""
    require_status(licence, *RUNNING)
    if licence.ends_at is None or now >= parse_time(licence.ends_at):
        raise TERM_OVER(licence=licence.id, ends_at=licence.ends_at)


def is_served(licence: Licence, now: datetime) -> bool:
    """Tell whether the provider has performed: accepted, adjudicated, or accepted by silence."""
    if licence.served in ("accepted", "adjudicated"):
        return True
    if licence.served != "completed" or licence.served_at is None:
        return False
    return now >= end_of_day_after(parse_time(licence.served_at), licence.acceptance_days)


def licensed_asset(view: View, licence: Licence, named: str) -> Asset:
    """Return the asset of `licence`; refuse where the event named another."""
    require_same("asset", named, licence.asset)
    return view.get(Asset, licence.asset)


def require_free(asset: Asset, *, exclusive: bool) -> None:
    """Refuse where a running licence of `asset` stands in the way of another."""
    if asset.exclusive_licence is not None:
        raise EXCLUDED(asset=asset.id, licence=asset.exclusive_licence)
    if exclusive and asset.licences_active:
        raise OTHERS_LICENSED(asset=asset.id, count=asset.licences_active)


def reserved(asset: Asset, licence: Licence) -> Asset:
    """Return `asset` with one more licence; from agreement on, an exclusive one excludes others."""
    exclusive = licence.agreed_offer.terms.exclusive
    require_free(asset, exclusive=exclusive)
    return asset.but(
        licences_active=asset.licences_active + 1,
        exclusive_licence=licence.id if exclusive else None,
    )


def freed(asset: Asset, licence: Licence) -> Asset:
    """Return `asset` with one licence less."""
    held = asset.exclusive_licence
    return asset.but(
        licences_active=asset.licences_active - 1,
        exclusive_licence=None if held == licence.id else held,
    )


def licence_grant(licence: Licence) -> Grant:
    """Return the right to use the asset that the licence gives its buyer now."""
    return granted(
        licence.asset,
        licence.id,
        party=licence.buyer,
        derivation=licence.agreed_offer.terms.derivation,
        until=licence.ends_at,
    )


def over(
    view: View, licence: Licence, asset: Asset, *, status: str, now: datetime
) -> tuple[Licence, Asset, Grant]:
    """Return what changes when a concluded licence ends: its grant with it, the asset is freer."""
    grant = view.get(Grant, grant_key(licence.asset, licence.id))
    at = format_time(now)
    gone = licence.but(status=status, ended_at=at, moved_at=at, suspended_by=None)
    return (gone, freed(asset, licence), ended(grant))
