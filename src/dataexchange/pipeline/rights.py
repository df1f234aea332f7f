"""Registration of rights 登记: claimed, published for objections, registered with a certificate."""

from datetime import datetime
from typing import Annotated, Protocol

from pydantic import Field

from dataexchange.asset.title import (
    NOT_HOLDER,
    Asset,
    RegisteredRight,
    require_dealable,
)
from dataexchange.asset.version import Version, version_key
from dataexchange.ledger.statement import format_time, parse_time
from dataexchange.pipeline.authorisation import Operation, require_covered
from dataexchange.pipeline.gate import require_classified
from dataexchange.pipeline.registration import (
    OBJECTION_OPEN,
    WINDOW_OPEN,
    Registration,
    RightKind,
)
from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, View, event
from dataexchange.rules.guard import require_actor, require_same, require_status
from dataexchange.rules.payload import Code, Hash, Line, PositiveCount
from dataexchange.rules.reference import AssetId, OperationId, RegistrationId
from dataexchange.rules.time import end_of_day_after

RIGHT_TAKEN = RefusalCode(
    "rights.taken",
    clause="数据二十条; domain: one holder of an exclusive right",
    zh="资产 {asset} 的 {right} 权利已由登记 {registration} 登记",
    en="The {right} right of asset {asset} is registered already, as {registration}",
    remedy_zh="办理变更、转移或注销登记。",
    remedy_en="Have the registration changed, transferred or cancelled.",
    kind="conflict",
)
CLAIM_PENDING = RefusalCode(
    "rights.claim_pending",
    clause="发改数据规〔2025〕26号",
    zh="资产 {asset} 的登记 {registration} 尚在公示",
    en="Registration {registration} of asset {asset} is still being published",
    remedy_zh="待其办结后再申请。",
    remedy_en="Wait until it has been decided.",
    kind="conflict",
)


class RightsClaimed(Payload):
    """A first registration 首次登记 that is asked for; it opens the objection window at once."""

    registration: RegistrationId
    asset: AssetId
    version: Annotated[PositiveCount, Field(description="The version that the claim describes")]
    rights: Annotated[tuple[RightKind, ...], Field(min_length=1, max_length=3)]
    basis: Annotated[Line, Field(description="How the right arose: collected, bought, authorised")]
    evidence: Annotated[tuple[Hash, ...], Field(min_length=1, max_length=16)]
    operation: Annotated[
        OperationId | None, Field(description="The authorisation of a claimant who is no holder")
    ] = None


class RegistrationNamed(Payload):
    """A registration and its asset, with a reason."""

    registration: RegistrationId
    asset: AssetId
    reason: Line


class RightsRegistered(Payload):
    """The registrar's entry of the rights, with the number of the certificate 登记凭证."""

    registration: RegistrationId
    asset: AssetId
    version: PositiveCount
    certificate: Code


@event(
    "rights.claimed@1",
    by={Role.PROVIDER, Role.DATA_SERVICE},
    zh="申请权属登记",
    en="Claim rights",
    clause="数据二十条; 发改数据规〔2025〕26号",
    also=lambda payload, actor: (version_key(payload.asset, payload.version),),
    sealable=("details",),
)
def claim(view: View, event: Event[RightsClaimed]) -> Changes:
    """The holder, or an authorised operator for the rights it was given, claims registration."""
    given = event.payload
    view.require_new(given.registration)
    asset = view.get(Asset, given.asset)
    require_dealable(asset)
    require_classified(asset, view.get(Version, version_key(asset.id, given.version)))
    require_same("rights", len(set(given.rights)), len(given.rights))
    _require_entitled(view, asset, event)
    _require_free(asset, given.rights, event.recorded_at)
    ends = end_of_day_after(event.recorded_at, view.policy.objection_window_days)
    registration = Registration(
        id=given.registration,
        asset=asset.id,
        claimant=event.actor,
        rights=given.rights,
        status="published",
        basis=given.basis,
        evidence=given.evidence,
        window_ends=format_time(ends),
        operation=given.operation,
    )
    return (asset.but(claim_open=registration.id), registration)


