"""The registry of methods: a new method is one module, one card and one line here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from dataexchange.valuation.cost import COST
from dataexchange.valuation.method import Method

METHODS: Mapping[str, Method[Any]] = MappingProxyType({method.name: method for method in (COST,)})
