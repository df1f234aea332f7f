"""Terms become ODRL that the Dataspace Protocol's own schemas accept."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft201909Validator, ValidationError

from dataexchange.client.typeid import new_id
from dataexchange.market.odrl import ODRL, agreement, message_offer, offer_policy
from dataexchange.market.offer import Offer
from dataexchange.market.price import CallCharge, Charge, LumpSum, ShareCharge
from dataexchange.market.terms import DeliveryForm, Terms

SCHEMA = Path(__file__).parents[3] / "shared/vectors/dsp/negotiation/contract-schema.json"
LISTING, ASSET, SCENARIO = new_id("listing"), new_id("asset"), new_id("scenario")
PARTIES = (new_id("party"), new_id("party"))

all_terms = st.builds(
    Terms,
    scenarios=st.sampled_from([(), (SCENARIO,)]),
    public_welfare=st.booleans(),
    territory=st.sampled_from([("CN",), ("CN-FJ", "CN-35")]),
    term_days=st.integers(1, 36_500),
    count_max=st.none() | st.integers(1, 10**9),
    redistribution=st.booleans(),
    derivation=st.booleans(),
    attribution=st.booleans(),
    deletion_days=st.none() | st.integers(1, 365),
    liability_cap_fen=st.none() | st.integers(0, 10**12),
    exclusive=st.booleans(),
)
all_charges: st.SearchStrategy[Charge] = st.sampled_from(
    [
        LumpSum(kind="lump_sum", fee_fen=0),
        LumpSum(kind="lump_sum", fee_fen=500_000),
        CallCharge(kind="per_call", call_fen=1, cap_fen=100),
        ShareCharge(kind="revenue_share", ratio="0.1", minimum_fen=5),
    ]
)


def made(terms: Terms, charge: Charge) -> Offer:
    return Offer(version=1, form=DeliveryForm.FILE, charge=charge, terms=terms)


def constraints(policy: dict[str, Any]) -> dict[str, Any]:
    found = policy["permission"][0]["constraint"]
    return {constraint["leftOperand"]: constraint["rightOperand"] for constraint in found}


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        yield value
        return
    for part in value:
        yield from leaves(part)


@pytest.mark.skipif(not SCHEMA.exists(), reason="the protocol's schemas are not at ../shared")
@given(all_terms, all_charges)
def test_every_rendering_fits_its_schema(terms: Terms, charge: Charge) -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))

    def check(name: str, document: Any) -> None:
        ref = {"$ref": f"#/definitions/{name}", "definitions": schema["definitions"]}
        Draft201909Validator(ref).validate(document)

    check("Offer", offer_policy(LISTING, terms, charge))
    offer = made(terms, charge)
    check("MessageOffer", message_offer(LISTING, offer, asset=ASSET))
    at = "2026-01-05T01:00:00.000000Z"
    deal = agreement(LISTING, offer, asset=ASSET, parties=PARTIES, made_at=at, ends_at=at)
    check("Agreement", deal)
    with pytest.raises(ValidationError):
        check("Offer", message_offer(LISTING, offer, asset=ASSET))


@given(all_terms, all_charges)
def test_operands_are_absolute_iris_and_nothing_is_a_number(terms: Terms, charge: Charge) -> None:
    policy = offer_policy(LISTING, terms, charge)
    assert all(isinstance(leaf, str) for leaf in leaves(policy))
    for rule in (
        *policy["permission"],
        *policy.get("prohibition", []),
        *policy.get("obligation", []),
    ):
        for named in (rule, *rule.get("duty", [])):
            assert named["action"] == "use" or re.match(r"(https?|urn):", named["action"])
            for constraint in named.get("constraint", []):
                assert re.match(r"(https?|urn):", constraint["leftOperand"])


def test_what_is_not_granted_is_forbidden() -> None:
    closed = offer_policy(LISTING, Terms(term_days=1))
    assert {rule["action"] for rule in closed["prohibition"]} == {
        ODRL + "distribute",
        ODRL + "derive",
    }
    opened = offer_policy(LISTING, Terms(term_days=1, redistribution=True, derivation=True))
    assert "prohibition" not in opened


def test_purpose_territory_and_count_bound_the_use() -> None:
    terms = Terms(term_days=1, scenarios=(SCENARIO,), territory=("CN-FJ",), count_max=1_000)
    found = constraints(offer_policy(LISTING, terms))
    assert found[ODRL + "purpose"] == [f"urn:dataexchange:{SCENARIO}"]
    assert found[ODRL + "spatial"] == ["CN-FJ"]
    assert found[ODRL + "count"]["@value"] == "1000"


def test_an_offer_lasts_days_and_an_agreement_until_a_time() -> None:
    charge = LumpSum(kind="lump_sum", fee_fen=500_000)
    terms = Terms(term_days=365)
    offer = constraints(offer_policy(LISTING, terms, charge))
    assert offer[ODRL + "elapsedTime"]["@value"] == "P365D"
    end = "2027-01-12T16:00:00.000000Z"
    agreed = agreement(
        LISTING, made(terms, charge), asset=ASSET, parties=PARTIES, made_at=end, ends_at=end
    )
    assert constraints(agreed)[ODRL + "dateTime"]["@value"] == end
    assert (agreed["assigner"], agreed["assignee"]) == tuple(
        f"urn:dataexchange:{party}" for party in PARTIES
    )


def test_money_is_written_in_yuan_with_its_currency() -> None:
    policy = offer_policy(LISTING, Terms(term_days=1), LumpSum(kind="lump_sum", fee_fen=500_005))
    (duty,) = policy["permission"][0]["duty"]
    assert duty["action"] == ODRL + "compensate"
    pay, currency = duty["constraint"]
    assert (pay["leftOperand"], pay["rightOperand"]["@value"]) == (ODRL + "payAmount", "5000.05")
    assert currency["rightOperand"] == "CNY"


def test_what_is_free_asks_for_no_compensation() -> None:
    policy = offer_policy(LISTING, Terms(term_days=1), LumpSum(kind="lump_sum", fee_fen=0))
    assert "duty" not in policy["permission"][0]


def test_a_duty_to_delete_is_an_obligation() -> None:
    policy = offer_policy(LISTING, Terms(term_days=1, deletion_days=30))
    (duty,) = policy["obligation"]
    assert duty["action"] == ODRL + "delete"
    assert duty["constraint"][0]["rightOperand"]["@value"] == "P30D"
