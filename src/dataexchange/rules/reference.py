"""Names of aggregates, and how a payload shows which aggregates it touches.

A payload field annotated with one of these aliases names an aggregate; the sequencer reads the
states of all that are named, and a rule can look at no other. Names are TypeIDs (`asset_01h…`), or
follow from them (`account/party_01h…`).
"""

import re
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

_SUFFIX = "[0-7][0-9a-hjkmnp-tv-z]{25}"


class Ref:
    """Marks a payload field as the name of an aggregate of `kind`."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.str_schema(pattern=f"^{self.kind}_{_SUFFIX}$", strict=True)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "x-aggregate": self.kind}


PartyId = Annotated[str, Ref("party")]
AssetId = Annotated[str, Ref("asset")]
RegistrationId = Annotated[str, Ref("registration")]
ObjectionId = Annotated[str, Ref("objection")]
ConsentId = Annotated[str, Ref("consent")]
CertificateId = Annotated[str, Ref("certificate")]
ScenarioId = Annotated[str, Ref("scenario")]
OperationId = Annotated[str, Ref("operation")]
PlanId = Annotated[str, Ref("plan")]
ShareId = Annotated[str, Ref("share")]
ListingId = Annotated[str, Ref("listing")]
LicenceId = Annotated[str, Ref("licence")]
DeliveryId = Annotated[str, Ref("delivery")]
DisputeId = Annotated[str, Ref("dispute")]
CardId = Annotated[str, Ref("card")]
ValuationId = Annotated[str, Ref("valuation")]
PledgeId = Annotated[str, Ref("pledge")]
GuaranteeId = Annotated[str, Ref("guarantee")]
GroupId = Annotated[str, Ref("group")]
FinancingId = Annotated[str, Ref("financing")]
CoverId = Annotated[str, Ref("cover")]
ClaimId = Annotated[str, Ref("claim")]
DutyId = Annotated[str, Ref("duty")]
OpinionId = Annotated[str, Ref("opinion")]
ReportId = Annotated[str, Ref("report")]
AlertId = Annotated[str, Ref("alert")]
IncidentId = Annotated[str, Ref("incident")]
CorrectionId = Annotated[str, Ref("correction")]
OrderId = Annotated[str, Ref("order")]
WithdrawalId = Annotated[str, Ref("withdrawal")]
TransferId = Annotated[str, Ref("transfer")]

_KIND = re.compile(r"[a-z]+")


def kind_of(key: str) -> str:
    """Return the kind of the aggregate that `key` names: `asset` for `asset_01h…`."""
    match = _KIND.match(key)
    return match.group() if match else ""
