"""The agreement of a licence: both sides confirm the same offer, and the licence takes effect.

From agreement on the asset is reserved, the charge counts towards a ceiling, and the parameters of
the exchange are pinned. Steps as in the Dataspace Protocol 2025-1.
"""

from typing import Annotated

from pydantic import Field

from dataexchange.asset.grant import grant_key
from dataexchange.asset.title import Asset
from dataexchange.asset.version import Version, version_key
from dataexchange.ledger.statement import format_time
from dataexchange.market.admission import clearance_key
from dataexchange.market.ceiling import ceiling_key, charged
from dataexchange.market.licence import Licence, licence_grant, reserved
from dataexchange.market.listing import SOURCES_MAX
from dataexchange.market.negotiation import DSP, LicenceAnswered, on_the_table, require_deal
from dataexchange.pipeline.gate import require_listable
from dataexchange.rules import (
    Changes,
    Event,
    RefusalCode,
    Role,
    View,
    event,
    require_actor,
    require_same,
    require_status,
)
from dataexchange.rules.payload import PositiveCount
from dataexchange.rules.reference import AssetId, PartyId
from dataexchange.rules.time import end_of_day_after

ESCROW_MISSING = RefusalCode(
    "licence.escrow_missing",
    clause="domain: escrow.locked at agreement",
    zh="许可 {licence} 尚须托管 {needed_fen} 分",
    en="Licence {licence} needs {needed_fen} fen in escrow first",
    remedy_zh="由需求方提交 escrow.locked。",
    remedy_en="The buyer must submit escrow.locked.",
    kind="conflict",
)


class LicenceAgreed(LicenceAnswered):
    """The provider's agreement: with whom, to which version, and all that the asset is made of."""

    buyer: PartyId
    version: PositiveCount
    sources: Annotated[tuple[AssetId, ...], Field(max_length=SOURCES_MAX)] = ()


@event(
    "licence.agreed@1",
    by={Role.PROVIDER},
    zh="订立协议",
    en="Agree a licence",
    clause=DSP,
    also=lambda payload, actor: (
        clearance_key(payload.buyer),
        ceiling_key(payload.asset),
        version_key(payload.asset, payload.version),
    ),
)
def agree(view: View, event: Event[LicenceAgreed]) -> Changes:
    """The provider agrees, if the version still passes every gate to the market."""
    given = event.payload
    licence = on_the_table(view, given)
    require_actor(event.actor, licence.provider, licence.id)
    require_same("buyer", given.buyer, licence.buyer)
    require_status(licence, "requested", "accepted")
    require_same("proposal", given.proposal, licence.proposal or view.head(licence.id))
    asset = view.get(Asset, licence.asset)
    _require_listable(view, asset, licence, given)
    require_deal(view, asset, licence, event.recorded_at)
    policy = view.policy
    ceilings = charged(view, asset, licence.due_at_agreement_fen) if licence.public_data else ()
    agreed = licence.but(
        status="agreed",
        proposal=given.proposal,
        policy_version=policy.version,
        fee_ratio=policy.platform_fee_ratio,
        upstream_ratio=policy.upstream_share_ratio,
        acceptance_days=policy.delivery_acceptance_days,
        ceiling_version=ceilings[0].version if ceilings else None,
        moved_at=format_time(event.recorded_at),
    )
    return (agreed, reserved(asset, agreed), *ceilings)


def _require_listable(view: View, asset: Asset, licence: Licence, given: LicenceAgreed) -> None:
    require_same("version", given.version, licence.agreed_offer.version)
    version = view.get(Version, version_key(asset.id, given.version))
    require_listable(view, asset, version, [view.get(Asset, source) for source in given.sources])


@event("licence.verified@1", by={Role.BUYER}, zh="核验协议", en="Verify an agreement", clause=DSP)
def verify(view: View, event: Event[LicenceAnswered]) -> Changes:
    """The buyer confirms the agreement, its money in escrow."""
    licence = on_the_table(view, event.payload)
    require_actor(event.actor, licence.buyer, licence.id)
    require_status(licence, "agreed")
    require_same("proposal", event.payload.proposal, licence.proposal)
    missing_fen = licence.due_at_agreement_fen - licence.locked_fen
    if missing_fen:
        raise ESCROW_MISSING(licence=licence.id, needed_fen=missing_fen)
    return licence.but(status="verified", moved_at=format_time(event.recorded_at))


@event(
    "licence.finalised@1",
    by={Role.PROVIDER},
    zh="协议生效",
    en="Finalise a licence",
    clause=DSP,
    also=lambda payload, actor: (grant_key(payload.asset, payload.licence),),
)
def finalise(view: View, event: Event[LicenceAnswered]) -> Changes:
    """The licence takes effect; its term runs in whole days of +08:00 (民法典 arts. 201-203)."""
    licence = on_the_table(view, event.payload)
    require_actor(event.actor, licence.provider, licence.id)
    require_status(licence, "verified")
    require_same("proposal", event.payload.proposal, licence.proposal)
    days = licence.agreed_offer.terms.term_days
    finalised = licence.but(
        status="finalised",
        starts_at=format_time(event.recorded_at),
        ends_at=format_time(end_of_day_after(event.recorded_at, days)),
        moved_at=format_time(event.recorded_at),
    )
    return (finalised, licence_grant(finalised))
