"""The correction loop 校核纠错: any user of data reports an error, and the holder has it mended."""

from typing import Annotated

from pydantic import Field

from dataexchange.asset.title import Asset
from dataexchange.asset.version import Version, version_key
from dataexchange.identity.party import Party
from dataexchange.ledger.statement import format_time
from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, State, View, event
from dataexchange.rules.guard import require_actor, require_same, require_status
from dataexchange.rules.payload import Hash, Line, PositiveCount, Prose
from dataexchange.rules.reference import AssetId, CorrectionId, PartyId
from dataexchange.rules.time import end_of_day_after

NOT_LATER = RefusalCode(
    "error.version_not_later",
    clause="政务数据共享条例: 校核纠错",
    zh="版本 {version} 不晚于报错的版本 {reported}，不能作为更正",
    en="Version {version} is not later than version {reported} that the report is about",
    remedy_zh="先发布更正后的新版本。",
    remedy_en="Add the corrected version first.",
)


class Correction(State, frozen=True, kw_only=True):
    """An error report and what came of it; times RFC 3339."""

    KIND = "correction"

    asset: str
    version: int
    reporter: str
    status: str  # reported | assigned | corrected | rejected
    reported_at: str
    due_at: str
    assignee: str | None = None
    corrected_version: int | None = None
    answered_at: str | None = None

    @property
    def is_late(self) -> bool:
        """Whether the answer came after the clock had run out."""
        return self.answered_at is not None and self.answered_at > self.due_at


class ErrorReported(Payload):
    """What is wrong, and where, in a version of an asset."""

    correction: CorrectionId
    asset: AssetId
    version: PositiveCount
    fields: Annotated[tuple[Line, ...], Field(max_length=32)] = ()
    description: Prose
    evidence: Annotated[tuple[Hash, ...], Field(max_length=16)] = ()


class ErrorAssigned(Payload):
    """Who mends it."""

    correction: CorrectionId
    asset: AssetId
    assignee: PartyId


class ErrorCorrected(Payload):
    """The version in which the error is mended."""

    correction: CorrectionId
    asset: AssetId
    version: PositiveCount
    explanation: Line


class ErrorRejected(Payload):
    """Why there is nothing to mend, the finding by hash."""

    correction: CorrectionId
    asset: AssetId
    reason: Line
    finding: Hash


@event(
    "data.error_reported@1",
    by=set(Role),
    zh="报告数据错误",
    en="Report an error in data",
    clause="政务数据共享条例: 校核纠错",
    also=lambda payload, actor: (version_key(payload.asset, payload.version),),
    sealable=("contact", "details"),
)
def report(view: View, event: Event[ErrorReported]) -> Changes:
    """Any party reports an error; the clock starts."""
    given = event.payload
    view.require_new(given.correction)
    asset = view.get(Asset, given.asset)
    view.get(Version, version_key(asset.id, given.version))
    due = end_of_day_after(event.recorded_at, view.policy.correction_days)
    correction = Correction(
        id=given.correction,
        asset=asset.id,
        version=given.version,
        reporter=event.actor,
        status="reported",
        reported_at=format_time(event.recorded_at),
        due_at=format_time(due),
    )
    return (asset.but(errors_open=asset.errors_open + 1), correction)


@event(
    "error.assigned@1",
    by={Role.PROVIDER, Role.DATA_SERVICE, Role.OPERATOR, Role.REGULATOR},
    zh="分派纠错",
    en="Assign an error",
    clause="政务数据共享条例: 校核纠错",
)
def assign(view: View, event: Event[ErrorAssigned]) -> Changes:
    """The holder, the operator or a regulator names who mends the error."""
    given = event.payload
    correction, asset = _reported(view, given)
    require_status(correction, "reported", "assigned")
    if not event.roles & {Role.OPERATOR, Role.REGULATOR}:
        require_actor(event.actor, asset.holder, asset.id)
    require_status(view.get(Party, given.assignee), "active")
    return correction.but(status="assigned", assignee=given.assignee)


@event(
    "error.corrected@1",
    by=set(Role),
    zh="完成纠错",
    en="Correct an error",
    clause="政务数据共享条例: 校核纠错",
    also=lambda payload, actor: (version_key(payload.asset, payload.version),),
    sealable=("details",),
)
def correct(view: View, event: Event[ErrorCorrected]) -> Changes:
    """The assignee or the holder points to the later version that mends it."""
    given = event.payload
    correction, asset = _assigned(view, given, event.actor)
    version = view.get(Version, version_key(asset.id, given.version))
    if version.number <= correction.version:
        raise NOT_LATER(version=version.number, reported=correction.version)
    corrected = correction.but(
        status="corrected",
        corrected_version=version.number,
        answered_at=format_time(event.recorded_at),
    )
    return (asset.but(errors_open=asset.errors_open - 1), corrected)


@event(
    "error.rejected@1",
    by=set(Role),
    zh="不予纠错",
    en="Reject an error report",
    clause="政务数据共享条例: 校核纠错",
    sealable=("details",),
)
def reject(view: View, event: Event[ErrorRejected]) -> Changes:
    """The assignee or the holder finds no error, and says why."""
    correction, asset = _assigned(view, event.payload, event.actor)
    rejected = correction.but(status="rejected", answered_at=format_time(event.recorded_at))
    return (asset.but(errors_open=asset.errors_open - 1), rejected)


def _reported(
    view: View, named: ErrorAssigned | ErrorCorrected | ErrorRejected
) -> tuple[Correction, Asset]:
    correction = view.get(Correction, named.correction)
    require_same("asset", named.asset, correction.asset)
    return correction, view.get(Asset, correction.asset)


def _assigned(
    view: View, named: ErrorCorrected | ErrorRejected, actor: str
) -> tuple[Correction, Asset]:
    correction, asset = _reported(view, named)
    require_status(correction, "assigned")
    require_actor(actor, {correction.assignee or "", asset.holder}, correction.id)
    return correction, asset
