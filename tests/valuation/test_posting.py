"""元 become 分 only where nothing is lost."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.valuation.posting import whole_fen, yuan
from dataexchange.valuation.refusal import ValuationRefusedError


@given(st.integers(-(10**20), 10**20))
def test_fen_become_yuan_and_fen_again(amount_fen: int) -> None:
    assert whole_fen(yuan(amount_fen), "amount") == amount_fen


@pytest.mark.parametrize("amount", ["0.001", "1.005", "1e-9"])
def test_a_fraction_of_a_fen_is_refused(amount: str) -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        whole_fen(Decimal(amount), "amount")
    assert refused.value.code == "valuation.input_inconsistent"
