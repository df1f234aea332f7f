"""From 元 on paper to whole 分 that can be posted, and back."""

from decimal import Decimal

from dataexchange.valuation.arithmetic import exact, plain
from dataexchange.valuation.refusal import INPUT_INCONSISTENT


@exact
def whole_fen(amount_yuan: Decimal, name: str) -> int:
    """Return 元 as 分; raises `valuation.input_inconsistent` on a fraction of a 分."""
    amount_fen = amount_yuan * 100
    if amount_fen != amount_fen.to_integral_value():
        raise INPUT_INCONSISTENT(input=name, why=f"{plain(amount_yuan)} is no whole number of 分")
    return int(amount_fen)


def yuan(amount_fen: int) -> Decimal:
    """Return 分 as 元, exactly."""
    return Decimal(amount_fen).scaleb(-2)
