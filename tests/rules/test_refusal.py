"""Every refusal reads well in both languages and says what it rests on."""

import re
from string import Formatter

import pytest

from dataexchange.errors import RefusalCode
from dataexchange.registry.catalogue import catalogue

REFUSALS = sorted(catalogue().refusals.values(), key=lambda refusal: refusal.code)
HAN = re.compile(r"[\u4e00-\u9fff]")


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.code)
def test_a_refusal_has_a_code_a_clause_and_a_text_in_each_language(refusal: RefusalCode) -> None:
    assert re.fullmatch(r"[a-z_]+(\.[a-z_0-9]+)+", refusal.code)
    assert refusal.clause
    assert HAN.search(refusal.zh)
    assert re.search("[A-Za-z]{2}", refusal.en)
    assert bool(refusal.remedy_zh) == bool(refusal.remedy_en)


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal.code)
def test_the_facts_of_a_refusal_are_named(refusal: RefusalCode) -> None:
    for text in (refusal.zh, refusal.en, refusal.remedy_zh, refusal.remedy_en):
        assert all(name.isidentifier() for name in fields(text))
        assert "{}" not in text


def test_a_fact_that_is_missing_shows_its_name_and_fails_nothing() -> None:
    refusal = RefusalCode("x.y", clause="c", zh="{a} 与 {b}", en="{a} and {b}")
    assert refusal(a=1).en == "1 and {b}"
    assert refusal(a=1).zh == "1 与 {b}"
