"""Applying a card: hashes, a city's own card, the same bytes for the same inputs."""

import pickle
from pathlib import Path
from typing import Any

import pytest

from dataexchange.valuation import ValuationRefusedError, check_card, evaluate, load_card, value
from dataexchange.valuation.evaluation import headline

CARD = Path(__file__).parents[2] / "valuation" / "cost" / "1.0.0.yaml"
INPUTS: dict[str, Any] = {"costs": [{"item": "direct", "amount": 100}], "adjustment": "0.9"}


def city_card(*changes: tuple[str, str]) -> bytes:
    text = CARD.read_text("utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    return text.encode()


WIDE = (
    "range: {min: 0, warn_above: 1}\n    required: true",
    "range: {min: -1}\n    required: true",
)
NARROW = (
    "range: {min: 0, warn_above: 1}\n    required: true",
    'range: {min: "0.5", max: "0.8"}\n    required: true',
)


def test_a_city_may_narrow_a_range_and_the_formula_obeys() -> None:
    card = load_card(city_card(NARROW))
    with pytest.raises(ValuationRefusedError) as refused:
        evaluate(card, INPUTS)
    assert refused.value.code == "valuation.input_out_of_range"
    assert evaluate(card, INPUTS | {"adjustment": "0.8"}).yuan == "80.00"


def test_a_city_may_rest_a_refusal_on_its_own_clause() -> None:
    own = (
        "clause: 中评协〔2023〕17号 annex, cost method (unverified)\n    zh: 没有任何成本依据",
        "clause: 本市办法 第九条\n    zh: 没有任何成本依据",
    )
    card = load_card(city_card(own))
    with pytest.raises(ValuationRefusedError) as refused:
        evaluate(card, {"costs": [], "adjustment": 1})
    assert refused.value.clause == "本市办法 第九条"


def test_a_card_wider_than_its_method_is_no_good() -> None:
    assert any("wider" in fault for fault in check_card(load_card(city_card(WIDE))))


def test_another_card_has_another_hash_and_another_input_another() -> None:
    first, again = value("cost", INPUTS), value("cost", INPUTS)
    assert first == again
    assert first.card_sha256 != evaluate(load_card(city_card(NARROW)), {
        **INPUTS, "adjustment": "0.6"}).card_sha256  # fmt: skip
    assert first.inputs_sha256 != value("cost", INPUTS | {"adjustment": "0.8"}).inputs_sha256


def test_the_headline_alone_is_the_same_figure() -> None:
    card = load_card(CARD.read_bytes())
    assert headline(card, INPUTS) == evaluate(card, INPUTS)["value"]


def test_a_refusal_survives_being_sent_to_another_process() -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        value("cost", {"costs": [], "adjustment": 1})
    copy = pickle.loads(pickle.dumps(refused.value))
    assert (copy.code, copy.clause, copy.zh) == (
        refused.value.code,
        refused.value.clause,
        refused.value.zh,
    )


def test_an_unknown_method_is_refused() -> None:
    card = load_card(city_card(("method: cost", "method: guess")))
    with pytest.raises(ValuationRefusedError) as refused:
        evaluate(card, INPUTS)
    assert refused.value.code == "valuation.method_unknown"


def test_a_result_can_be_written_as_json_without_floats() -> None:
    figure = value("cost", INPUTS).as_json()["figures"][0]
    assert (figure["shown"], figure["fen"], figure["exact"]) == (("90.00",), (9000,), ("90",))


@pytest.mark.parametrize(
    "change",
    [
        ("- name: overhead\n", "- name: overheads\n"),
        WIDE,
    ],
    ids=["an unknown input", "a wider range"],
)  # fmt: skip
def test_a_card_that_does_not_fit_its_method_is_never_applied(change: tuple[str, str]) -> None:
    card = load_card(city_card(change))
    for apply in (evaluate, headline):
        with pytest.raises(ValuationRefusedError) as refused:
            apply(card, INPUTS)
        assert refused.value.code == "valuation.card_invalid"
