"""Amounts in words, as a Chinese report writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.reports.numerals import AMOUNT_FEN_MAX, amount_in_words

DIGITS = {word: digit for digit, word in enumerate("零壹贰叁肆伍陆柒捌玖")}
PLACES = {"拾": 10, "佰": 100, "仟": 1000}


@pytest.mark.parametrize(
    ("amount_fen", "words"),
    [
        (0, "零元整"),
        (5, "伍分"),
        (50, "伍角整"),
        (100, "壹元整"),
        (105, "壹元零伍分"),
        (110, "壹元壹角整"),
        (10_000_000, "壹拾万元整"),
        (10_000_500, "壹拾万零伍元整"),
        (120_023_209, "壹佰贰拾万零贰佰叁拾贰元零玖分"),
        (10_000_000_100, "壹亿零壹元整"),
        (100_001_000_000, "壹拾亿零壹万元整"),
        (123_456_789_012, "壹拾贰亿叁仟肆佰伍拾陆万柒仟捌佰玖拾元壹角贰分"),
    ],
)
def test_an_amount_is_written_as_banks_write_it(amount_fen: int, words: str) -> None:
    assert amount_in_words(amount_fen) == f"人民币{words}"


@given(st.integers(0, AMOUNT_FEN_MAX))
def test_the_words_say_the_amount_again(amount_fen: int) -> None:
    assert _read(amount_in_words(amount_fen)) == amount_fen


@pytest.mark.parametrize("amount_fen", [-1, AMOUNT_FEN_MAX + 1])
def test_an_amount_without_words_is_an_error(amount_fen: int) -> None:
    with pytest.raises(ValueError, match="in words"):
        amount_in_words(amount_fen)


def _read(words: str) -> int:
    """Read the words by rules of their own: digits times places, groups of four."""
    words = words.removeprefix("人民币").removesuffix("整")
    whole, _, rest = words.partition("元") if "元" in words else ("", "", words)
    fen, digit = 0, 0
    for sign in rest:
        if sign in DIGITS:
            digit = DIGITS[sign]
        else:
            fen += digit * {"角": 10, "分": 1}[sign]
    return _read_whole(whole) * 100 + fen


def _read_whole(words: str) -> int:
    if "万亿" in words:
        high, _, words = words.partition("万亿")
        return _four(high) * 10**12 + _read_whole(words)
    total = 0
    for unit, worth in (("亿", 10**8), ("万", 10**4)):
        if unit in words:
            high, _, words = words.partition(unit)
            total += _four(high) * worth
    return total + _four(words)


def _four(words: str) -> int:
    total, digit = 0, 0
    for sign in words:
        if sign in PLACES:
            total, digit = total + digit * PLACES[sign], 0
        else:
            digit = DIGITS[sign]
    return total + digit
