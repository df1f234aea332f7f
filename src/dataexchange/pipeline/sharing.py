"""Sharing 共享 inside government: asked for by a public body, answered by the holder in time.

An exit of its own: it needs governance, not opening. 回流 is sharing back down to the body, or the
level, that the data came from.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from dataexchange.asset.title import Asset, require_dealable, require_holder
from dataexchange.asset.version import Version, version_key
from dataexchange.identity.party import Party
from dataexchange.ledger.statement import format_time, parse_time
from dataexchange.pipeline.elements import CatalogueEntry, SharingType, catalogue_key
from dataexchange.pipeline.gate import require_governed
from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, State, View, event
from dataexchange.rules.guard import require_actor, require_same, require_status
from dataexchange.rules.payload import Hash, Line, Moment, PositiveCount
from dataexchange.rules.reference import AssetId, ShareId
from dataexchange.rules.time import end_of_day_after

NOT_PUBLIC_BODY = RefusalCode(
    "share.not_public_body",
    clause="政务数据共享条例 art. 2",
    zh="{party} 不是政府部门或具有管理公共事务职能的组织，不能申请共享",
    en="{party} is no government body; sharing is between government bodies",
    remedy_zh="改走开放、授权运营或交易。",
    remedy_en="Use opening, an authorised operation or the market instead.",
    kind="forbidden",
)
NOT_SHARED = RefusalCode(
    "share.not_shared",
    clause="政务数据共享条例",
    zh="资产 {asset} 的共享属性为 {sharing}",
    en="Asset {asset} has sharing type {sharing}",
)
MUST_SHARE = RefusalCode(
    "share.must_share",
    clause="政务数据共享条例",
    zh="资产 {asset} 属无条件共享，不得拒绝",
    en="Asset {asset} is shared without conditions; a request cannot be refused",
    remedy_zh="同意共享，或先依法修订目录的共享属性。",
    remedy_en="Approve it, or first revise the sharing type on a lawful basis.",
    kind="forbidden",
)
SHARE_ENDED = RefusalCode(
    "share.ended",
    clause="政务数据共享条例",
    zh="共享 {share} 已于 {until} 到期",
    en="Share {share} ended at {until}",
    remedy_zh="重新申请。",
    remedy_en="Request it again.",
    kind="conflict",
)


class GovernmentLevel(StrEnum):
    """The level of government that asks."""

    NATIONAL = "national"
    PROVINCIAL = "provincial"
    CITY = "city"
    COUNTY = "county"


class Share(State, frozen=True, kw_only=True):
    """A request to share and what came of it; times RFC 3339."""

    KIND = "share"

    asset: str
    requester: str
    government_level: GovernmentLevel
    legal_basis: str
    returning: bool
    status: str  # requested | approved | refused | revoked
    due_at: str
    answered_at: str | None = None
    until: str | None = None
    conditions: str | None = None
    uses: int = 0

    @property
    def is_late(self) -> bool:
        """Whether the answer came after the clock had run out."""
        return self.answered_at is not None and self.answered_at > self.due_at


class ShareRequested(Payload):
    """A public body's request, with the law that it rests on."""

    share: ShareId
    asset: AssetId
    government_level: GovernmentLevel
    legal_basis: Line
    purpose: Line
    returning: Annotated[bool, Field(description="回流")] = False


class ShareApproved(Payload):
    """The holder's consent, for a version and later ones, until a time."""

    share: ShareId
    asset: AssetId
    version: PositiveCount
    until: Moment
    conditions: Line | None = None


class ShareRefused(Payload):
    """The holder's refusal, with its legal basis."""

    share: ShareId
    asset: AssetId
    reason: Line


class ShareUsed(Payload):
    """A use of what is shared, with the hash of the receipt."""

    share: ShareId
    purpose: Line
    receipt: Hash


class ShareRevoked(Payload):
    """The end of a share before its time."""

    share: ShareId
    asset: AssetId
    reason: Line


