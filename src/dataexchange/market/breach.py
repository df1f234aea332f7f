"""What can go wrong in a licence's term: breach and cure, suspension, rescission; and its expiry.

A party that reports a breach sets a time to cure it; only when that has passed may it rescind
(民法典 art. 563). Expiry follows from the term alone; its event announces it and frees the asset.
"""

from dataexchange.asset.grant import ended, grant_key
from dataexchange.ledger.statement import format_time, parse_time
from dataexchange.market.licence import (
    CONTRACT_LAW,
    RUNNING,
    Breach,
    Licence,
    licence_grant,
    licensed_asset,
    over,
    require_in_term,
)
from dataexchange.rules import (
    Changes,
    Event,
    Payload,
    RefusalCode,
    Role,
    View,
    event,
    require_actor,
    require_same,
    require_status,
)
from dataexchange.rules.payload import Code, Days, Hash, Line
from dataexchange.rules.reference import AssetId, LicenceId
from dataexchange.rules.time import end_of_day_after

AUTHORITIES = frozenset({Role.OPERATOR, Role.REGULATOR})

CURE_RUNNING = RefusalCode(
    "licence.cure_running",
    clause="民法典 art. 563",
    zh="违约方可在 {until} 前补救，此前不得解除",
    en="The breach may be cured until {until}; the licence is not rescinded before",
    kind="conflict",
)
NOT_OVER = RefusalCode(
    "licence.not_over",
    clause="民法典 art. 160",
    zh="许可 {licence} 至 {ends_at} 才到期",
    en="Licence {licence} runs until {ends_at}",
    kind="conflict",
)
ORDER_MISSING = RefusalCode(
    "licence.order_missing",
    clause="domain: supervision, order number",
    zh="运营机构或监管机构暂停许可须写明令号",
    en="An authority suspends a licence by the number of its order",
)


NO_BREACH = RefusalCode(
    "licence.no_breach",
    clause="民法典 art. 563",
    zh="许可 {licence} 没有报告过违约",
    en="No breach of licence {licence} was reported",
    kind="conflict",
)


class LicenceBreached(Payload):
    """What the other party did, by hash of the evidence, and the days it has to cure it."""

    licence: LicenceId
    term: Line
    evidence: Hash
    cure_days: Days


class LicenceNamed(Payload):
    """A licence, its asset, and the reason for the step."""

    licence: LicenceId
    asset: AssetId
    reason: Line


class LicenceSuspended(LicenceNamed):
    """A suspension; authorities give their order's number."""

    order_number: Code | None = None


class LicenceExpired(Payload):
    """A licence whose term has run out."""

    licence: LicenceId
    asset: AssetId


@event(
    "licence.breached@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="报告违约",
    en="Report a breach",
    clause=CONTRACT_LAW + " arts. 563, 577",
    sealable=("details",),
)
def breach(view: View, event: Event[LicenceBreached]) -> Changes:
    """One party reports that the other broke a term, and gives it time to cure that."""
    given = event.payload
    licence = view.get(Licence, given.licence)
    require_actor(event.actor, (licence.provider, licence.buyer), licence.id)
    require_status(licence, "finalised")
    require_in_term(licence, event.recorded_at)
    until = end_of_day_after(event.recorded_at, given.cure_days)
    return licence.but(
        status="breached",
        breach=Breach(
            by=licence.counterparty(event.actor),
            reported_by=event.actor,
            cure_until=format_time(until),
        ),
    )


@event(
    "licence.cured@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="确认补救",
    en="Confirm a cure",
    clause=CONTRACT_LAW + " art. 577",
)
def cure(view: View, event: Event[LicenceNamed]) -> Changes:
    """The party that reported the breach confirms that it is cured."""
    licence, reported = _breached(view, event)
    require_status(licence, "breached")
    require_actor(event.actor, reported.reported_by, licence.id)
    return licence.but(status="finalised", breach=None)


