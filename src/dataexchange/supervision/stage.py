"""The stages of an asset's life, under which dossiers and evaluations group what happened."""

from enum import StrEnum

from dataexchange.rules import Text


class Stage(StrEnum):
    """A stage: the five of the pipeline with circulation, and what stands beside them."""

    MEMBERSHIP = "membership"  # 入场
    COLLECTION = "collection"  # 汇聚
    GOVERNANCE = "governance"  # 治理
    SHARING = "sharing"  # 共享
    OPENING = "opening"  # 开放
    APPLICATION = "application"  # 应用
    CIRCULATION = "circulation"  # 流通
    VALUATION = "valuation"  # 评估
    GUARANTEE = "guarantee"  # 担保
    INSURANCE = "insurance"  # 保险
    SUPERVISION = "supervision"  # 监管
    FUNDS = "funds"  # 资金

    @property
    def label(self) -> Text:
        """The stage's name in Chinese and English."""
        zh, en = _TITLES[self]
        return Text(zh=zh, en=en)


def stage_of(event: str) -> Stage:
    """Return the stage to which the event type `noun.verbed@1` belongs."""
    return _STAGES.get(event) or _STAGES[event.partition(".")[0]]


_TITLES = {
    Stage.MEMBERSHIP: ("入场", "Membership"),
    Stage.COLLECTION: ("汇聚", "Collection"),
    Stage.GOVERNANCE: ("治理", "Governance"),
    Stage.SHARING: ("共享", "Sharing"),
    Stage.OPENING: ("开放", "Opening"),
    Stage.APPLICATION: ("应用", "Application"),
    Stage.CIRCULATION: ("流通", "Circulation"),
    Stage.VALUATION: ("价格评估", "Valuation"),
    Stage.GUARANTEE: ("担保", "Guarantee"),
    Stage.INSURANCE: ("保险", "Insurance"),
    Stage.SUPERVISION: ("监管", "Supervision"),
    Stage.FUNDS: ("资金", "Funds"),
}
_NOUNS = {
    Stage.MEMBERSHIP: "party key log policy rules",
    Stage.COLLECTION: "resource data error",
    Stage.GOVERNANCE: "quality classification deidentification compliance security rights objection"
    " service incident consent content opening.erased@1",
    Stage.SHARING: "share certificate",
    Stage.OPENING: "opening",
    Stage.APPLICATION: "scenario operation product",
    Stage.CIRCULATION: "listing licence delivery usage revenue dispute title bid auction deposit"
    " clearance fee_ceiling escrow",
    Stage.VALUATION: "valuation card",
    Stage.GUARANTEE: "pledge guarantee guarantor exposure financing",
    Stage.INSURANCE: "cover claim insurer",
    Stage.SUPERVISION: "asset duty alert opinion indicators calendar map",
    Stage.FUNDS: "funds fees withdrawal",
}
_STAGES = {noun: stage for stage, nouns in _NOUNS.items() for noun in nouns.split()}
