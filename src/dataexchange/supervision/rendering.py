"""The evaluation as Markdown, in Chinese or in English, for the quarterly notice 季度通报."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Literal

from dataexchange.ledger import canonical

Language = Literal["zh", "en"]


def render(report: bytes, language: Language) -> str:
    """Return the canonical JSON `report` as Markdown in `language`; money in 元."""
    said = canonical.decode(report)
    heading = _HEADINGS[language].format(**said)
    parts = [heading, *_sections(said, language)]
    return "\n\n".join(parts) + "\n"


def _sections(said: Mapping[str, Any], language: Language) -> Iterator[str]:
    flows = {**said["counts"], **said["amounts"]}
    flows["quality_mean"] = said["quality_mean"]
    flows["listing_to_licence_days_mean"] = said["listing_to_licence_days_mean"]
    for title, figures in (("flows", flows), ("standing", said["standing"])):
        plain = {name: value for name, value in figures.items() if not isinstance(value, dict)}
        yield f"## {_word(title, language)}"
        yield _table(
            [_word("indicator", language), _word("value", language)],
            [[_word(name, language), _shown(name, value)] for name, value in plain.items()],
        )
    opened = said["standing"].get("opened", {})
    if opened:
        yield f"## {_word('opened', language)}"
        yield _table(
            [_word("type", language), _word("value", language)],
            [[_word(name, language), str(count)] for name, count in opened.items()],
        )
    if said["providers"]:
        yield f"## {_word('providers', language)}"
        yield _providers(said["providers"], language)


def _providers(providers: Mapping[str, Mapping[str, Any]], language: Language) -> str:
    names = list(next(iter(providers.values())))
    return _table(
        [_word("party", language), *(_word(name, language) for name in names)],
        [
            [party, *(_shown(name, line[name]) for name in names)]
            for party, line in providers.items()
        ],
    )


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _shown(name: str, value: object) -> str:
    if value is None:
        return "—"
    if name.endswith("_fen"):
        return f"{Decimal(str(value)) / 100:,.2f}"
    return str(value)


def _word(name: str, language: Language) -> str:
    zh, en = WORDS[name]
    return zh if language == "zh" else en


_HEADINGS = {
    "zh": "# {quarter} 季度评估\n\n覆盖账本前 {covers} 条，截至 {as_of}。金额单位：元。",
    "en": "# Evaluation of {quarter}\n\nOver the first {covers} entries of the log, as of {as_of}."
    " Money in yuan.",
}
WORDS = {
    "flows": ("本季度发生", "In the quarter"),
    "standing": ("期末存量", "As it stands"),
    "providers": ("按主体", "By party"),
    "indicator": ("指标", "Indicator"),
    "value": ("值", "Value"),
    "type": ("类型", "Type"),
    "party": ("主体", "Party"),
    "parties_admitted": ("入场主体", "Parties admitted"),
    "resources_registered": ("登记资源", "Resources registered"),
    "versions_added": ("新增版本", "Versions added"),
    "versions_assessed": ("质量评估", "Quality assessments"),
    "rights_registered": ("权利登记", "Rights registered"),
    "shares_approved": ("同意共享", "Shares approved"),
    "openings_planned": ("开放计划", "Openings planned"),
    "openings_published": ("开放", "Openings published"),
    "scenarios_registered": ("应用场景", "Scenarios registered"),
    "scenario_results": ("场景成效", "Results of scenarios"),
    "operations_accepted": ("授权运营", "Authorised operations"),
    "products_developed": ("开发产品", "Products developed"),
    "listings_published": ("挂牌", "Listings published"),
    "licences_finalised": ("成交许可", "Licences concluded"),
    "deliveries_accepted": ("验收交付", "Deliveries accepted"),
    "titles_transferred": ("权属转让", "Titles transferred"),
    "disputes_opened": ("新增争议", "Disputes opened"),
    "valuations_issued": ("评估报告", "Valuations issued"),
    "pledges_registered": ("质押登记", "Pledges registered"),
    "loans_drawn": ("放款", "Loans drawn"),
    "pledges_defaulted": ("违约", "Pledges in default"),
    "guarantees_accepted": ("新增担保", "Guarantees taken"),
    "policies_incepted": ("新增保单", "Policies begun"),
    "claims_notified": ("报案", "Claims notified"),
    "claims_paid": ("赔付", "Claims paid"),
    "incidents_confirmed": ("安全事件", "Security incidents"),
    "errors_corrected": ("纠错", "Errors corrected"),
    "assets_frozen": ("冻结资产", "Assets frozen"),
    "duties_assigned": ("分派任务", "Duties assigned"),
    "alerts_raised": ("预警", "Alerts raised"),
    "opinions_given": ("专家意见", "Expert opinions"),
    "deposited_fen": ("入金", "Deposited"),
    "escrow_locked_fen": ("托管额", "Locked in escrow"),
    "turnover_fen": ("成交额", "Turnover"),
    "valued_fen": ("评估值", "Value appraised"),
    "secured_fen": ("质押担保额", "Secured by pledges"),
    "lent_fen": ("放款额", "Lent"),
    "quality_mean": ("平均质量得分", "Mean quality score"),
    "listing_to_licence_days_mean": ("挂牌至成交平均天数", "Mean days from listing to licence"),
    "alerts_open": ("未关闭预警", "Alerts open"),
    "assessed_share": ("最新版本评估率", "Share with the latest version assessed"),
    "assets_assessed": ("最新版本已评估", "Assets with the latest version assessed"),
    "claims_open": ("未结赔案", "Claims open"),
    "disputes_open": ("未决争议", "Disputes open"),
    "duties_open": ("未完成任务", "Duties open"),
    "duties_overdue": ("逾期任务", "Duties overdue"),
    "guaranteed_fen": ("在保金额", "Guaranteed"),
    "guarantees_in_force": ("在保笔数", "Guarantees in force"),
    "licences_in_force": ("有效许可", "Licences in force"),
    "listings_open": ("在挂", "Listings open"),
    "loans_outstanding": ("未解除贷款", "Loans outstanding"),
    "openings_overdue": ("逾期开放计划", "Openings overdue"),
    "parties_active": ("在场主体", "Active parties"),
    "pledges_standing": ("未解除质押", "Pledges standing"),
    "policies_in_force": ("有效保单", "Policies in force"),
    "products": ("数据产品", "Products"),
    "resources": ("数据资源", "Resources"),
    "opened": ("已开放", "Open"),
    "assessed": ("已评估", "Assessed"),
    "versions": ("版本", "Versions"),
    "unconditional": ("无条件开放", "Unconditional"),
    "conditional": ("有条件开放", "Conditional"),
    "refused": ("不予开放", "Refused"),
}