@event(
    "licence.rescinded@1",
    by={Role.PROVIDER, Role.BUYER},
    zh="解除许可",
    en="Rescind a licence",
    clause=CONTRACT_LAW + " arts. 563, 565",
    also=lambda payload, actor: (grant_key(payload.asset, payload.licence),),
    sealable=("details",),
)
def rescind(view: View, event: Event[LicenceNamed]) -> Changes:
    """End a licence for a breach that was not cured in time."""
    licence, reported = _breached(view, event)
    require_actor(event.actor, reported.reported_by, licence.id)
    if event.recorded_at < parse_time(reported.cure_until):
        raise CURE_RUNNING(until=reported.cure_until)
    asset = licensed_asset(view, licence, event.payload.asset)
    return over(view, licence, asset, status="terminated", now=event.recorded_at)


@event(
    "licence.suspended@1",
    by={Role.PROVIDER, Role.OPERATOR, Role.REGULATOR},
    zh="暂停许可",
    en="Suspend a licence",
    clause=CONTRACT_LAW + " art. 527; domain: licence.suspended",
    also=lambda payload, actor: (grant_key(payload.asset, payload.licence),),
)
def suspend(view: View, event: Event[LicenceSuspended]) -> Changes:
    """The provider suspends for a breach that it reported, an authority by its order."""
    given = event.payload
    licence = view.get(Licence, given.licence)
    require_same("asset", given.asset, licence.asset)
    if event.roles & AUTHORITIES and event.actor != licence.provider:
        if given.order_number is None:
            raise ORDER_MISSING()
    else:
        require_actor(event.actor, licence.provider, licence.id)
        require_status(licence, "breached")
        require_same("breach.by", licence.buyer, licence.breach and licence.breach.by)
    require_in_term(licence, event.recorded_at)
    return (
        licence.but(status="suspended", suspended_by=event.actor),
        ended(licence_grant(licence)),
    )


@event(
    "licence.resumed@1",
    by={Role.PROVIDER, Role.OPERATOR, Role.REGULATOR},
    zh="恢复许可",
    en="Resume a licence",
    clause=CONTRACT_LAW + " art. 528; domain: licence.resumed",
    also=lambda payload, actor: (grant_key(payload.asset, payload.licence),),
)
def resume(view: View, event: Event[LicenceNamed]) -> Changes:
    """Whoever suspended a licence lets it go on, or a regulator does; its term did not stop."""
    licence = view.get(Licence, event.payload.licence)
    require_same("asset", event.payload.asset, licence.asset)
    require_status(licence, "suspended")
    if Role.REGULATOR not in event.roles:
        require_actor(event.actor, licence.suspended_by or "", licence.id)
    resumed = licence.but(
        status="finalised" if licence.breach is None else "breached", suspended_by=None
    )
    return (resumed, licence_grant(resumed))


@event(
    "licence.expired@1",
    by={Role.PROVIDER, Role.BUYER, Role.OPERATOR},
    zh="许可到期",
    en="Announce the expiry of a licence",
    clause="民法典 art. 160",
    also=lambda payload, actor: (grant_key(payload.asset, payload.licence),),
)
def expire(view: View, event: Event[LicenceExpired]) -> Changes:
    """The term is over whether or not it is announced; announcing it frees the asset."""
    licence = view.get(Licence, event.payload.licence)
    asset = licensed_asset(view, licence, event.payload.asset)
    if Role.OPERATOR not in event.roles:
        require_actor(event.actor, (licence.provider, licence.buyer), licence.id)
    require_status(licence, *RUNNING, "suspended")
    if licence.ends_at is None or event.recorded_at < parse_time(licence.ends_at):
        raise NOT_OVER(licence=licence.id, ends_at=licence.ends_at)
    expired, freer, grant = over(view, licence, asset, status="expired", now=event.recorded_at)
    return (expired.but(ended_at=licence.ends_at), freer, grant)


def _breached(view: View, event: Event[LicenceNamed]) -> tuple[Licence, Breach]:
    licence = view.get(Licence, event.payload.licence)
    require_same("asset", event.payload.asset, licence.asset)
    require_status(licence, "breached", "suspended")
    if licence.breach is None:
        raise NO_BREACH(licence=licence.id)
    return licence, licence.breach
