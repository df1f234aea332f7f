"""Render terms and a charge as ODRL 2.2, in the JSON that the Dataspace Protocol's schemas take.

Left operands and actions beyond `use` are absolute IRIs: the protocol's context leaves several out,
and a bare `spatial` would expand to a relative IRI. Right operands are never numbers. An offer in a
catalogue has no target, one in a message has.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

from dataexchange.market.offer import Offer
from dataexchange.market.price import CallCharge, Charge, LumpSum, ShareCharge
from dataexchange.market.terms import Terms

ODRL = "http://www.w3.org/ns/odrl/2/"
XSD = "http://www.w3.org/2001/XMLSchema#"
PROFILE = "urn:dataexchange:odrl-profile:1"
_OURS = PROFILE + "#"
_URN = "urn:dataexchange:"

JsonLd: TypeAlias = dict[str, Any]


def urn(key: str) -> str:
    """Return the IRI of an aggregate."""
    return _URN + key


def offer_policy(key: str, terms: Terms, charge: Charge | None = None) -> JsonLd:
    """Return the ODRL offer of a listing or of a step in a negotiation, without a target."""
    return {"@type": "Offer", **_policy(key, terms, charge, ends_at=None)}


def message_offer(key: str, offer: Offer, *, asset: str) -> JsonLd:
    """Return an offer as a negotiation's message carries it, with its target."""
    return {**offer_policy(key, offer.terms, offer.charge), "target": urn(asset)}


def agreement(
    key: str, offer: Offer, *, asset: str, parties: tuple[str, str], made_at: str, ends_at: str
) -> JsonLd:
    """Return the agreement between `parties` (provider, buyer); times are RFC 3339."""
    provider, buyer = parties
    return {
        "@type": "Agreement",
        **_policy(key, offer.terms, offer.charge, ends_at=ends_at),
        "target": urn(asset),
        "assigner": urn(provider),
        "assignee": urn(buyer),
        "timestamp": made_at,
    }


def _policy(key: str, terms: Terms, charge: Charge | None, *, ends_at: str | None) -> JsonLd:
    prohibited = _prohibitions(terms)
    return {
        "@id": urn(key),
        "profile": PROFILE,
        "permission": [_permission(terms, charge, ends_at)],
        **({"prohibition": prohibited} if prohibited else {}),
        **_obligations(terms),
    }


def _permission(terms: Terms, charge: Charge | None, ends_at: str | None) -> JsonLd:
    duties = _payment(charge)
    if terms.attribution:
        duties.append({"action": ODRL + "attribute"})
    return {
        "action": "use",
        "constraint": _constraints(terms, ends_at),
        **({"duty": duties} if duties else {}),
    }


def _constraints(terms: Terms, ends_at: str | None) -> list[JsonLd]:
    days = {"@value": f"P{terms.term_days}D", "@type": XSD + "duration"}
    end = (
        _constraint(ODRL + "elapsedTime", "lteq", days)
        if ends_at is None
        else _constraint(ODRL + "dateTime", "lt", {"@value": ends_at, "@type": XSD + "dateTime"})
    )
    found = [end, _constraint(ODRL + "spatial", "isAnyOf", list(terms.territory))]
    if terms.scenarios:
        purposes = [urn(scenario) for scenario in terms.scenarios]
        found.append(_constraint(ODRL + "purpose", "isAnyOf", purposes))
    if terms.count_max is not None:
        found.append(_constraint(ODRL + "count", "lteq", _integer(terms.count_max)))
    if terms.public_welfare:
        found.append(_constraint(_OURS + "publicWelfare", "eq", "true"))
    if terms.exclusive:
        found.append(_constraint(_OURS + "exclusive", "eq", "true"))
    if terms.liability_cap_fen is not None:
        cap = _yuan(terms.liability_cap_fen)
        found.append(_constraint(_OURS + "liabilityCap", "eq", cap))
    return found


def _prohibitions(terms: Terms) -> list[JsonLd]:
    actions = {"distribute": terms.redistribution, "derive": terms.derivation}
    return [{"action": ODRL + action} for action, granted in actions.items() if not granted]


def _obligations(terms: Terms) -> JsonLd:
    if terms.deletion_days is None:
        return {}
    within = {"@value": f"P{terms.deletion_days}D", "@type": XSD + "duration"}
    limit = _constraint(_OURS + "daysAfterEnd", "lteq", within)
    return {"obligation": [{"action": ODRL + "delete", "constraint": [limit]}]}


def _payment(charge: Charge | None) -> list[JsonLd]:
    match charge:
        case None:
            return []
        case LumpSum():
            return _compensation([_pay(charge.fee_fen)]) if charge.fee_fen else []
        case CallCharge():
            cap = _constraint(_OURS + "payAmountMax", "lteq", _yuan(charge.cap_fen))
            unit = _constraint(_OURS + "payAmountPerCall", "eq", _yuan(charge.call_fen))
            return _compensation([unit, cap])
        case ShareCharge():
            ratio = {"@value": charge.ratio, "@type": XSD + "decimal"}
            share = _constraint(_OURS + "revenueShare", "eq", ratio)
            return _compensation([share, _pay(charge.minimum_fen, "gteq")])


def _compensation(constraints: Sequence[JsonLd]) -> list[JsonLd]:
    currency = _constraint(_OURS + "currency", "eq", "CNY")
    return [{"action": ODRL + "compensate", "constraint": [*constraints, currency]}]


def _pay(fen: int, operator: str = "eq") -> JsonLd:
    return _constraint(ODRL + "payAmount", operator, _yuan(fen))


def _yuan(fen: int) -> JsonLd:
    return {"@value": f"{fen // 100}.{fen % 100:02d}", "@type": XSD + "decimal"}


def _integer(number: int) -> JsonLd:
    return {"@value": str(number), "@type": XSD + "integer"}


def _constraint(left: str, operator: str, right: str | JsonLd | list[str]) -> JsonLd:
    return {"leftOperand": left, "operator": operator, "rightOperand": right}
