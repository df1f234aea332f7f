"""Delivery 交付, in the states of the Dataspace Protocol's transfer process, then its acceptance.

    requested → started ⇄ suspended → completed → accepted | rejected
              ↘ terminated

What is delivered must have the content root that the licensed version committed to, and what the
buyer acknowledges must have it too.
"""

from datetime import datetime

from dataexchange.asset.title import require_dealable, require_no_incident
from dataexchange.asset.version import Version, version_key
from dataexchange.ledger.statement import format_time, parse_time
from dataexchange.market.licence import (
    CONTRACT_LAW,
    Licence,
    is_served,
    licensed_asset,
    require_in_term,
)
from dataexchange.market.terms import DeliveryForm
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
from dataexchange.rules.payload import Hash, Line, PositiveCount
from dataexchange.rules.reference import AssetId, DeliveryId, LicenceId
from dataexchange.rules.time import end_of_day_after

DSP = "Dataspace Protocol 2025-1, transfer process"

WRONG_CONTENT = RefusalCode(
    "delivery.wrong_content",
    clause=CONTRACT_LAW + " arts. 509, 615; domain: hash must match the version's commitment",
    zh="内容根 {content_root} 与许可版本的承诺 {committed} 不符",
    en="The content root {content_root} is not the licensed version's, {committed}",
    remedy_zh="交付许可版本的内容；内容不符的，需求方提交 delivery.rejected。",
    remedy_en="Deliver the licensed version; where it differs, the buyer submits a rejection.",
)
ACCEPTED_BY_SILENCE = RefusalCode(
    "delivery.accepted_by_silence",
    clause="民法典 art. 621; policy delivery_acceptance_days",
    zh="验收期已于 {until} 届满，视为验收合格",
    en="The time to reject ended at {until}; the delivery counts as accepted",
    kind="conflict",
)


ONE_UNANSWERED = RefusalCode(
    "delivery.one_unanswered",
    clause="民法典 art. 621",
    zh="许可 {licence} 的上一次交付尚待验收",
    en="An earlier delivery under licence {licence} still waits for its acceptance",
    kind="conflict",
)


class Delivery(State, frozen=True, kw_only=True):
    """One delivery under a licence; times RFC 3339."""

    KIND = "delivery"

    licence: str
    provider: str
    buyer: str
    asset: str
    version: int
    form: DeliveryForm
    status: str
    requested_at: str
    completed_at: str | None = None
    answered_at: str | None = None
    content_root: str | None = None
    reason: str | None = None

    @property
    def dsp_state(self) -> str:
        """The state of the transfer process in the Dataspace Protocol 2025-1."""
        return "COMPLETED" if self.status in ("accepted", "rejected") else self.status.upper()


class DeliveryRequested(Payload):
    """A buyer's wish to be served under its licence."""

    delivery: DeliveryId
    licence: LicenceId
    asset: AssetId


class DeliveryStep(Payload):
    """A step of a delivery of the asset."""

    delivery: DeliveryId
    licence: LicenceId
    asset: AssetId


class DeliveryStopped(Payload):
    """A delivery that rests or ends, and why."""

    delivery: DeliveryId
    reason: Line


class DeliveryCompleted(DeliveryStep):
    """What was delivered, by its version and content root."""

    version: PositiveCount
    content_root: Hash


class DeliveryReceipt(DeliveryStep):
    """What the buyer received, by the content root that it computed itself."""

    content_root: Hash


class DeliveryRejected(DeliveryReceipt):
    """A delivery that the buyer does not take, and why; evidence by hash."""

    reason: Line
    evidence: Hash | None = None


@event("delivery.requested@1", by={Role.BUYER}, zh="申请交付", en="Ask for delivery", clause=DSP)
def request(view: View, event: Event[DeliveryRequested]) -> Changes:
    """A licensee in term asks to be served; the form is the one agreed."""
    given = event.payload
    view.require_new(given.delivery)
    licence = view.get(Licence, given.licence)
    require_actor(event.actor, licence.buyer, licence.id)
    require_in_term(licence, event.recorded_at)
    licensed_asset(view, licence, given.asset)
    return Delivery(
        id=given.delivery,
        licence=licence.id,
        provider=licence.provider,
        buyer=licence.buyer,
        asset=licence.asset,
        version=licence.agreed_offer.version,
        form=licence.agreed_offer.form,
        status="requested",
        requested_at=format_time(event.recorded_at),
    )


@event(
    "delivery.started@1",
    by={Role.PROVIDER},
    zh="开始交付",
    en="Start delivery",
    clause=DSP,
    sealable=("access",),
)
def start(view: View, event: Event[DeliveryStep]) -> Changes:
    """The provider serves what is neither frozen, under objection nor in an incident."""
    delivery, _ = _in_term(view, event)
    require_actor(event.actor, delivery.provider, delivery.id)
    require_status(delivery, "requested")
    return delivery.but(status="started")


@event(
    "delivery.suspended@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="中止交付",
    en="Suspend delivery",
    clause=DSP,
)
def suspend(view: View, event: Event[DeliveryStopped]) -> Changes:
    """Either side lets a delivery rest."""
    delivery = _own(view, event)
    require_status(delivery, "started")
    return delivery.but(status="suspended", reason=event.payload.reason)


