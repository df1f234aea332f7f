"""Steps of supervision: duties, alerts, opinions, and the log's entries as its folds read them."""

from datetime import timedelta
from typing import Any

from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.supervision.alert import AlertKind
from dataexchange.supervision.alerts import Finding, find_all
from dataexchange.supervision.record import Record
from dataexchange.supervision.stock import record_of
from steps_pipeline import digest
from world import World

HOLIDAYS_2026 = (
    *("2026-01-01", "2026-01-02", "2026-01-03"),
    *(f"2026-02-{day}" for day in range(15, 24)),
    *("2026-04-04", "2026-04-05", "2026-04-06"),
    *(f"2026-05-0{day}" for day in range(1, 6)),
    *("2026-06-19", "2026-06-20", "2026-06-21"),
    *("2026-09-25", "2026-09-26", "2026-09-27"),
    *(f"2026-10-0{day}" for day in range(1, 8)),
)
WORKED_2026 = (
    *("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"),
)
NOTICE_2026 = "国办发明电〔2025〕7号"


def calendar(**changes: Any) -> dict[str, Any]:
    """Return the calendar of 2026."""
    return {
        "year": 2026,
        "holidays": list(HOLIDAYS_2026),
        "working_days": list(WORKED_2026),
        "notice": NOTICE_2026,
        **changes,
    }


def duty(world: World, owner: Actor, days: int = 10, **changes: Any) -> dict[str, Any]:
    """Return a duty that is due in `days`."""
    return {
        "duty": new_id("duty"),
        "owner": owner.party,
        "target": {"zh": "开放公共数据集", "en": "Open public data sets"},
        "deadline": (world.now + timedelta(days=days)).date().isoformat(),
        "basis": "2026年公共数据开放计划",
        **changes,
    }


def assigned_duty(
    world: World, owner: Actor, days: int = 10, by: Actor | None = None, **changes: Any
) -> str:
    """Assign a duty; return it."""
    said = duty(world, owner, days, **changes)
    world.do(by or world.regulator, "duty.assigned@1", **said)
    key: str = said["duty"]
    return key


def report_duty(world: World, owner: Actor, duty: str, **changes: Any) -> None:
    """Have the owner report."""
    said = {"duty": duty, "evidence": digest(f"report on {duty}"), **changes}
    world.do(owner, "duty.reported@1", **said)


def confirmation(world: World, duty: str, **more: Any) -> dict[str, Any]:
    """Return a decision on the last report of a duty."""
    return {"duty": duty, "proposal": world.head(duty), **more}


def alert(
    world: World, subject: str, *indexes: int, kind: AlertKind = AlertKind.OTHER, **changes: Any
) -> dict[str, Any]:
    """Return an alert about `subject` that the entries at `indexes` raised."""
    leaves = {one.index: one.leaf.hex() for one in world.entries}
    return {
        "alert": new_id("alert"),
        "kind": kind.value,
        "subject": subject,
        "entries": [{"index": index, "leaf": leaves[index]} for index in indexes],
        "note": digest(f"note on {subject}"),
        **changes,
    }


def opinion(subject: str, **changes: Any) -> dict[str, Any]:
    """Return the opinion of five experts, four of them in favour."""
    return {
        "opinion": new_id("opinion"),
        "subject": subject,
        "question": "场景是否可行",
        "conclusion": "supported",
        "experts": 5,
        "supporting": 4,
        "panel_sha256": digest("members"),
        "opinion_sha256": digest("opinion"),
        **changes,
    }


def records(world: World) -> list[Record]:
    """Return every entry as the folds over the log read it."""
    return [
        Record(
            one.index,
            one.submission.type.name,
            one.submission.payload.model_dump(mode="json"),
            one.recorded_at,
            one.submission.actor,
        )
        for one in world.entries
    ]


def findings(world: World, kind: AlertKind) -> list[Finding]:
    """Return what the alert rules find of `kind` in the log as it is."""
    return [one for one in find_all(records(world), world.held_states()) if one.kind is kind]


def events_of(world: World, finding: Finding) -> list[str]:
    """Return the event types of the entries that raised `finding`."""
    return [world.entries[index].submission.type.name for index in finding.entries]


def condensed(world: World) -> list[Record]:
    """Return every entry as the verifier keeps it for the evaluation."""
    return [
        record_of(
            one.index,
            one.submission.type.name,
            one.submission.payload,
            recorded_at=one.recorded_at,
            actor=one.submission.actor,
        )
        for one in world.entries
    ]
