"""What a rule is: event types, the states they act on, and refusals.

Rooms above declare their events with `event`, their states on `State`, their payloads on
`Payload`, and their refusals as `RefusalCode`s. Nothing here knows any event by name.
"""

from dataexchange.errors import RefusalCode, RefusedError
from dataexchange.rules.event import Changes, Event, EventType, event
from dataexchange.rules.guard import require_actor, require_same, require_status
from dataexchange.rules.payload import Payload, Text
from dataexchange.rules.policy import POLICY_KEY, Parameters, Policy
from dataexchange.rules.role import Role
from dataexchange.rules.state import State
from dataexchange.rules.view import Held, View

__all__ = [
    "POLICY_KEY",
    "Changes",
    "Event",
    "EventType",
    "Held",
    "Parameters",
    "Payload",
    "Policy",
    "RefusalCode",
    "RefusedError",
    "Role",
    "State",
    "Text",
    "View",
    "event",
    "require_actor",
    "require_same",
    "require_status",
]
