"""The parameters that the demonstration's exchange starts with; an exchange of your own sets its
own, by the same event.
"""

from typing import Any

PARAMETERS: dict[str, Any] = {
    "statement_life_seconds_max": 7 * 86_400,
    "clock_skew_seconds_max": 300,
    "objection_window_days": 5,
    "registration_validity_days": 1_095,
    "share_response_days": 10,
    "correction_days": 10,
    "appraisal_validity_days": 365,
    "appraisal_methods_min": 2,
    "loan_to_value_max": "0.5",
    "margin_cure_days": 10,
    "platform_fee_ratio": "0.02",
    "upstream_share_ratio": "0.1",
    "negotiation_lapse_days": 30,
    "delivery_acceptance_days": 7,
    "guarantee_multiple_max": "10",
    "guarantee_multiple_small_max": "15",
    "guarantee_single_ratio_max": "0.10",
    "guarantee_affiliated_ratio_max": "0.15",
    "claim_assessment_days": 30,
    "claim_payment_days": 10,
    "quality_score_min": "0.6",
    "public_data_profit_ratio_max": "0.05",
}
