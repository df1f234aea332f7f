"""Every event type, state, and refusal, gathered from the rooms that declare them.

A room is listed here once; a new event type is found by being defined.
"""

import hashlib
import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from types import ModuleType
from typing import Any

from dataexchange.errors import RefusalCode
from dataexchange.ledger import canonical
from dataexchange.registry import decide as _decide
from dataexchange.rules import EventType, Policy, State
from dataexchange.rules import refusal as _refusal
from dataexchange.rules.reference import kind_of
from dataexchange.rules.refusal import UNKNOWN_EVENT
from dataexchange.rules.state import decode

RULES_VERSION = "1.0.0"

ROOMS = (
    "ledger",
    "identity",
    "asset",
    "accounts",
    "pipeline",
    "market",
    "valuation",
    "guarantee",
    "insurance",
    "supervision",
)


@dataclass(frozen=True)
class Catalogue:
    """All that can happen on the exchange, all that can be, and all that can be refused."""

    events: dict[str, EventType]
    states: dict[str, type[State]]
    refusals: dict[str, RefusalCode]

    def event(self, name: str) -> EventType:
        """Return the event type `name@version`; refuse a name that is not known."""
        try:
            return self.events[name]
        except KeyError:
            raise UNKNOWN_EVENT(event=name) from None

    def read_state(self, key: str, data: bytes) -> State:
        """Return the state of the aggregate `key` that `data` encodes."""
        return decode(self.states[kind_of(key)], data)

    def room_of(self, event: EventType) -> str:
        """Return the room that declares `event`."""
        return event.rule.__module__.split(".")[1]

    def schema(self, event: EventType) -> dict[str, Any]:
        """Return the JSON Schema of the payload of `event`, and what it takes sealed."""
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **event.payload.model_json_schema(),
            **({"x-sealable": list(event.sealable)} if event.sealable else {}),
        }

    @cached_property
    def rules_hash(self) -> str:
        """SHA-256 (hex) of the names, signers and schemas of all event types."""
        described = {
            name: {"by": sorted(event.by), "schema": self.schema(event)}
            for name, event in self.events.items()
        }
        return hashlib.sha256(canonical.jcs(described)).hexdigest()


@cache
def catalogue() -> Catalogue:
    """Return the catalogue of this version of the rules."""
    events: dict[str, EventType] = {}
    states: dict[str, type[State]] = {Policy.KIND: Policy}
    refusals: dict[str, RefusalCode] = {}
    for member in (member for module in _modules() for member in vars(module).values()):
        if isinstance(member, EventType):
            _put(events, member.name, member)
        elif isinstance(member, RefusalCode):
            _put(refusals, member.code, member)
        elif isinstance(member, type) and issubclass(member, State) and hasattr(member, "KIND"):
            _put(states, member.KIND, member)
    return Catalogue(dict(sorted(events.items())), states, dict(sorted(refusals.items())))


def _put(table: dict[str, Any], name: str, member: object) -> None:
    if table.setdefault(name, member) is not member:
        raise ValueError(f"{name} is declared twice")


def _modules() -> Iterator[ModuleType]:
    yield _refusal
    yield _decide
    for room in ROOMS:
        package = importlib.import_module(f"dataexchange.{room}")
        yield package
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            yield importlib.import_module(module.name)
