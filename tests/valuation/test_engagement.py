"""The engagement: base date, signers, validity, purpose."""

from datetime import date
from typing import Any

import pytest

from dataexchange.valuation import ValuationRefusedError, value
from dataexchange.valuation.engagement import anniversary

INPUTS: dict[str, Any] = {"costs": [{"item": "direct", "amount": 100}], "adjustment": 1}
SOURCES = {"costs": "ledger", "adjustment": "sheet"}
BASE = {"base_date": "2026-06-30"}


def refusal_of(engagement: dict[str, Any], **changes: Any) -> ValuationRefusedError:
    given = {"inputs": INPUTS, "sources": SOURCES} | changes
    with pytest.raises(ValuationRefusedError) as refused:
        value("cost", given["inputs"], engagement=engagement, sources=given["sources"])
    return refused.value


def test_a_sound_engagement_passes() -> None:
    sound = BASE | {"signers": ["A", "B"], "sealed": True, "valid_until": "2027-06-29"}
    assert value("cost", INPUTS, engagement=sound, sources=SOURCES).yuan == "100.00"


@pytest.mark.parametrize(
    ("change", "code", "clause"),
    [
        ({"signers": ["A"]}, "valuation.one_signer", "资产评估法 art. 27"),
        ({"signers": ["A", "A"]}, "valuation.one_signer", "资产评估法 art. 27"),
        ({"signers": []}, "valuation.one_signer", "资产评估法 art. 27"),
        ({"sealed": False}, "valuation.no_seal", "资产评估法 art. 27"),
        ({"purpose": "booking"}, "valuation.booking_basis", "财会〔2025〕33号"),
        ({"purpose": "pledge", "owner_type": "public_body"}, "valuation.public_body_security",
         "财资〔2024〕1号"),
        ({"valid_until": "2027-06-30"}, "valuation.validity_too_long", "one year"),
        ({"used_on": "2027-06-30"}, "valuation.appraisal_expired", "one year"),
        ({"valid_until": "2026-12-31", "used_on": "2027-01-01"}, "valuation.appraisal_expired",
         "one year"),
        ({"currency": "USD"}, "valuation.mixed_currency", "one currency"),
        ({"base_date": "NaN"}, "valuation.input_malformed", ""),
        ({"purpose": "gift"}, "valuation.input_out_of_range", ""),
    ],
)  # fmt: skip
def test_each_rule_of_the_engagement_refuses_with_its_clause(
    change: dict[str, Any], code: str, clause: str
) -> None:
    refused = refusal_of(BASE | change)
    assert refused.code == code
    assert clause in refused.clause
    assert refused.zh
    assert refused.en


def test_a_company_may_pledge_where_a_public_body_may_not() -> None:
    pledged = BASE | {"purpose": "pledge", "owner_type": "company"}
    assert value("cost", INPUTS, engagement=pledged, sources=SOURCES).yuan == "100.00"


def test_the_last_day_of_validity_is_still_valid() -> None:
    used = BASE | {"used_on": "2027-06-29"}
    assert value("cost", INPUTS, engagement=used, sources=SOURCES).yuan == "100.00"


def test_a_year_from_the_leap_day_ends_on_the_last_of_february() -> None:
    assert anniversary(date(2028, 2, 29)) == date(2029, 2, 28)


def test_evidence_after_the_base_date_is_refused_and_on_it_is_not() -> None:
    def costs(day: str) -> dict[str, Any]:
        return INPUTS | {"costs": [{"item": "direct", "amount": 100, "incurred_on": day}]}

    refused = refusal_of(BASE, inputs=costs("2026-07-01"))
    assert (refused.code, refused.facts["input"]) == (
        "valuation.after_base_date",
        "costs[0].incurred_on",
    )
    assert value("cost", costs("2026-06-30"), engagement=BASE, sources=SOURCES).yuan == "100.00"
