"""What an event type is: payload, signers, aggregates touched, and one pure rule.

    @event("listing.withdrawn@1", by={Role.PROVIDER}, zh="撤牌", en="Withdraw", clause="…")
    def withdraw(view: View, event: Event[ListingWithdrawn]) -> Changes: ...

The decorated name is the event type. Everything else that the exchange knows of it (schemas,
authorisation, documents, replay) is derived from this one definition.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from pydantic import ValidationError

from dataexchange.rules.payload import Payload
from dataexchange.rules.reference import Ref
from dataexchange.rules.refusal import PAYLOAD_INVALID
from dataexchange.rules.role import Role
from dataexchange.rules.sealable import declared
from dataexchange.rules.state import State
from dataexchange.rules.view import View

P = TypeVar("P", bound=Payload)
Changes: TypeAlias = State | tuple[State, ...]


class Event(msgspec.Struct, Generic[P], frozen=True, gc=False):
    """One event as a rule sees it; `recorded_at` (UTC) is *now*, `index` its place in the log."""

    payload: P
    actor: str
    key: str
    roles: frozenset[Role]
    index: int
    recorded_at: datetime
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class EventType:
    """One version of one event type. `by` is empty where no admitted party is needed to sign."""

    name: str
    by: frozenset[Role]
    zh: str
    en: str
    clause: str
    payload: type[Payload]
    rule: Callable[[View, Event[Any]], Changes]
    also: Callable[[Any, str], Iterable[str]] | None
    references: Callable[[Any], list[str]]
    sealable: tuple[str, ...] = ()

    def parse(self, payload: bytes) -> Payload:
        """Return the payload that the canonical JSON `payload` is; refuse what does not fit."""
        try:
            # What `model_validate_json` calls; what it does around it takes a seventh of the time.
            parsed: Payload = self.payload.__pydantic_validator__.validate_json(
                payload, strict=True
            )
        except ValidationError as error:
            raise PAYLOAD_INVALID(event=self.name, reason=_describe(error)) from error
        return parsed

    def touched(self, payload: Payload, actor: str) -> tuple[str, ...]:
        """Return the keys of every aggregate that the event reads or changes, the actor's first."""
        keys = [actor, *self.references(payload)]
        if self.also is not None:
            keys.extend(self.also(payload, actor))
        return tuple(dict.fromkeys(keys))


def event(
    name: str,
    *,
    by: Iterable[Role],
    zh: str,
    en: str,
    clause: str,
    also: Callable[[Any, str], Iterable[str]] | None = None,
    sealable: Collection[str] = (),
) -> Callable[[Callable[[View, Event[P]], Changes]], EventType]:
    """Declare an event type; `also(payload, actor)` names aggregates that the payload implies.

    `sealable` names what its statements may seal (`rules/sealable.py`).
    """

    def declare(rule: Callable[[View, Event[P]], Changes]) -> EventType:
        payload: type[Payload] = get_args(get_type_hints(rule)["event"])[0]
        references = _extractor(payload)
        sealed = declared(sealable, payload, name)
        return EventType(
            name, frozenset(by), zh, en, clause, payload, rule, also, references, sealed
        )

    return declare


def _extractor(model: type[Payload]) -> Callable[[Any], list[str]]:
    """Return a function that collects the aggregate names in a payload of `model`."""
    steps = [
        (name, collect)
        for name, field in model.model_fields.items()
        if (collect := _collector(field.annotation, field.metadata)) is not None
    ]

    def extract(payload: Any) -> list[str]:
        keys: list[str] = []
        for name, collect in steps:
            value = getattr(payload, name)
            if value is not None:
                keys.extend(collect(value))
        return keys

    return extract


def _collector(annotation: Any, metadata: Iterable[Any] = ()) -> Callable[[Any], list[str]] | None:
    """Return how to collect names from a value of this annotation; `None` where it holds none."""
    if any(isinstance(mark, Ref) for mark in metadata):
        return lambda value: [value]
    if isinstance(annotation, type) and issubclass(annotation, Payload):
        return _extractor(annotation) if _names_anything(annotation) else None
    arguments = get_args(annotation)
    marks = getattr(annotation, "__metadata__", ())
    if marks:
        return _collector(arguments[0], marks)
    if get_origin(annotation) is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        inner = _collector(arguments[0])
        return None if inner is None else lambda values: [key for v in values for key in inner(v)]
    members = [part for part in arguments if part is not type(None)]
    found = [inner for part in members if (inner := _collector(part)) is not None]
    if found and len(members) > 1:
        raise TypeError(f"a union that names aggregates is not supported: {annotation}")
    return found[0] if found else None


def _names_anything(model: type[Payload]) -> bool:
    return any(
        _collector(field.annotation, field.metadata) is not None
        for field in model.model_fields.values()
    )


def _describe(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(
        f"{'.'.join(map(str, f['loc'])) or '(payload)'}: {f['msg']}" for f in faults[:5]
    )
