"""A person's authorisation 个人授权 to process data about them: commitments only, never a name.

Who the person is, and to what exactly they agreed, stands in a sealed document; the log holds its
salted hash. Uses leave receipts, and a withdrawal ends them and calls for erasure: of the data, by
`consent.erased`, and of the sealed consent, by `opening.erased` (erasure.py).
"""

from typing import Annotated

from pydantic import Field

from dataexchange.asset.title import Asset, require_holder
from dataexchange.ledger.statement import format_time, parse_time
from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, State, View, event
from dataexchange.rules.guard import require_actor, require_same, require_status
from dataexchange.rules.payload import Code, Hash, Moment
from dataexchange.rules.reference import AssetId, ConsentId

CONSENT_ENDED = RefusalCode(
    "consent.ended",
    clause="个人信息保护法 arts. 14, 15",
    zh="授权 {consent} 已于 {until} 到期",
    en="Consent {consent} ended at {until}",
    remedy_zh="重新取得个人同意。",
    remedy_en="Ask the person again.",
    kind="conflict",
)
PURPOSE_OUTSIDE = RefusalCode(
    "consent.purpose_outside",
    clause="个人信息保护法 art. 14",
    zh="授权 {consent} 不含用途 {purpose}",
    en="Consent {consent} does not cover the purpose {purpose}",
    remedy_zh="就新的用途重新取得同意。",
    remedy_en="Ask for consent to the new purpose.",
    kind="forbidden",
)


class Consent(State, frozen=True, kw_only=True):
    """A person's consent, as a commitment; times RFC 3339."""

    KIND = "consent"

    asset: str
    giver: str
    commitment: str
    purposes: tuple[str, ...]
    status: str  # given | withdrawn | erased
    given_index: int
    until: str
    uses: int = 0
    withdrawn_at: str | None = None
    erasure_proof: str | None = None


class ConsentGiven(Payload):
    """A consent: sealed whose and to what, open for which purposes and until when."""

    consent: ConsentId
    asset: AssetId
    commitment: Annotated[Hash, Field(description="Salted SHA-256 of the sealed consent")]
    purposes: Annotated[tuple[Code, ...], Field(min_length=1, max_length=16)]
    until: Moment


class ConsentWithdrawn(Payload):
    """The withdrawal of a consent; no reason is asked for."""

    consent: ConsentId


class ConsentUsed(Payload):
    """An access under a consent; the receipt 访问凭据 is for the person to see."""

    consent: ConsentId
    asset: AssetId
    purpose: Code
    receipt: Hash


class ConsentErased(Payload):
    """The holder's statement that what the consent covered was erased."""

    consent: ConsentId
    asset: AssetId
    proof: Annotated[Hash, Field(description="SHA-256 of the erasure record")]


@event(
    "consent.given@1",
    by=set(Role),
    zh="个人授权",
    en="Give consent",
    clause="个人信息保护法 arts. 13, 14",
    sealable=("document", "person"),
)
def give(view: View, event: Event[ConsentGiven]) -> Changes:
    """A person, or one who keeps the person's sealed consent, records it."""
    given = event.payload
    view.require_new(given.consent)
    asset = view.get(Asset, given.asset)
    require_status(asset, "registered")
    if parse_time(given.until) <= event.recorded_at:
        raise CONSENT_ENDED(consent=given.consent, until=given.until)
    return Consent(
        id=given.consent,
        asset=asset.id,
        giver=event.actor,
        given_index=event.index,
        commitment=given.commitment,
        purposes=given.purposes,
        status="given",
        until=given.until,
    )


@event(
    "consent.withdrawn@1",
    by=set(Role),
    zh="撤回授权",
    en="Withdraw consent",
    clause="个人信息保护法 art. 15",
)
def withdraw(view: View, event: Event[ConsentWithdrawn]) -> Changes:
    """Whoever recorded the consent records its withdrawal; uses before it stay lawful."""
    consent = view.get(Consent, event.payload.consent)
    require_status(consent, "given")
    require_actor(event.actor, consent.giver, consent.id)
    return consent.but(status="withdrawn", withdrawn_at=format_time(event.recorded_at))


@event(
    "consent.used@1",
    by={Role.PROVIDER, Role.DATA_SERVICE},
    zh="依授权使用",
    en="Use data under a consent",
    clause="个人信息保护法 arts. 14, 45",
    sealable=("details",),
)
def use(view: View, event: Event[ConsentUsed]) -> Changes:
    """The holder leaves a receipt of an access that the consent covers."""
    given = event.payload
    consent = _covering(view, given, event.actor)
    require_status(consent, "given")
    if event.recorded_at >= parse_time(consent.until):
        raise CONSENT_ENDED(consent=consent.id, until=consent.until)
    if given.purpose not in consent.purposes:
        raise PURPOSE_OUTSIDE(consent=consent.id, purpose=given.purpose)
    return consent.but(uses=consent.uses + 1)


@event(
    "consent.erased@1",
    by={Role.PROVIDER, Role.DATA_SERVICE},
    zh="删除个人信息",
    en="Erase what a consent covered",
    clause="个人信息保护法 art. 47",
    sealable=("details",),
)
def erase(view: View, event: Event[ConsentErased]) -> Changes:
    """After a withdrawal the holder states the erasure, its record by hash."""
    consent = _covering(view, event.payload, event.actor)
    require_status(consent, "withdrawn")
    return consent.but(status="erased", erasure_proof=event.payload.proof)


def _covering(view: View, named: ConsentUsed | ConsentErased, actor: str) -> Consent:
    consent = view.get(Consent, named.consent)
    require_same("asset", named.asset, consent.asset)
    require_holder(view.get(Asset, consent.asset), actor)
    return consent
