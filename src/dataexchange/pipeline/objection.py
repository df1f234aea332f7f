"""Objections 异议 to a registration: raised in the window or after it, decided by the registrar."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from dataexchange.asset.title import Asset
from dataexchange.ledger.statement import format_time
from dataexchange.pipeline.registration import WINDOW_CLOSED, Objection, Registration
from dataexchange.pipeline.rights import without_rights
from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, View, event
from dataexchange.rules.guard import require_actor, require_same, require_status
from dataexchange.rules.payload import Hash, Line
from dataexchange.rules.reference import AssetId, ObjectionId, RegistrationId

OWN_CLAIM = RefusalCode(
    "rights.own_claim",
    clause="民法典 art. 220",
    zh="申请人不能对自己的登记 {registration} 提出异议",
    en="A claimant cannot object to its own registration {registration}",
    kind="forbidden",
)


class ObjectionOutcome(StrEnum):
    """What the registrar found."""

    UPHELD = "upheld"
    DISMISSED = "dismissed"


class RightsObjected(Payload):
    """An objection, its grounds in short, with evidence by hash."""

    objection: ObjectionId
    registration: RegistrationId
    asset: AssetId
    grounds: Line
    evidence: Annotated[tuple[Hash, ...], Field(min_length=1, max_length=16)]


class ObjectionNamed(Payload):
    """An objection that its own author takes back."""

    objection: ObjectionId
    registration: RegistrationId
    asset: AssetId
    reason: Line


class ObjectionDecided(Payload):
    """The registrar's decision, its full text by hash."""

    objection: ObjectionId
    registration: RegistrationId
    asset: AssetId
    outcome: ObjectionOutcome
    reason: Line
    decision: Hash


@event(
    "rights.objected@1",
    by=set(Role),
    zh="提出异议",
    en="Object to a registration",
    clause="民法典 art. 220; 发改数据规〔2025〕26号",
    sealable=("contact", "details"),
)
def object_to(view: View, event: Event[RightsObjected]) -> Changes:
    """Anyone but the claimant objects, within the window or once the right is registered."""
    given = event.payload
    view.require_new(given.objection)
    asset, registration = _concerned(view, given)
    require_status(registration, "published", "registered")
    if event.actor == registration.claimant:
        raise OWN_CLAIM(registration=registration.id)
    if registration.status == "published" and not registration.window_is_open(event.recorded_at):
        raise WINDOW_CLOSED(registration=registration.id, window_ends=registration.window_ends)
    objection = Objection(
        id=given.objection,
        asset=asset.id,
        registration=registration.id,
        objector=event.actor,
        status="open",
        grounds=given.grounds,
        evidence=given.evidence,
        raised_at=format_time(event.recorded_at),
    )
    return (
        asset.but(objections_open=asset.objections_open + 1),
        registration.but(objections_open=registration.objections_open + 1),
        objection,
    )


@event(
    "objection.withdrawn@1",
    by=set(Role),
    zh="撤回异议",
    en="Withdraw an objection",
    clause="民法典 art. 220",
)
def withdraw(view: View, event: Event[ObjectionNamed]) -> Changes:
    """The objector takes its objection back."""
    objection = _open(view, event.payload)
    require_actor(event.actor, objection.objector, objection.id)
    asset, registration = _closed(view, event.payload)
    return (asset, registration, objection.but(status="withdrawn"))


@event(
    "objection.decided@1",
    by={Role.REGISTRAR},
    zh="裁决异议",
    en="Decide an objection",
    clause="民法典 art. 220; 发改数据规〔2025〕26号",
    sealable=("details",),
)
def decide(view: View, event: Event[ObjectionDecided]) -> Changes:
    """An objection that is upheld ends the claim, or revokes what was registered."""
    given = event.payload
    objection = _open(view, given)
    asset, registration = _closed(view, given)
    decided = objection.but(status=given.outcome.value, decision=given.decision)
    if given.outcome is ObjectionOutcome.DISMISSED:
        return (asset, registration, decided)
    if registration.status == "published":
        refused = registration.but(status="refused", registrar=event.actor)
        return (asset.but(claim_open=None), refused, decided)
    if registration.status == "registered":
        return (
            without_rights(asset, registration),
            registration.but(status="revoked"),
            decided,
        )
    return (asset, registration, decided)


def _concerned(
    view: View, named: RightsObjected | ObjectionNamed | ObjectionDecided
) -> tuple[Asset, Registration]:
    registration = view.get(Registration, named.registration)
    require_same("asset", named.asset, registration.asset)
    return view.get(Asset, registration.asset), registration


def _open(view: View, named: ObjectionNamed | ObjectionDecided) -> Objection:
    objection = view.get(Objection, named.objection)
    require_status(objection, "open")
    require_same("registration", named.registration, objection.registration)
    return objection


def _closed(view: View, named: ObjectionNamed | ObjectionDecided) -> tuple[Asset, Registration]:
    """Return the asset and registration with one open objection fewer."""
    asset, registration = _concerned(view, named)
    return (
        asset.but(objections_open=asset.objections_open - 1),
        registration.but(objections_open=registration.objections_open - 1),
    )
