"""The registry of methods: a new method is one module, one card and one line here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from dataexchange.valuation.ahp import AHP
from dataexchange.valuation.auction import AUCTION
from dataexchange.valuation.cost import COST
from dataexchange.valuation.discount_rate import DISCOUNT_RATE
from dataexchange.valuation.entropy import ENTROPY
from dataexchange.valuation.fuzzy import FUZZY
from dataexchange.valuation.income import INCOME
from dataexchange.valuation.knn_shapley import KNN_SHAPLEY
from dataexchange.valuation.market import MARKET
from dataexchange.valuation.menu import MENU
from dataexchange.valuation.method import Method
from dataexchange.valuation.montecarlo import MONTECARLO
from dataexchange.valuation.option import OPTION
from dataexchange.valuation.public_data_fee import PUBLIC_DATA_FEE
from dataexchange.valuation.quality import QUALITY
from dataexchange.valuation.recognition import RECOGNITION
from dataexchange.valuation.reconciliation import RECONCILIATION
from dataexchange.valuation.shapley import SHAPLEY
from dataexchange.valuation.utility_cost import UTILITY_COST

METHODS: Mapping[str, Method[Any]] = MappingProxyType(
    {
        method.name: method
        for method in (
            COST,
            UTILITY_COST,
            DISCOUNT_RATE,
            INCOME,
            MARKET,
            QUALITY,
            AHP,
            ENTROPY,
            FUZZY,
            RECOGNITION,
            PUBLIC_DATA_FEE,
            RECONCILIATION,
            SHAPLEY,
            KNN_SHAPLEY,
            MENU,
            AUCTION,
            OPTION,
            MONTECARLO,
        )
    }
)