@event(
    "share.requested@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="申请共享",
    en="Request to share",
    clause="政务数据共享条例",
    also=lambda payload, actor: (catalogue_key(payload.asset),),
    sealable=("contact", "details"),
)
def request(view: View, event: Event[ShareRequested]) -> Changes:
    """A public body asks; the clock of the holder's answer starts."""
    given = event.payload
    view.require_new(given.share)
    if not view.get(Party, event.actor).is_public_body:
        raise NOT_PUBLIC_BODY(party=event.actor)
    asset = view.get(Asset, given.asset)
    require_dealable(asset)
    sharing = view.get(CatalogueEntry, catalogue_key(asset.id)).sharing
    if sharing in (None, SharingType.REFUSED):
        raise NOT_SHARED(asset=asset.id, sharing=sharing or "none")
    due = end_of_day_after(event.recorded_at, view.policy.share_response_days)
    return Share(
        id=given.share,
        asset=asset.id,
        requester=event.actor,
        government_level=given.government_level,
        legal_basis=given.legal_basis,
        returning=given.returning,
        status="requested",
        due_at=format_time(due),
    )


@event(
    "share.approved@1",
    by={Role.PROVIDER},
    zh="同意共享",
    en="Approve sharing",
    clause="政务数据共享条例",
    also=lambda payload, actor: (version_key(payload.asset, payload.version),),
    sealable=("details",),
)
def approve(view: View, event: Event[ShareApproved]) -> Changes:
    """The holder shares a governed version."""
    given = event.payload
    share, asset = _asked(view, given)
    require_status(share, "requested")
    require_holder(asset, event.actor)
    require_governed(view, asset, view.get(Version, version_key(asset.id, given.version)))
    if parse_time(given.until) <= event.recorded_at:
        raise SHARE_ENDED(share=share.id, until=given.until)
    return share.but(
        status="approved",
        answered_at=format_time(event.recorded_at),
        until=given.until,
        conditions=given.conditions,
    )


@event(
    "share.refused@1",
    by={Role.PROVIDER},
    zh="不同意共享",
    en="Refuse sharing",
    clause="政务数据共享条例",
    also=lambda payload, actor: (catalogue_key(payload.asset),),
    sealable=("details",),
)
def refuse(view: View, event: Event[ShareRefused]) -> Changes:
    """The holder refuses, unless the resource is shared without conditions."""
    share, asset = _asked(view, event.payload)
    require_status(share, "requested")
    require_holder(asset, event.actor)
    entry = view.get(CatalogueEntry, catalogue_key(asset.id))
    if entry.sharing is SharingType.UNCONDITIONAL:
        raise MUST_SHARE(asset=asset.id)
    return share.but(status="refused", answered_at=format_time(event.recorded_at))


@event(
    "share.used@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="使用共享数据",
    en="Use what is shared",
    clause="政务数据共享条例",
    sealable=("details",),
)
def use(view: View, event: Event[ShareUsed]) -> Changes:
    """The requester leaves a receipt of a use."""
    share = view.get(Share, event.payload.share)
    require_status(share, "approved")
    require_actor(event.actor, share.requester, share.id)
    if share.until is not None and event.recorded_at >= parse_time(share.until):
        raise SHARE_ENDED(share=share.id, until=share.until)
    return share.but(uses=share.uses + 1)


@event(
    "share.revoked@1",
    by={Role.PROVIDER, Role.REGULATOR},
    zh="收回共享",
    en="Revoke a share",
    clause="政务数据共享条例",
)
def revoke(view: View, event: Event[ShareRevoked]) -> Changes:
    """The holder or a regulator ends a share."""
    share, asset = _asked(view, event.payload)
    require_status(share, "approved")
    if Role.REGULATOR not in event.roles:
        require_holder(asset, event.actor)
    return share.but(status="revoked")


def _asked(view: View, named: ShareApproved | ShareRefused | ShareRevoked) -> tuple[Share, Asset]:
    share = view.get(Share, named.share)
    require_same("asset", named.asset, share.asset)
    return share, view.get(Asset, share.asset)
