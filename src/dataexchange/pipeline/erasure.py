"""Erasure 删除: a signed order to destroy what opens a sealed field, or content kept by its hash.

The log keeps the commitment, and so every proof; the exchange destroys value, salt and key when the
order stands in the log. An erasure that names another than the signer of the entry does nothing.
"""

from typing import Annotated, Literal

from pydantic import Field

from dataexchange.asset.title import Asset, require_holder
from dataexchange.pipeline.consent import Consent
from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, State, View, event
from dataexchange.rules.guard import require_actor, require_same, require_status
from dataexchange.rules.payload import Code, Count, Hash
from dataexchange.rules.reference import AssetId, ConsentId, PartyId

# 个人信息保护法 art. 47 (1) to (4); `ordered` is a regulator's order.
Ground = Literal["purpose_ended", "retention_ended", "consent_withdrawn", "unlawful", "ordered"]
FieldName = Annotated[str, Field(pattern=r"^[a-z_]+$", max_length=40)]

ORDER_UNFIT = RefusalCode(
    "erasure.order_unfit",
    clause="个人信息保护法 art. 47",
    zh="责令删除须由监管机构签署并写明文号；其他情形不写文号",
    en="A regulator orders an erasure, by the order's number; other grounds have no order",
    kind="forbidden",
)


class Erasure(State, frozen=True, kw_only=True):
    """What was ordered to be erased, by whom and why; `consent` where a controller asked."""

    KIND = "erasure"

    by: str
    ground: str
    order_number: str | None = None
    consent: str | None = None


class OpeningErased(Payload):
    """The erasure of one sealed field of the entry at `index`, which `sealed_by` signed.

    A controller 个人信息处理者 that did not sign the entry names the withdrawn consent that it is.
    """

    index: Count
    sealed_by: PartyId
    field: FieldName
    ground: Ground
    order_number: Code | None = None
    consent: ConsentId | None = None
    asset: AssetId | None = None


class ContentErased(Payload):
    """The erasure of content that the signer put in; by a regulator's order, of all copies."""

    content: Hash
    ground: Ground
    order_number: Code | None = None


def erasure_key(party: str, what: str) -> str:
    """Return the key of an erasure: of `index/field` that `party` sealed, or of its content."""
    return f"erasure/{party}/{what}"


@event(
    "opening.erased@1",
    by=set(Role),
    zh="删除密封内容",
    en="Erase what opens a sealed field",
    clause="个人信息保护法 art. 47",
    also=lambda given, actor: (erasure_key(given.sealed_by, f"{given.index}/{given.field}"),),
)
def erase_opening(view: View, event: Event[OpeningErased]) -> Changes:
    """Whoever sealed it may ask, the controller of withdrawn personal data, or a regulator."""
    given = event.payload
    key = erasure_key(given.sealed_by, f"{given.index}/{given.field}")
    view.require_new(key)
    _require_order(given.ground, given.order_number, event.roles)
    if given.consent is not None:
        _require_controller(view, given, event.actor)
    elif given.ground != "ordered":
        require_actor(event.actor, given.sealed_by, key)
    return Erasure(
        id=key,
        by=event.actor,
        ground=given.ground,
        order_number=given.order_number,
        consent=given.consent,
    )


@event(
    "content.erased@1",
    by=set(Role),
    zh="删除内容",
    en="Erase content",
    clause="个人信息保护法 art. 47",
    also=lambda given, actor: (erasure_key(actor, given.content),),
)
def erase_content(view: View, event: Event[ContentErased]) -> Changes:
    """A party erases what it put in itself; it may do so again after putting it in again."""
    given = event.payload
    _require_order(given.ground, given.order_number, event.roles)
    return Erasure(
        id=erasure_key(event.actor, given.content),
        by=event.actor,
        ground=given.ground,
        order_number=given.order_number,
    )


def _require_order(ground: str, number: str | None, roles: frozenset[Role]) -> None:
    is_order = ground == "ordered"
    if is_order != (number is not None) or (is_order and Role.REGULATOR not in roles):
        raise ORDER_UNFIT()


def _require_controller(view: View, given: OpeningErased, actor: str) -> None:
    """Refuse unless `actor` holds the asset whose withdrawn consent the sealed entry is."""
    consent = view.get(Consent, given.consent or "")
    require_same("asset", given.asset, consent.asset)
    require_same("index", given.index, consent.given_index)
    require_same("sealed_by", given.sealed_by, consent.giver)
    require_status(consent, "withdrawn", "erased")
    require_holder(view.get(Asset, consent.asset), actor)
