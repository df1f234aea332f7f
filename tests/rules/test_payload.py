"""Payloads are frozen, strict and without floats."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dataexchange.errors import RefusedError
from dataexchange.rules import Payload
from dataexchange.rules.payload import (
    Code,
    Day,
    Days,
    Fen,
    Hash,
    Moment,
    Number,
    PositiveFen,
    Ratio,
    decimal,
    is_slug,
)


class Priced(Payload):
    fen: Fen = 0
    positive_fen: PositiveFen = 1
    number: Number = "0"
    ratio: Ratio = "0"
    hash_hex: Hash = "0" * 64
    code: Code = "a"
    moment: Moment = "2026-11-24T08:00:00.000000Z"
    day: Day = "2026-11-24"
    days: Days = 1


def read(**fields: object) -> Priced:
    return Priced.model_validate_json(json.dumps(fields), strict=True)


@pytest.mark.parametrize(
    "fields",
    [
        {"fen": 2**53 - 1},
        {"number": "-12.5"},
        {"number": "0.000000000000000001"},
        {"ratio": "1.0"},
        {"ratio": "0.5"},
        {"code": "GB/T-4754:2017_x.y"},
        {"day": "2026-12-31"},
    ],
)
def test_what_fits_is_read(fields: dict[str, object]) -> None:
    (name, value), *_ = fields.items()
    assert getattr(read(**fields), name) == value


@pytest.mark.parametrize(
    "fields",
    [
        {"fen": -1},
        {"fen": 1.0},
        {"fen": "1"},
        {"fen": True},
        {"fen": 2**53},
        {"positive_fen": 0},
        {"number": 0.5},
        {"number": "1e3"},
        {"number": "01"},
        {"number": ".5"},
        {"number": "١"},
        {"number": "1\n"},
        {"ratio": "1.1"},
        {"ratio": "1.000000000000000001"},
        {"ratio": "-0"},
        {"ratio": "NaN"},
        {"hash_hex": "A" * 64},
        {"hash_hex": "a" * 63},
        {"code": "-x"},
        {"code": "码"},
        {"moment": "2026-11-24T08:00:00Z"},
        {"moment": "2026-11-24T16:00:00.000000+08:00"},
        {"moment": "2026-02-30T08:00:00.000000Z"},
        {"day": "2026-13-01"},
        {"days": 0},
        {"more": 1},
    ],
)
def test_what_does_not_fit_is_an_error(fields: dict[str, object]) -> None:
    with pytest.raises((ValidationError, RefusedError)):
        read(**fields)


def test_a_payload_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        read().fen = 2  # type: ignore[misc]


@given(st.decimals(0, 1, places=18))
def test_a_ratio_is_exact(ratio: Decimal) -> None:
    text = f"{ratio:.18f}"
    assert decimal(read(ratio=text).ratio) == ratio


@pytest.mark.parametrize("text", ["a", "a_b-1"])
def test_a_slug_is_lower_case_and_starts_with_a_letter(text: str) -> None:
    assert is_slug(text)


@pytest.mark.parametrize("text", ["A", "1a", "", "a\n", "a b", "é"])
def test_what_is_no_slug_is_told(text: str) -> None:
    assert not is_slug(text)
