"""Transfer of title 权属转移: the holder proposes, lien holders consent, the new holder takes it.

Each consent names the proposal's leaf hash. The price moves with the title, in one event. Licences,
exclusive ones too, bind the new holder (民法典 art. 725 by analogy); its rights are then registered
as a transfer 转移登记.
"""

from dataexchange.accounts.book import Book, account_key
from dataexchange.asset.title import Asset, require_dealable, require_holder, transferred
from dataexchange.identity.party import Party
from dataexchange.ledger.statement import parse_time
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
from dataexchange.rules.payload import Code, Fen, Hash, Line, Moment
from dataexchange.rules.reference import AssetId, PartyId, TransferId

TITLE_LAW = "民法典 arts. 406, 443-445; 数据二十条"
DISPOSAL_RULES = "行政事业性国有资产管理条例 (国务院令738号); 财资〔2024〕1号"

TO_ONESELF = RefusalCode(
    "title.to_oneself",
    clause=TITLE_LAW,
    zh="受让方已是持有人",
    en="The new holder holds it already",
)
NOT_A_HOLDER = RefusalCode(
    "title.not_a_provider",
    clause="domain: parties",
    zh="受让方 {party} 不是有效的数据提供方",
    en="The new holder {party} is not an active provider",
    kind="forbidden",
)
NO_LIEN = RefusalCode(
    "title.no_lien",
    clause=TITLE_LAW,
    zh="{actor} 对资产 {asset} 没有担保权，无须同意",
    en="{actor} has no lien on {asset} to consent by",
    kind="forbidden",
)
CONSENTED_ALREADY = RefusalCode(
    "title.consented_already",
    clause=TITLE_LAW,
    zh="{actor} 已经同意",
    en="{actor} has consented already",
    kind="conflict",
)
OFFER_OVER = RefusalCode(
    "title.offer_over",
    clause="民法典 art. 478",
    zh="转让提议已于 {valid_until} 失效",
    en="The proposal ended at {valid_until}",
    kind="conflict",
)
APPROVAL_MISSING = RefusalCode(
    "title.approval_missing",
    clause=DISPOSAL_RULES,
    zh="行政事业单位处置数据资产须写明批准文号",
    en="A public body disposes of a data asset by the number of its approval",
    remedy_zh="取得主管部门和财政部门批准，填写 approval。",
    remedy_en="Obtain the approval of the supervising and finance departments and name it.",
)


class TitleTransfer(State, frozen=True, kw_only=True):
    """A proposed transfer; `proposal` is its leaf hash once someone has named it."""

    KIND = "transfer"

    asset: str
    holder: str
    to: str
    price_fen: int
    status: str  # proposed | effective | withdrawn
    valid_until: str
    approval: str | None = None
    proposal: str | None = None
    consents: tuple[str, ...] = ()


class TransferProposed(Payload):
    """The holder's will to transfer title to a party, for a price (zero for a gift)."""

    transfer: TransferId
    asset: AssetId
    to: PartyId
    price_fen: Fen
    valid_until: Moment
    approval: Code | None = None


class TransferConsented(Payload):
    """A lien holder's consent to exactly this proposal."""

    transfer: TransferId
    asset: AssetId
    proposal: Hash


class TransferWithdrawn(Payload):
    """The holder's change of mind."""

    transfer: TransferId
    reason: Line


class TitleTransferred(Payload):
    """The new holder's acceptance, which takes effect."""

    transfer: TransferId
    asset: AssetId
    holder: PartyId
    proposal: Hash


@event(
    "title.transfer_proposed@1",
    by={Role.PROVIDER},
    zh="提议转让权属",
    en="Propose a transfer of title",
    clause=TITLE_LAW,
    sealable=("terms",),
)
def propose(view: View, event: Event[TransferProposed]) -> Changes:
    """The holder proposes; a public body names the approval of its disposal."""
    given = event.payload
    view.require_new(given.transfer)
    asset = view.get(Asset, given.asset)
    require_holder(asset, event.actor)
    require_dealable(asset)
    if given.to == event.actor:
        raise TO_ONESELF()
    buyer = view.get(Party, given.to)
    if buyer.status != "active" or Role.PROVIDER not in buyer.roles:
        raise NOT_A_HOLDER(party=given.to)
    if view.get(Party, event.actor).is_public_body and given.approval is None:
        raise APPROVAL_MISSING()
    return TitleTransfer(
        id=given.transfer,
        asset=asset.id,
        holder=event.actor,
        to=given.to,
        price_fen=given.price_fen,
        status="proposed",
        valid_until=given.valid_until,
        approval=given.approval,
    )


@event(
    "title.transfer_consented@1",
    by=set(Role),
    zh="担保权人同意转让",
    en="Consent to a transfer as lien holder",
    clause=TITLE_LAW,
)
def consent(view: View, event: Event[TransferConsented]) -> Changes:
    """A party whose lien is on the asset consents; it does not give its lien up."""
    given = event.payload
    transfer = _on_the_table(view, event)
    asset = view.get(Asset, given.asset)
    if event.actor not in {lien.holder for lien in asset.liens}:
        raise NO_LIEN(actor=event.actor, asset=asset.id)
    if event.actor in transfer.consents:
        raise CONSENTED_ALREADY(actor=event.actor)
    return transfer.but(
        proposal=given.proposal, consents=tuple(sorted((*transfer.consents, event.actor)))
    )


@event(
    "title.transfer_withdrawn@1",
    by={Role.PROVIDER},
    zh="撤回转让提议",
    en="Withdraw a proposed transfer",
    clause="民法典 art. 476",
)
def withdraw(view: View, event: Event[TransferWithdrawn]) -> Changes:
    """The holder takes the proposal back before it was accepted."""
    transfer = view.get(TitleTransfer, event.payload.transfer)
    require_actor(event.actor, transfer.holder, transfer.id)
    require_status(transfer, "proposed")
    return transfer.but(status="withdrawn")


@event(
    "title.transferred@1",
    by={Role.PROVIDER},
    zh="权属转移",
    en="Take title",
    clause=TITLE_LAW,
    also=lambda payload, actor: (account_key(actor), account_key(payload.holder)),
)
def take(view: View, event: Event[TitleTransferred]) -> Changes:
    """The new holder pays and takes title, with every lien and licence on it."""
    given = event.payload
    transfer = _on_the_table(view, event)
    require_actor(event.actor, transfer.to, transfer.id)
    require_same("holder", given.holder, transfer.holder)
    asset = view.get(Asset, given.asset)
    require_holder(asset, transfer.holder)
    book = Book(view)
    book.move(
        transfer.price_fen,
        source=account_key(event.actor),
        target=account_key(transfer.holder),
    )
    return (
        transferred(asset, event.actor, frozenset(transfer.consents)),
        transfer.but(status="effective", proposal=given.proposal),
        *book.changes(),
    )


def _on_the_table(
    view: View, event: Event[TransferConsented] | Event[TitleTransferred]
) -> TitleTransfer:
    given = event.payload
    transfer = view.get(TitleTransfer, given.transfer)
    require_status(transfer, "proposed")
    require_same("asset", given.asset, transfer.asset)
    require_same("proposal", given.proposal, transfer.proposal or view.head(transfer.id))
    if event.recorded_at >= parse_time(transfer.valid_until):
        raise OFFER_OVER(valid_until=transfer.valid_until)
    return transfer