@event(
    "rights.withdrawn@1",
    by={Role.PROVIDER, Role.DATA_SERVICE},
    zh="撤回登记申请",
    en="Withdraw a claim",
    clause="发改数据规〔2025〕26号",
)
def withdraw(view: View, event: Event[RegistrationNamed]) -> Changes:
    """The claimant takes its claim back; objections to it stay to be closed."""
    asset, registration = claimed(view, event.payload, "published")
    require_actor(event.actor, registration.claimant, registration.id)
    return (asset.but(claim_open=None), registration.but(status="withdrawn"))


@event(
    "rights.refused@1",
    by={Role.REGISTRAR},
    zh="不予登记",
    en="Refuse a claim",
    clause="发改数据规〔2025〕26号",
)
def refuse(view: View, event: Event[RegistrationNamed]) -> Changes:
    """The registrar finds the claim wanting."""
    asset, registration = claimed(view, event.payload, "published")
    refused = registration.but(status="refused", registrar=event.actor)
    return (asset.but(claim_open=None), refused)


@event(
    "rights.registered@1",
    by={Role.REGISTRAR},
    zh="权属登记",
    en="Register rights",
    clause="数据二十条; 发改数据规〔2025〕26号",
    also=lambda payload, actor: (version_key(payload.asset, payload.version),),
)
def register(view: View, event: Event[RightsRegistered]) -> Changes:
    """Enter the rights after the window has closed without an open objection."""
    given = event.payload
    asset, registration = claimed(view, given, "published")
    require_closed(registration, event)
    require_dealable(asset)
    require_classified(asset, view.get(Version, version_key(asset.id, given.version)))
    until = end_of_day_after(event.recorded_at, view.policy.registration_validity_days)
    entered = registration.but(
        status="registered",
        certificate=given.certificate,
        registrar=event.actor,
        valid_until=format_time(until),
    )
    return (with_rights(asset, entered).but(claim_open=None), entered)


class NamesRegistration(Protocol):
    """A payload that names a registration and its asset."""

    @property
    def registration(self) -> str:
        """The registration's id."""
        ...

    @property
    def asset(self) -> str:
        """The asset's id."""
        ...


def claimed(view: View, named: NamesRegistration, *statuses: str) -> tuple[Asset, Registration]:
    """Return the named registration and its asset; refuse another asset or status."""
    registration = view.get(Registration, named.registration)
    require_status(registration, *statuses)
    require_same("asset", named.asset, registration.asset)
    return view.get(Asset, registration.asset), registration


def require_closed(registration: Registration, event: Event[RightsRegistered]) -> None:
    """Refuse during the objection window, and while an objection is open."""
    if registration.window_is_open(event.recorded_at):
        raise WINDOW_OPEN(registration=registration.id, window_ends=registration.window_ends)
    if registration.objections_open:
        raise OBJECTION_OPEN(registration=registration.id, count=registration.objections_open)


def with_rights(asset: Asset, registration: Registration) -> Asset:
    """Return `asset` with the rights as `registration` has them now."""
    entered = RegisteredRight(
        certificate=registration.certificate or "",
        holder=registration.claimant,
        registration=registration.id,
        until=registration.valid_until or "",
    )
    new = {right.value: entered for right in registration.rights}
    return asset.but(rights={**asset.rights, **new})


def without_rights(asset: Asset, registration: Registration) -> Asset:
    """Return `asset` without the rights of `registration`."""
    kept = {
        right: held for right, held in asset.rights.items() if held.registration != registration.id
    }
    return asset.but(rights=kept)


def _require_entitled(view: View, asset: Asset, event: Event[RightsClaimed]) -> None:
    given = event.payload
    if asset.holder == event.actor:
        return
    if given.operation is None or RightKind.HOLDING in given.rights:
        raise NOT_HOLDER(actor=event.actor, asset=asset.id)
    operation = view.get(Operation, given.operation)
    require_covered(operation, asset.id, party=event.actor, now=event.recorded_at)


def _require_free(asset: Asset, rights: tuple[RightKind, ...], now: datetime) -> None:
    if asset.claim_open is not None:
        raise CLAIM_PENDING(asset=asset.id, registration=asset.claim_open)
    for right in rights:
        held = asset.rights.get(right.value)
        if held is not None and now < parse_time(held.until):
            raise RIGHT_TAKEN(asset=asset.id, right=right, registration=held.registration)
