"""Valuation (价格评估): methods applied to evidence by a rulebook card.

from dataexchange.valuation import value

value("cost", {"costs": [{"item": "direct", "amount": "1200000"}], "adjustment": "0.85"}).yuan
"""

from dataexchange.valuation.card import Card, load_card
from dataexchange.valuation.checking import check_card
from dataexchange.valuation.evaluation import evaluate
from dataexchange.valuation.library import find_card, value
from dataexchange.valuation.methods import METHODS
from dataexchange.valuation.refusal import ValuationRefusedError
from dataexchange.valuation.result import Figure, Valuation

__all__ = [
    "METHODS",
    "Card",
    "Figure",
    "Valuation",
    "ValuationRefusedError",
    "check_card",
    "evaluate",
    "find_card",
    "load_card",
    "value",
]
