"""Terms of use 使用条件: what a listing offers and a licence grants, by a fixed profile of our own.

`market.odrl` renders them as ODRL. They are typed here, so that rules can hold people to them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from dataexchange.pipeline.scenario import Scenario
from dataexchange.rules import Payload, RefusalCode, View
from dataexchange.rules.guard import require_status
from dataexchange.rules.payload import Days, Fen, PositiveCount
from dataexchange.rules.reference import ScenarioId

SCENARIOS_MAX = 8

Territory = Annotated[
    str, Field(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$", description="ISO 3166-1 or 3166-2 code")
]


WELFARE_UNBACKED = RefusalCode(
    "terms.welfare_unbacked",
    clause="发改价格〔2025〕65号",
    zh="公益用途须绑定应用场景，且所绑定的场景均登记为公共治理或公益事业",
    en="Use for public welfare is bound to scenarios, all registered as of public interest",
)


class DeliveryForm(StrEnum):
    """How a product reaches its user; data computed in place are used and never handed over."""

    FILE = "file"  # 文件
    API = "api"  # 接口
    IN_PLACE = "in_place"  # 可用不可见


class Terms(Payload):
    """What a licensee may do and owes. What is not granted is forbidden.

    `deletion_days` is a duty to delete within so many days of the end; `liability_cap_fen` never
    covers intent or gross negligence (民法典 art. 506).
    """

    scenarios: Annotated[tuple[ScenarioId, ...], Field(max_length=SCENARIOS_MAX)] = ()
    public_welfare: Annotated[bool, Field(description="用于公共治理、公益事业")] = False
    territory: Annotated[tuple[Territory, ...], Field(min_length=1, max_length=40)] = ("CN",)
    term_days: Days
    count_max: PositiveCount | None = None
    redistribution: bool = False
    derivation: bool = False
    attribution: bool = False
    deletion_days: Days | None = None
    liability_cap_fen: Fen | None = None
    exclusive: bool = False


def kept(payload: Payload) -> dict[str, Any]:
    """Return `payload` as a state keeps it: plain JSON values, nothing that says nothing."""
    return payload.model_dump(mode="json", exclude_none=True)


def terms_of(held: Mapping[str, Any]) -> Terms:
    """Return the terms that `kept` made plain."""
    return Terms.model_validate(held, strict=False)


def require_scenarios(view: View, terms: Terms) -> None:
    """Refuse terms bound to a scenario that is not open, or a claim of welfare that none backs."""
    scenarios = [view.get(Scenario, scenario) for scenario in terms.scenarios]
    for scenario in scenarios:
        require_status(scenario, "open")
    backed = bool(scenarios) and all(scenario.public_interest for scenario in scenarios)
    if terms.public_welfare and not backed:
        raise WELFARE_UNBACKED()
