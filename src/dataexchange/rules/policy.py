"""The parameters of the exchange: set by events, never constants in rules."""

from dataexchange.rules.payload import Count, Days, Number, Payload, PositiveCount, Ratio
from dataexchange.rules.state import State

POLICY_KEY = "policy/exchange"


class Parameters(Payload):
    """All that the exchange may tune. Ratios are decimal strings, money 分, times as named."""

    statement_life_seconds_max: PositiveCount
    clock_skew_seconds_max: Count
    objection_window_days: Days  # 公示期
    registration_validity_days: Days  # 登记结果有效期
    share_response_days: Days  # 政务数据共享条例 (国务院令第809号)
    correction_days: Days  # 数据校核纠错
    appraisal_validity_days: Days  # 评估报告有效期
    appraisal_methods_min: PositiveCount  # 资产评估法 art. 26
    loan_to_value_max: Ratio  # 质押率上限
    margin_cure_days: Days
    platform_fee_ratio: Ratio  # 交易服务费
    upstream_share_ratio: Ratio  # 数据来源收益分配
    negotiation_lapse_days: Days
    delivery_acceptance_days: Days
    guarantee_multiple_max: Number  # 国务院令683号 art. 15
    guarantee_multiple_small_max: Number
    guarantee_single_ratio_max: Ratio
    guarantee_affiliated_ratio_max: Ratio
    claim_assessment_days: Days  # 保险法 art. 23
    claim_payment_days: Days
    quality_score_min: Ratio
    public_data_profit_ratio_max: Ratio  # 发改价格〔2025〕65号


class Policy(State, frozen=True, kw_only=True):
    """The parameters in force, and the version that contracts pin."""

    KIND = "policy"

    version: int
    statement_life_seconds_max: int
    clock_skew_seconds_max: int
    objection_window_days: int
    registration_validity_days: int
    share_response_days: int
    correction_days: int
    appraisal_validity_days: int
    appraisal_methods_min: int
    loan_to_value_max: str
    margin_cure_days: int
    platform_fee_ratio: str
    upstream_share_ratio: str
    negotiation_lapse_days: int
    delivery_acceptance_days: int
    guarantee_multiple_max: str
    guarantee_multiple_small_max: str
    guarantee_single_ratio_max: str
    guarantee_affiliated_ratio_max: str
    claim_assessment_days: int
    claim_payment_days: int
    quality_score_min: str
    public_data_profit_ratio_max: str

    @classmethod
    def of(cls, parameters: Parameters, version: int) -> "Policy":
        """Return the policy that `parameters` set, as `version`."""
        return cls(id=POLICY_KEY, version=version, **parameters.model_dump())
