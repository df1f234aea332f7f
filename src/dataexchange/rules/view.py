"""What a rule can see: the states of the aggregates that the event names, and nothing else."""

from collections.abc import Mapping

import msgspec

from dataexchange.rules.policy import POLICY_KEY, Policy
from dataexchange.rules.refusal import ALREADY_EXISTS, NOT_FOUND
from dataexchange.rules.state import S, State


class Held(msgspec.Struct, frozen=True, gc=False):
    """An aggregate as the log holds it.

    `seq` counts the entries that had it as a subject, `head` is the last one's leaf hash (hex),
    `state` is `None` before the first event that gives it one; `index` and `first_index` are those
    of the last and the first of the entries, −1 where there is none.
    """

    seq: int
    head: str
    state: State | None
    index: int = -1
    first_index: int = -1


class View(msgspec.Struct, frozen=True, gc=False):
    """The named aggregates at the moment of one event. Asking for an unnamed one is a fault."""

    held: Mapping[str, Held]

    def find(self, kind: type[S], key: str) -> S | None:
        """Return the state of `key`, or `None` where there is none."""
        state = self.held[key].state
        if state is None:
            return None
        if not isinstance(state, kind):
            raise TypeError(f"{key} is a {type(state).__name__}, not a {kind.__name__}")
        return state

    def get(self, kind: type[S], key: str) -> S:
        """Return the state of `key`; refuse where there is none."""
        state = self.find(kind, key)
        if state is None:
            raise NOT_FOUND(key=key)
        return state

    def require_new(self, *keys: str) -> None:
        """Refuse where one of `keys` has a state already."""
        for key in keys:
            if self.held[key].state is not None:
                raise ALREADY_EXISTS(key=key)

    def head(self, key: str) -> str:
        """Return the leaf hash (hex) of the last entry about `key`, or 64 zeros."""
        return self.held[key].head

    @property
    def policy(self) -> Policy:
        """The parameters of the exchange in force."""
        return self.get(Policy, POLICY_KEY)
