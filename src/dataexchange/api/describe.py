"""What the exchange knows: event types with schemas and signers, and every refusal by its code."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from dataexchange.api.refusals import all_refusals
from dataexchange.errors import RefusalCode
from dataexchange.registry.catalogue import catalogue
from dataexchange.rules import EventType
from dataexchange.rules.refusal import UNKNOWN_EVENT

router = APIRouter(tags=["describe"])

NO_SUCH_PROBLEM = RefusalCode(
    "problem.unknown",
    clause="docs/refusals.md",
    zh="没有代码 {code}",
    en="There is no code {code}",
    kind="missing",
)


class EventDescription(BaseModel):
    """An event type: who may sign (empty: the rule decides), the clause, the room."""

    event: str
    zh: str
    en: str
    clause: str
    by: list[str]
    room: str


class RefusalDescription(BaseModel):
    """A reason to refuse; texts hold `{facts}`."""

    code: str
    kind: str
    clause: str
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str


@router.get("/v1/event-types", summary="事件类型 Event types")
async def event_types() -> list[EventDescription]:
    """All event types and versions."""
    return [_event(event) for event in catalogue().events.values()]


@router.get("/v1/event-types/{name}/schema", summary="事件模式 Schema of a payload")
async def event_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of the payload of `name` (`noun.verbed@version`)."""
    event = catalogue().events.get(name)
    if event is None:
        raise UNKNOWN_EVENT(event=name)
    return catalogue().schema(event)


@router.get("/problems", summary="拒绝理由 All refusals")
async def refusals() -> list[RefusalDescription]:
    """Every code that a problem can have."""
    return [_refusal(code) for code in all_refusals().values()]


@router.get("/problems/{code}", summary="拒绝理由 One refusal")
async def refusal(code: str) -> RefusalDescription:
    """What a problem's `type` leads to."""
    known = all_refusals().get(code)
    if known is None:
        raise NO_SUCH_PROBLEM(code=code)
    return _refusal(known)


def _event(event: EventType) -> EventDescription:
    return EventDescription(
        event=event.name,
        zh=event.zh,
        en=event.en,
        clause=event.clause,
        by=sorted(event.by),
        room=catalogue().room_of(event),
    )


def _refusal(code: RefusalCode) -> RefusalDescription:
    return RefusalDescription(
        code=code.code,
        kind=code.kind,
        clause=code.clause,
        zh=code.zh,
        en=code.en,
        remedy_zh=code.remedy_zh,
        remedy_en=code.remedy_en,
    )
