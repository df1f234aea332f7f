"""What becomes of a registration: 变更, 许可, 转移, 续证, 注销, 撤销, each an entry of its own."""

from typing import Annotated

from pydantic import Field

from dataexchange.asset.grant import GRANT_ENDED, Grant, grant_key
from dataexchange.asset.title import Asset
from dataexchange.ledger.statement import format_time
from dataexchange.pipeline.gate import require_not_core
from dataexchange.pipeline.registration import OBJECTION_OPEN, Registration
from dataexchange.pipeline.rights import (
    RegistrationNamed,
    claimed,
    with_rights,
    without_rights,
)
from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, View, event
from dataexchange.rules.guard import require_actor, require_same
from dataexchange.rules.payload import Code, Hash, Line
from dataexchange.rules.reference import AssetId, LicenceId, PartyId, RegistrationId
from dataexchange.rules.time import end_of_day_after

EXPIRED = RefusalCode(
    "rights.expired",
    clause="发改数据规〔2025〕26号",
    zh="登记 {registration} 已于 {until} 到期",
    en="Registration {registration} expired at {until}",
    remedy_zh="重新办理首次登记。",
    remedy_en="Claim a first registration again.",
    kind="conflict",
)
ENCUMBERED = RefusalCode(
    "rights.encumbered",
    clause="民法典 arts. 406, 445",
    zh="资产 {asset} 上有未解除的担保 {liens}，不得注销登记",
    en="Asset {asset} is encumbered by {liens}; its registration cannot be cancelled",
    remedy_zh="先清偿解押。",
    remedy_en="Discharge the debt first.",
    kind="conflict",
)
NOT_TRANSFERABLE = RefusalCode(
    "rights.not_transferable",
    clause="公共数据资源授权运营实施规范(试行)",
    zh="登记 {registration} 的权利来自授权 {operation}，不随资产转移",
    en="Registration {registration} rests on operation {operation} and does not pass on",
)


class RightsAmended(Payload):
    """A change 变更登记 of what the registration says, not of whose right it is."""

    registration: RegistrationId
    asset: AssetId
    basis: Line
    evidence: Annotated[tuple[Hash, ...], Field(min_length=1, max_length=16)]
    reason: Line


class RightsLicensed(Payload):
    """The entry of a licence 许可登记 that runs on this ledger."""

    registration: RegistrationId
    asset: AssetId
    licence: LicenceId


class RightsTransferred(Payload):
    """The entry of a transfer 转移登记 that has taken effect in the title register."""

    registration: RegistrationId
    asset: AssetId
    holder: Annotated[PartyId, Field(description="The asset's new holder")]
    certificate: Code


class RightsRenewed(Payload):
    """A renewal 续证 for another term from now."""

    registration: RegistrationId
    asset: AssetId
    certificate: Code


@event(
    "rights.amended@1",
    by={Role.REGISTRAR},
    zh="变更登记",
    en="Amend a registration",
    clause="发改数据规〔2025〕26号",
)
def amend(view: View, event: Event[RightsAmended]) -> Changes:
    """The registrar records new facts behind a registered right."""
    given = event.payload
    _, registration = _in_force(view, given, event)
    return registration.but(
        basis=given.basis, evidence=given.evidence, amendments=registration.amendments + 1
    )


@event(
    "rights.licensed@1",
    by={Role.REGISTRAR},
    zh="许可登记",
    en="Record a licence with a registration",
    clause="数据二十条",
    also=lambda payload, actor: (grant_key(payload.asset, payload.licence),),
)
def license_(view: View, event: Event[RightsLicensed]) -> Changes:
    """The registrar notes a licence whose grant is running."""
    given = event.payload
    asset, registration = _in_force(view, given, event)
    grant = view.find(Grant, grant_key(asset.id, given.licence))
    if grant is None or not grant.is_running(event.recorded_at):
        raise GRANT_ENDED(party="—", asset=asset.id, by=given.licence)
    return registration.but(licences=registration.licences + 1)


@event(
    "rights.transferred@1",
    by={Role.REGISTRAR},
    zh="转移登记",
    en="Transfer a registration",
    clause="数据二十条; domain: 转移登记",
)
def transfer(view: View, event: Event[RightsTransferred]) -> Changes:
    """The registrar follows the title register: the rights pass to the asset's holder."""
    given = event.payload
    asset, registration = _in_force(view, given, event)
    require_same("holder", given.holder, asset.holder)
    if registration.operation is not None:
        raise NOT_TRANSFERABLE(registration=registration.id, operation=registration.operation)
    moved = registration.but(claimant=asset.holder, certificate=given.certificate)
    return (with_rights(asset, moved), moved)


@event(
    "rights.renewed@1",
    by={Role.REGISTRAR},
    zh="续证登记",
    en="Renew a registration",
    clause="发改数据规〔2025〕26号",
)
def renew(view: View, event: Event[RightsRenewed]) -> Changes:
    """A registration in force gets another term, counted from now."""
    given = event.payload
    asset, registration = _in_force(view, given, event)
    require_not_core(asset)
    until = end_of_day_after(event.recorded_at, view.policy.registration_validity_days)
    renewed = registration.but(
        certificate=given.certificate,
        valid_until=format_time(until),
        renewals=registration.renewals + 1,
    )
    return (with_rights(asset, renewed), renewed)


@event(
    "rights.cancelled@1",
    by={Role.PROVIDER, Role.DATA_SERVICE},
    zh="注销登记",
    en="Cancel a registration",
    clause="发改数据规〔2025〕26号",
)
def cancel(view: View, event: Event[RegistrationNamed]) -> Changes:
    """The one in whose name it stands gives it up, unless others hold security on the asset."""
    asset, registration = claimed(view, event.payload, "registered")
    require_actor(event.actor, registration.claimant, registration.id)
    if asset.liens:
        raise ENCUMBERED(asset=asset.id, liens=", ".join(lien.by for lien in asset.liens))
    return (without_rights(asset, registration), registration.but(status="cancelled"))


@event(
    "rights.revoked@1",
    by={Role.REGISTRAR, Role.REGULATOR},
    zh="撤销登记",
    en="Revoke a registration",
    clause="发改数据规〔2025〕26号",
)
def revoke(view: View, event: Event[RegistrationNamed]) -> Changes:
    """The registrar or a regulator undoes what should not have been registered."""
    asset, registration = claimed(view, event.payload, "registered")
    return (without_rights(asset, registration), registration.but(status="revoked"))


def _in_force(
    view: View,
    named: RightsAmended | RightsLicensed | RightsTransferred | RightsRenewed,
    event: Event[RightsAmended]
    | Event[RightsLicensed]
    | Event[RightsTransferred]
    | Event[RightsRenewed],
) -> tuple[Asset, Registration]:
    """Return the asset and its registration; refuse one that expired or is under objection."""
    asset, registration = claimed(view, named, "registered")
    if not registration.is_in_force(event.recorded_at):
        raise EXPIRED(registration=registration.id, until=registration.valid_until)
    if registration.objections_open:
        raise OBJECTION_OPEN(registration=registration.id, count=registration.objections_open)
    return asset, registration
