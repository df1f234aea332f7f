"""Rulebook cards on the ledger 方法卡登记: published by content hash, superseded, never edited."""

from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, State, View, event
from dataexchange.rules.guard import require_status
from dataexchange.rules.payload import Code, Hash, Text
from dataexchange.rules.reference import CardId

CARD_NOT_THIS = RefusalCode(
    "card.hash_differs",
    clause="资产评估法 art. 18; domain: valuation",
    zh="方法卡 {card} 的哈希是 {held}，不是 {named}",
    en="Card {card} has the hash {held}, not {named}",
    remedy_zh="使用账本登记的方法卡版本。",
    remedy_en="Use the card version that the ledger holds.",
    kind="conflict",
)
CARD_METHOD_DIFFERS = RefusalCode(
    "card.method_differs",
    clause="domain: a card is only superseded",
    zh="{card} 的方法是 {held}，新卡的方法是 {named}",
    en="{card} is of method {held}; the new card is of {named}",
    kind="conflict",
)


class RuleCard(State, frozen=True, kw_only=True):
    """A card as the ledger knows it; the content is kept by its hash."""

    KIND = "card"

    method: str
    version: str
    sha256: str
    status: str  # current | superseded
    published_by: str
    superseded_by: str | None = None


class CardPublished(Payload):
    """A card, and the one that it takes the place of."""

    card: CardId
    method: Code
    version: Code
    name: Text
    sha256: Hash
    supersedes: CardId | None = None


@event(
    "card.published@1",
    by={Role.OPERATOR, Role.REGULATOR},
    zh="发布方法卡",
    en="Publish a rulebook card",
    clause="资产评估法 art. 26",
)
def publish(view: View, event: Event[CardPublished]) -> Changes:
    """Publish a card; the one that it supersedes prices no new valuation."""
    said = event.payload
    view.require_new(said.card)
    card = RuleCard(
        id=said.card,
        method=said.method,
        version=said.version,
        sha256=said.sha256,
        status="current",
        published_by=event.actor,
    )
    if said.supersedes is None:
        return card
    old = view.get(RuleCard, said.supersedes)
    require_status(old, "current")
    if old.method != said.method:
        raise CARD_METHOD_DIFFERS(card=old.id, held=old.method, named=said.method)
    return card, old.but(status="superseded", superseded_by=card.id)


def require_current(card: RuleCard, sha256: str) -> None:
    """Refuse a card that is superseded, or whose content is not what was used."""
    require_status(card, "current")
    if card.sha256 != sha256:
        raise CARD_NOT_THIS(card=card.id, held=card.sha256, named=sha256)
