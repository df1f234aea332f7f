"""Why a valuation is refused: stable codes, the clause, and both languages.

The codes of one method stand next to its rule; those that every method shares stand here. A card
may rest a code on its own city's clause: `under` swaps the clause and keeps the code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dataexchange.errors import RefusalCode, RefusedError

ASSET_APPRAISAL_LAW = "资产评估法"
CARD = "rulebook card 规则卡"


class ValuationRefusedError(RefusedError):
    """A valuation that the rules do not allow; nothing was computed that may be relied on."""

    @property
    def clause(self) -> str:
        """The norm and clause that the refusal rests on, with the facts of this case."""
        return self.refusal.clause.format_map(_Known(self.facts))

    def under(self, clause: str) -> "ValuationRefusedError":
        """Return the same refusal resting on `clause`."""
        return ValuationRefusedError(replace(self.refusal, clause=clause), self.facts)

    def __reduce__(
        self,
    ) -> tuple[type["ValuationRefusedError"], tuple[RefusalCode, dict[str, object]]]:
        return (ValuationRefusedError, (self.refusal, self.facts))


class _Known(dict[str, object]):
    def __init__(self, facts: Mapping[str, object]) -> None:
        super().__init__(facts)

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


@dataclass(frozen=True)
class ValuationRefusal(RefusalCode):
    """A declared reason; calling it with the facts makes the error to raise."""

    def __call__(self, **facts: object) -> ValuationRefusedError:
        """Return the error to raise; a fact `why` may have its Chinese beside it, `why_zh`."""
        if "why" in facts:
            facts.setdefault("why_zh", facts["why"])
        if "range" in facts:
            facts.setdefault("range_zh", facts["range"])
        return ValuationRefusedError(self, facts)


DOCUMENT_MALFORMED = ValuationRefusal(
    "valuation.document_malformed",
    clause=CARD,
    zh="文件无法读取：{why_zh}",
    en="The document cannot be read: {why}",
    kind="malformed",
)
INPUT_MISSING = ValuationRefusal(
    "valuation.input_missing",
    clause=CARD,
    zh="缺少输入项 {input}",
    en="The input {input} is missing",
    kind="malformed",
)
INPUT_UNKNOWN = ValuationRefusal(
    "valuation.input_unknown",
    clause=CARD,
    zh="规则卡没有输入项 {input}",
    en="The card knows no input {input}",
    kind="malformed",
)
INPUT_MALFORMED = ValuationRefusal(
    "valuation.input_malformed",
    clause=CARD,
    zh="输入项 {input} 的形式不对：{why_zh}",
    en="The input {input} is malformed: {why}",
    remedy_zh="小数请写成文本、整数或 Decimal；不接受浮点数、NaN 与无穷大",
    remedy_en="Write decimals as text, int or Decimal; floats, NaN and infinity are not accepted",
    kind="malformed",
)
INPUT_OUT_OF_RANGE = ValuationRefusal(
    "valuation.input_out_of_range",
    clause=CARD,
    zh="输入项 {input} = {given} 超出范围：{range_zh}",
    en="The input {input} = {given} is out of range: {range}",
)
INPUT_INCONSISTENT = ValuationRefusal(
    "valuation.input_inconsistent",
    clause=CARD,
    zh="输入项 {input} 前后不一致：{why_zh}",
    en="The inputs at {input} contradict each other: {why}",
)
WEIGHTS_NOT_ONE = ValuationRefusal(
    "valuation.weights_not_one",
    clause=CARD,
    zh="{input} 的权重之和为 {sum}，应为 1（容差 1e-9）",
    en="The weights of {input} sum to {sum}, not to 1 (within 1e-9)",
)
SOURCE_MISSING = ValuationRefusal(
    "valuation.source_missing",
    clause="资产评估法 art. 25 (evidence is collected and verified)",
    zh="下列输入项没有写明来源：{inputs}",
    en="No source is stated for: {inputs}",
)
MIXED_CURRENCY = ValuationRefusal(
    "valuation.mixed_currency",
    clause="资产评估法 art. 5 (objective); one report, one currency",
    zh="币种不一致：{given}，应为 {expected}",
    en="Mixed currency: {given} among amounts in {expected}",
    remedy_zh="请先按基准日汇率折算，并写明来源",
    remedy_en="Convert first at the rate of the base date and state its source",
)
RESULT_UNBOUNDED = ValuationRefusal(
    "valuation.result_unbounded",
    clause=CARD,
    zh="这些输入算不出有限的结果",
    en="These inputs have no finite result",
)
METHOD_UNKNOWN = ValuationRefusal(
    "valuation.method_unknown",
    clause=CARD,
    zh="没有这种方法：{method}",
    en="There is no such method: {method}",
    kind="missing",
)
CARD_INVALID = ValuationRefusal(
    "valuation.card_invalid",
    clause="card.schema.json",
    zh="规则卡不合格：{why_zh}",
    en="The card is not valid: {why}",
    kind="malformed",
)
CARD_NOT_FOUND = ValuationRefusal(
    "valuation.card_not_found",
    clause=CARD,
    zh="找不到规则卡 {card}",
    en="There is no card {card}",
    kind="missing",
)
