"""Risk sharing 风险分担 under one guarantee: the guarantor, re-guarantors 再担保机构, the bank.

The guarantor proposes shares before it signs; a re-guarantor accepts its own. The creditor's share
is never paid to it; a re-guarantor pays the guarantor its share of what was paid.
"""

from typing import Annotated

from pydantic import Field

from dataexchange.accounts.book import Book, account_key
from dataexchange.accounts.split import split_fen
from dataexchange.guarantee.risk_sharing import share_default_fen
from dataexchange.guarantee.surety import NOT_A_GUARANTOR, Guarantee, of_guarantor
from dataexchange.identity.party import Party
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
from dataexchange.rules.payload import Hash, Ratio, decimal
from dataexchange.rules.reference import GuaranteeId, PartyId

SHARERS_UNFIT = RefusalCode(
    "guarantee.sharers_unfit",
    clause="contract on risk sharing 风险分担协议",
    zh="分担方须包括担保机构本身，每方一次，且比例大于零，债务人不得分担",
    en="The sharers include the guarantor, each once with a share above zero, never the obligor",
)
SHARE_PAID = RefusalCode(
    "guarantee.share_paid",
    clause="contract on risk sharing 风险分担协议",
    zh="{party} 已支付其分担部分",
    en="{party} has paid its share",
    kind="conflict",
)


class Sharer(Payload):
    """One who bears a share of the risk."""

    party: PartyId
    share: Ratio


class RiskShared(Payload):
    """Who bears which share of what is called; the shares sum to 1."""

    guarantee: GuaranteeId
    sharers: Annotated[tuple[Sharer, ...], Field(min_length=2, max_length=8)]


class RiskAccepted(Payload):
    """A re-guarantor's consent to exactly the shares that were proposed."""

    guarantee: GuaranteeId
    proposal: Hash


class SharePaid(Payload):
    """A re-guarantor pays its share of what the guarantor paid."""

    guarantee: GuaranteeId
    guarantor: PartyId


@event(
    "guarantee.risk_shared@1",
    by={Role.GUARANTOR},
    zh="约定风险分担",
    en="Share the risk of a guarantee",
    clause="M20 风险分担",
)
def share_risk(view: View, event: Event[RiskShared]) -> Changes:
    """Propose the shares, before the guarantee is signed."""
    guarantee = of_guarantor(view, event.payload.guarantee, event.actor)
    require_status(guarantee, "REVIEWED", "APPROVED")
    shares = {sharer.party: sharer.share for sharer in event.payload.sharers}
    unfit = guarantee.guarantor not in shares or guarantee.obligor in shares
    if unfit or len(shares) < len(event.payload.sharers) or not all(map(decimal, shares.values())):
        raise SHARERS_UNFIT()
    share_default_fen(0, {party: decimal(share) for party, share in shares.items()})
    for party in set(shares) - {guarantee.creditor}:
        if Role.GUARANTOR not in view.get(Party, party).roles:
            raise NOT_A_GUARANTOR(party=party)
    return guarantee.but(shares=shares, shares_accepted=())


@event(
    "guarantee.risk_accepted@1",
    by={Role.GUARANTOR},
    zh="确认再担保",
    en="Accept a share of the risk",
    clause="M20 风险分担",
)
def accept_risk(view: View, event: Event[RiskAccepted]) -> Changes:
    """A re-guarantor accepts its share."""
    guarantee = view.get(Guarantee, event.payload.guarantee)
    require_status(guarantee, "REVIEWED", "APPROVED", "SIGNED")
    sharers = set(guarantee.shares) - {guarantee.guarantor, guarantee.creditor}
    require_actor(event.actor, sharers, guarantee.id)
    require_same("proposal", event.payload.proposal, view.head(guarantee.id))
    return guarantee.but(shares_accepted=tuple(sorted({*guarantee.shares_accepted, event.actor})))


@event(
    "guarantee.share_paid@1",
    by={Role.GUARANTOR},
    zh="支付分担款",
    en="Pay a share of the risk",
    clause="M20 风险分担",
    also=lambda payload, actor: (account_key(actor), account_key(payload.guarantor)),
)
def pay_share(view: View, event: Event[SharePaid]) -> Changes:
    """A re-guarantor pays its share of what was paid and not yet recovered."""
    guarantee = view.get(Guarantee, event.payload.guarantee)
    require_status(guarantee, "PAID")
    require_actor(event.actor, guarantee.shares_accepted, guarantee.id)
    require_same("guarantor", event.payload.guarantor, guarantee.guarantor)
    if event.actor in guarantee.shares_paid_fen:
        raise SHARE_PAID(party=event.actor)
    part_fen = _part_fen(guarantee, event.actor)
    book = Book(view)
    book.move(part_fen, source=account_key(event.actor), target=account_key(guarantee.guarantor))
    paid = {**guarantee.shares_paid_fen, event.actor: part_fen}
    return guarantee.but(shares_paid_fen=paid), *book.changes()


def _part_fen(guarantee: Guarantee, party: str) -> int:
    """Return a re-guarantor's part of what is open, by the shares without the creditor's."""
    shares = {name: decimal(s) for name, s in guarantee.shares.items()}
    shares.pop(guarantee.creditor, None)
    open_fen = guarantee.paid_fen - guarantee.recovered_fen
    parts = split_fen(open_fen, list(shares.values()))
    return dict(zip(shares, parts, strict=True))[party]
