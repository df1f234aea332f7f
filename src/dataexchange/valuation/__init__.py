"""Valuation (价格评估): methods applied to evidence by a rulebook card.

By card, with its norms, ranges, refusals and hashes:

    from dataexchange.valuation import value

    value("cost", {"costs": [{"item": "direct", "amount": "1200000"}], "adjustment": "0.85"}).yuan

or by formula alone, in exact `Decimal`:

    from dataexchange.valuation import annuity, present_value, share_flows

    present_value(share_flows([1_000_000, 1_100_000], ["0.05", "0.05"]), "0.12")
"""

from dataexchange.valuation.ahp import ahp_weights, consistency
from dataexchange.valuation.appraisal import Report, Result, as_json, run_card, run_report
from dataexchange.valuation.arithmetic import fen, round_ratio, round_yuan
from dataexchange.valuation.card import Card, card_schema, load_card
from dataexchange.valuation.checking import check_card
from dataexchange.valuation.cost import cost_value, depreciation, replacement_cost
from dataexchange.valuation.deals import (
    ClosedDeal,
    Comparison,
    comparables_from_deals,
    deals_from_evidence,
    usable_deals,
)
from dataexchange.valuation.describing import describe_card
from dataexchange.valuation.discount_rate import (
    before_tax,
    cost_of_equity,
    intangible_return,
    wacc,
)
from dataexchange.valuation.discounting import annuity, present_value, tax_amortisation_factor
from dataexchange.valuation.entropy import entropy_weights
from dataexchange.valuation.evaluation import evaluate
from dataexchange.valuation.fuzzy import fuzzy_evaluation, graded_score
from dataexchange.valuation.income import (
    direct_flows,
    excess_flows,
    incremental_flows,
    share_flows,
)
from dataexchange.valuation.interval import Drawing, Interval, Uncertain, draw_interval
from dataexchange.valuation.library import card_paths, find_card, publish, shelf, value
from dataexchange.valuation.market import adjusted_price, closeness_weights
from dataexchange.valuation.method import Method
from dataexchange.valuation.methods import METHODS
from dataexchange.valuation.public_data_fee import public_data_fee_cap
from dataexchange.valuation.quality import indicator_score, weighted_score
from dataexchange.valuation.recognition import Carried, amortise
from dataexchange.valuation.reconciliation import reconciled_value, spread
from dataexchange.valuation.refusal import ValuationRefusedError
from dataexchange.valuation.rendering import render_text
from dataexchange.valuation.result import Figure, Valuation
from dataexchange.valuation.sensitivity import Grid, Swing, tornado, two_way
from dataexchange.valuation.utility_cost import utility

__all__ = [
    "METHODS",
    "Card",
    "Carried",
    "ClosedDeal",
    "Comparison",
    "Drawing",
    "Figure",
    "Grid",
    "Interval",
    "Method",
    "Report",
    "Result",
    "Swing",
    "Uncertain",
    "Valuation",
    "ValuationRefusedError",
    "adjusted_price",
    "ahp_weights",
    "amortise",
    "annuity",
    "as_json",
    "before_tax",
    "card_paths",
    "card_schema",
    "check_card",
    "closeness_weights",
    "comparables_from_deals",
    "consistency",
    "cost_of_equity",
    "cost_value",
    "deals_from_evidence",
    "depreciation",
    "describe_card",
    "direct_flows",
    "draw_interval",
    "entropy_weights",
    "evaluate",
    "excess_flows",
    "fen",
    "find_card",
    "fuzzy_evaluation",
    "graded_score",
    "incremental_flows",
    "indicator_score",
    "intangible_return",
    "load_card",
    "present_value",
    "public_data_fee_cap",
    "publish",
    "reconciled_value",
    "render_text",
    "replacement_cost",
    "round_ratio",
    "round_yuan",
    "run_card",
    "run_report",
    "share_flows",
    "shelf",
    "spread",
    "tax_amortisation_factor",
    "tornado",
    "two_way",
    "usable_deals",
    "utility",
    "value",
    "wacc",
    "weighted_score",
]
