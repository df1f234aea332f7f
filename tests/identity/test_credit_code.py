"""The check character of GB 32100-2015."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dataexchange.errors import RefusedError
from dataexchange.identity.credit_code import check_character, require_credit_code

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
codes = st.builds(
    lambda first, digits, rest: (first + digits + rest) + check_character(first + digits + rest),
    st.text(ALPHABET, min_size=2, max_size=2),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(ALPHABET, min_size=9, max_size=9),
)


@pytest.mark.parametrize("code", ["91350100M000100Y43", "91110000600037341L"])
def test_a_code_with_its_check_character_is_accepted(code: str) -> None:
    require_credit_code(code)


@given(codes)
def test_a_code_made_with_its_check_character_is_accepted(code: str) -> None:
    require_credit_code(code)


@given(codes, st.integers(0, 17), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_always_noticed(code: str, place: int, other: str) -> None:
    assume(code[place] != other)
    with pytest.raises(RefusedError, match="not a valid unified social credit code"):
        require_credit_code(code[:place] + other + code[place + 1 :])


@pytest.mark.parametrize(
    "code",
    [
        "",
        "91350100M000100Y4",
        "91350100M000100Y433",
        "91350100m000100y43",
        "9135O100M000100Y43",
        "９1350100M000100Y43",
        " 91350100M000100Y43",
        "91350100M000100Y43\n",
    ],
)
def test_a_code_of_another_form_is_refused(code: str) -> None:
    with pytest.raises(RefusedError):
        require_credit_code(code)
