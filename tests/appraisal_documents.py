"""Documents of an appraiser, in Chinese and English, with everything that a report can show."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dataexchange.valuation import shelf

RECONCILIATION = (shelf() / "reconciliation/1.0.0.yaml").read_bytes()
COST = (shelf() / "cost/1.0.0.yaml").read_bytes()
ENGLISH = (shelf() / "examples/report.yaml").read_bytes()
CALCULATION = (shelf() / "examples/cost.yaml").read_bytes()

_LONG = (
    "本次评估以企业能够持续合法采集、存储并加工该数据为前提；授权协议到期后按现有条件续签；"
    "不考虑未来法律法规、宏观经济与行业监管发生重大变化的影响"
)
ENGAGEMENT: dict[str, Any] = {
    "base_date": "2026-06-30",
    "purpose": "pledge",
    "value_type": "市场价值",
    "owner_type": "company",
    "rights": ["hold", "process", "operate"],
    "scenario": "全省小微企业信用评价与贷后监测",
    "assumptions": [_LONG, "数据来源真实、完整，未见权属争议"],
    "limits_of_use": ["仅限本次质押融资使用，不得转售原始数据", "涉及个人信息的字段已去标识化"],
    "quality_evaluation": {
        "score": "0.959667",
        "evaluator": "某数据质量检测实验室",
        "evaluated_on": "2026-06-20",
    },
    "independence": "评估机构及签名人员与委托方、持有人、贷款人均无利害关系",
    "permitted_users": ["贷款银行", "担保机构"],
    "signers": ["甲评估师", "乙评估师"],
    "sealed": True,
    "valid_until": "2027-06-29",
}
_COSTS = [
    {"item": "preliminary", "amount": "150000"},
    {"item": "direct", "amount": "700000"},
    {"item": "indirect", "amount": "200000"},
    {"item": "opportunity", "amount": "150000"},
]
_COST_SECTION = {
    "card": "cost",
    "weight": "0.4",
    "reason": "成本经审计且距基准日近，能够可靠归集",
    "inputs": {"costs": _COSTS, "adjustment": "0.85", "overhead": "0.05"},
    "sources": {
        "costs": {"text": "2025 年度审计报告附注十二", "dated": "2026-03-31", "sha256": "ab" * 32},
        "adjustment": "2026 年 6 月 20 日质量评价报告",
        "overhead": "管理费用率三年平均",
    },
    "sensitivity": [
        {"input": "adjustment", "low": "0.75", "high": "0.95"},
        {"input": "costs[].amount", "change": "0.1"},
        {"input": "costs[1].amount", "change": "0.2"},
    ],
    "table": {
        "rows": {"input": "adjustment", "values": ["0.75", "0.85", "0.95"]},
        "columns": {"input": "overhead", "values": ["0", "0.05", "0.1", "0.15"]},
    },
    "interval": {
        "seed": 7,
        "draws": 400,
        "inputs": [{"input": "adjustment", "low": "0.70", "mode": "0.85", "high": "0.95"}],
    },
}
_INCOME_SECTION = {
    "card": "income",
    "weight": "0.4",
    "reason": "已签约客户支撑收益预测",
    "inputs": {
        "approach": "share",
        "years": 4,
        "rate": "0.15",
        "revenue": {"first": "4000000", "growth": "0.08"},
        "share": {"first": "0.12", "growth": "-0.10"},
        "flow_basis": "post_tax",
    },
    "sources": {
        "years": "在执行合同",
        "rate": "折现率一节，另加存续期短的风险溢价",
        "revenue": "在手订单",
        "share": "可比许可合同，见附件五",
    },
    "sensitivity": [
        {"input": "rate", "low": "0.12", "high": "0.18"},
        {"input": "revenue", "change": "0.10"},
    ],
    "interval": {
        "seed": 7,
        "draws": 400,
        "inputs": [
            {"input": "rate", "low": "0.12", "mode": "0.15", "high": "0.19"},
            {"input": "revenue", "low": ".85", "mode": 1, "high": "1.1", "relative": True},
        ],
    },
}


# What three deals were sold for, in 元, and how the valued data compares with each.
DEALS = ("1180000", "1250000", "1100000")
_FACTORS = (
    {"quality": "1.05", "capacity": "0.97"},
    {"supply_demand": "0.95"},
    {"quality": "1.02", "other": "1.01"},
)
_UNSEEN = [
    {"dealt_on": f"2026-0{number}-15", "entry_index": 1000 + number, "leaf_hash": f"{number:064x}"}
    for number in (2, 3, 5)
]


def _comparables(deals: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"price": price, "origin": "ledger", **deal, **factors}
        for price, deal, factors in zip(DEALS, deals, _FACTORS, strict=True)
    ]


_MARKET_SECTION = {
    "card": "market",
    "weight": "0.2",
    "reason": "交易所内有三笔可比成交，但交易权利范围不尽相同",
    "sources": {"datasets": "交易所账本成交条目，逐条附证明"},
}


def chinese_report(deals: Sequence[Mapping[str, Any]] = _UNSEEN, **changes: Any) -> bytes:
    """Return a report of all three approaches, as JSON bytes.

    `deals` say where and when the three `DEALS` of the ledger were closed.
    """
    datasets = [{"name": "信用评价数据集", "comparables": _comparables(deals)}]
    market = {**_MARKET_SECTION, "inputs": {"datasets": datasets}}
    document = {
        "kind": "report",
        "engagement": ENGAGEMENT,
        "sections": [_COST_SECTION, _INCOME_SECTION, market],
        **changes,
    }
    return json.dumps(document, ensure_ascii=False).encode()
