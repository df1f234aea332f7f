"""Endorsements 批单: a policy in force changed by both sides, as a new version of it."""

from dataexchange.accounts.book import Book, account_key
from dataexchange.insurance.cover import SUM_ABOVE_VALUE, Cover, Offer, PastTerms
from dataexchange.insurance.double_cover import entered, interest_key, interest_of
from dataexchange.insurance.termination import PERIOD_OVER
from dataexchange.ledger.statement import format_time, parse_time
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
from dataexchange.rules.payload import Fen, Hash, PositiveFen
from dataexchange.rules.reference import AssetId, CoverId, PartyId, ValuationId
from dataexchange.valuation.record import Valuation, require_issued

ENDORSEMENTS_MAX = 16

NO_OFFER = RefusalCode(
    "cover.no_offer",
    clause="保险法 art. 20",
    zh="保险人没有提出变更",
    en="The insurer has offered no change",
    kind="conflict",
)
ENDORSED_OFTEN = RefusalCode(
    "cover.endorsed_often",
    clause="architecture: state rows stay small",
    zh="保单已批改 {limit} 次，请另立新保单",
    en="The policy was endorsed {limit} times; write a new one",
)
BELOW_CONFIRMED = RefusalCode(
    "cover.sum_below_confirmed",
    clause="保险法 art. 18",
    zh="新的保险金额 {sum_fen} 分低于已核定赔款 {confirmed_fen} 分",
    en="A sum insured of {sum_fen} fen is below the {confirmed_fen} fen confirmed already",
)
VALUE_UNFOUNDED = RefusalCode(
    "cover.value_unfounded",
    clause="保险法 art. 55",
    zh="提高保险价值须以该资产的有效评估为据",
    en="A higher insured value needs a valuation of the asset in force",
)


class EndorsementOffered(Payload):
    """The change that the insurer offers; the premium is what it costs on top."""

    cover: CoverId
    asset: AssetId
    valuation: ValuationId | None = None
    sum_insured_fen: PositiveFen
    insured_value_fen: PositiveFen
    deductible_fen: Fen = 0
    premium_fen: Fen
    terms_sha256: Hash


class CoverEndorsed(Payload):
    """The policyholder's consent to exactly the offer, and the premium for it."""

    cover: CoverId
    proposal: Hash
    insurer: PartyId
    asset: AssetId


def _touched_by_endorsing(payload: CoverEndorsed, actor: str) -> tuple[str, ...]:
    interest = interest_key(payload.asset, actor)
    return account_key(actor), account_key(payload.insurer), interest


@event(
    "cover.endorsement_offered@1",
    by={Role.INSURER},
    zh="提出批改",
    en="Offer a change of a policy",
    clause="保险法 art. 20",
    sealable=("terms",),
)
def offer(view: View, event: Event[EndorsementOffered]) -> Changes:
    """Offer another sum, value, deductible or wording while the policy runs."""
    said = event.payload
    cover = _running(view, said.cover, event)
    require_actor(event.actor, cover.insurer, cover.id)
    require_same("asset", said.asset, cover.asset)
    if said.sum_insured_fen > said.insured_value_fen:
        raise SUM_ABOVE_VALUE(sum_fen=said.sum_insured_fen, value_fen=said.insured_value_fen)
    _require_value(view, cover, event)
    _require_sum(cover, said.sum_insured_fen)
    offered = Offer(
        said.sum_insured_fen,
        said.insured_value_fen,
        said.deductible_fen,
        said.premium_fen,
        said.terms_sha256,
    )
    return cover.but(offer=offered)


@event(
    "cover.endorsed@1",
    by={Role.PROVIDER, Role.BUYER, Role.LENDER},
    zh="批改生效",
    en="Endorse a policy",
    clause="保险法 art. 20",
    also=_touched_by_endorsing,
)
def endorse(view: View, event: Event[CoverEndorsed]) -> Changes:
    """The policyholder agrees and pays; the policy is a version further."""
    said = event.payload
    cover = _running(view, said.cover, event)
    require_actor(event.actor, cover.policyholder, cover.id)
    require_same("proposal", said.proposal, view.head(cover.id))
    require_same("insurer", said.insurer, cover.insurer)
    require_same("asset", said.asset, cover.asset)
    change = cover.offer
    if change is None:
        raise NO_OFFER()
    _require_sum(cover, change.sum_insured_fen)
    book = Book(view)
    book.move(change.premium_fen, source=account_key(event.actor), target=account_key(said.insurer))
    endorsed = cover.but(
        sum_insured_fen=change.sum_insured_fen,
        insured_value_fen=change.insured_value_fen,
        deductible_fen=change.deductible_fen,
        premium_fen=cover.premium_fen + change.premium_fen,
        terms=change.terms,
        version=cover.version + 1,
        offer=None,
        past=(*cover.past, _terms_until_now(cover, format_time(event.recorded_at))),
    )
    interest = interest_of(view, cover.asset, event.actor)
    return (
        endorsed,
        entered(interest, cover.id, endorsed.entry, event.recorded_at),
        *book.changes(),
    )


def _running(
    view: View, key: str, event: Event[EndorsementOffered] | Event[CoverEndorsed]
) -> Cover:
    cover = view.get(Cover, key)
    require_status(cover, "IN_FORCE")
    if event.recorded_at > parse_time(cover.ends or ""):
        raise PERIOD_OVER(until=cover.ends)
    return cover


def _terms_until_now(cover: Cover, now: str) -> PastTerms:
    """Return the terms that losses until `now` keep: an endorsement never reaches back."""
    if len(cover.past) >= ENDORSEMENTS_MAX:
        raise ENDORSED_OFTEN(limit=ENDORSEMENTS_MAX)
    return PastTerms(now, cover.sum_insured_fen, cover.insured_value_fen, cover.deductible_fen)


def _require_value(view: View, cover: Cover, event: Event[EndorsementOffered]) -> None:
    """A value no higher than before stands; a higher one rests on a valuation, as at the quote."""
    said = event.payload
    if said.insured_value_fen <= cover.insured_value_fen:
        return
    if said.valuation is None or cover.pledge is not None:
        raise VALUE_UNFOUNDED()
    valuation = view.get(Valuation, said.valuation)
    require_issued(valuation, event.recorded_at)
    require_same("asset", said.asset, valuation.asset)
    if said.insured_value_fen > valuation.value_fen:
        raise SUM_ABOVE_VALUE(sum_fen=said.insured_value_fen, value_fen=valuation.value_fen)


def _require_sum(cover: Cover, sum_fen: int) -> None:
    if sum_fen < cover.confirmed_fen:
        raise BELOW_CONFIRMED(sum_fen=sum_fen, confirmed_fen=cover.confirmed_fen)