@event(
    "delivery.resumed@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="恢复交付",
    en="Resume delivery",
    clause=DSP,
    sealable=("access",),
)
def resume(view: View, event: Event[DeliveryStep]) -> Changes:
    """Either side lets a delivery go on, as the protocol's start message does."""
    delivery, _ = _in_term(view, event)
    require_actor(event.actor, (delivery.provider, delivery.buyer), delivery.id)
    require_status(delivery, "suspended")
    return delivery.but(status="started", reason=None)


@event(
    "delivery.terminated@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="终止交付",
    en="Terminate delivery",
    clause=DSP,
    sealable=("details",),
)
def terminate(view: View, event: Event[DeliveryStopped]) -> Changes:
    """Either side breaks a delivery off before it is complete."""
    delivery = _own(view, event)
    require_status(delivery, "requested", "started", "suspended")
    return delivery.but(status="terminated", reason=event.payload.reason)


@event(
    "delivery.completed@1",
    by={Role.PROVIDER},
    zh="完成交付",
    en="Complete delivery",
    clause=DSP,
    also=lambda payload, actor: (version_key(payload.asset, payload.version),),
)
def complete(view: View, event: Event[DeliveryCompleted]) -> Changes:
    """The provider states what it delivered; only the licensed version will do."""
    given = event.payload
    delivery, licence = _in_term(view, event)
    require_actor(event.actor, delivery.provider, delivery.id)
    require_status(delivery, "started")
    require_same("version", given.version, delivery.version)
    committed = view.get(Version, version_key(delivery.asset, delivery.version)).content_root
    if given.content_root != committed:
        raise WRONG_CONTENT(content_root=given.content_root, committed=committed)
    if licence.served == "completed" and not is_served(licence, event.recorded_at):
        raise ONE_UNANSWERED(licence=licence.id)
    at = format_time(event.recorded_at)
    return (
        delivery.but(status="completed", content_root=committed, completed_at=at),
        _served(licence, "completed", event.recorded_at),
    )


@event("delivery.accepted@1", by={Role.BUYER}, zh="验收", en="Accept delivery", clause=DSP)
def accept(view: View, event: Event[DeliveryReceipt]) -> Changes:
    """The buyer acknowledges the content that was committed to; the money is due."""
    delivery, licence = _completed(view, event)
    if event.payload.content_root != delivery.content_root:
        raise WRONG_CONTENT(
            content_root=event.payload.content_root, committed=delivery.content_root
        )
    at = format_time(event.recorded_at)
    return (
        delivery.but(status="accepted", answered_at=at),
        _served(licence, "accepted", event.recorded_at),
    )


@event(
    "delivery.rejected@1",
    by={Role.BUYER},
    zh="拒收",
    en="Reject delivery",
    clause=CONTRACT_LAW + " arts. 610, 621",
    sealable=("details",),
)
def reject(view: View, event: Event[DeliveryRejected]) -> Changes:
    """The buyer does not take the delivery, within the time to inspect it."""
    delivery, licence = _completed(view, event)
    until = end_of_day_after(parse_time(delivery.completed_at or ""), licence.acceptance_days)
    if event.recorded_at >= until:
        raise ACCEPTED_BY_SILENCE(until=format_time(until))
    at = format_time(event.recorded_at)
    return (
        delivery.but(status="rejected", answered_at=at, reason=event.payload.reason),
        _served(licence, "rejected", event.recorded_at),
    )


def _served(licence: Licence, how: str, now: datetime) -> Licence:
    """Return `licence` as far as it is performed; what once was accepted stays accepted."""
    if is_served(licence, now):
        return licence.but(served="accepted") if licence.served == "completed" else licence
    return licence.but(served=how, served_at=format_time(now))


def _own(view: View, event: Event[DeliveryStopped]) -> Delivery:
    delivery = view.get(Delivery, event.payload.delivery)
    require_actor(event.actor, (delivery.provider, delivery.buyer), delivery.id)
    return delivery


def _named(view: View, step: DeliveryStep) -> tuple[Delivery, Licence]:
    delivery = view.get(Delivery, step.delivery)
    require_same("licence", step.licence, delivery.licence)
    return delivery, view.get(Licence, delivery.licence)


def _in_term(
    view: View, event: Event[DeliveryStep] | Event[DeliveryCompleted]
) -> tuple[Delivery, Licence]:
    delivery, licence = _named(view, event.payload)
    require_in_term(licence, event.recorded_at)
    asset = licensed_asset(view, licence, event.payload.asset)
    require_dealable(asset)
    require_no_incident(asset)
    return delivery, licence


def _completed(
    view: View, event: Event[DeliveryReceipt] | Event[DeliveryRejected]
) -> tuple[Delivery, Licence]:
    delivery, licence = _named(view, event.payload)
    licensed_asset(view, licence, event.payload.asset)
    require_actor(event.actor, delivery.buyer, delivery.id)
    require_status(delivery, "completed")
    return delivery, licence
