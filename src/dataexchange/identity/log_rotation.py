"""The operator announces a new key of checkpoints, and retires an old one, by events.

A checkpoint of size N is signed by keys that are in use after entry N − 1. While both keys are in
use checkpoints bear both signatures, so that nobody need change a policy at one moment.
"""

from dataexchange.identity.opening import LOG_KEY, Log
from dataexchange.rules import Changes, Event, Payload, Role, View, event
from dataexchange.rules.payload import Line, Vkey


class LogKeyChange(Payload):
    """A key that signs the log's checkpoints, and why it comes or goes."""

    vkey: Vkey
    reason: Line


class LogKeyAdded(LogKeyChange):
    """One more key that signs the log's checkpoints."""


class LogKeyRetired(LogKeyChange):
    """The end of a key that signs the log's checkpoints."""


@event(
    "log.key_added@1",
    by={Role.OPERATOR},
    zh="公布检查点密钥",
    en="Announce a key of checkpoints",
    clause="GB/T 39786-2021; C2SP signed-note",
    also=lambda payload, actor: (LOG_KEY,),
)
def add_log_key(view: View, event: Event[LogKeyAdded]) -> Changes:
    """From this entry on the key signs checkpoints too."""
    log = view.get(Log, LOG_KEY)
    return log.but(keys=log.keys.adding(event.payload.vkey, log.origin, event.index))


@event(
    "log.key_retired@1",
    by={Role.OPERATOR},
    zh="停用检查点密钥",
    en="Retire a key of checkpoints",
    clause="GB/T 39786-2021",
    also=lambda payload, actor: (LOG_KEY,),
)
def retire_log_key(view: View, event: Event[LogKeyRetired]) -> Changes:
    """No checkpoint that covers this entry is signed by the key."""
    log = view.get(Log, LOG_KEY)
    return log.but(keys=log.keys.retiring(event.payload.vkey, event.index))
