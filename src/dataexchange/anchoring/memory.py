"""The worker's state in memory and in the store, which never differ for longer than a write."""

from dataexchange.anchoring.authorisation import AnchorSite
from dataexchange.anchoring.errors import WrongContractError
from dataexchange.anchoring.state import WorkerState, fresh_state
from dataexchange.anchoring.store import AnchorStore


class Memory:
    """What the parts of one worker share."""

    def __init__(self, store: AnchorStore, site: AnchorSite) -> None:
        self.store = store
        self._state = fresh_state(site)

    @property
    def state(self) -> WorkerState:
        """What is remembered now."""
        return self._state

    async def load(self) -> None:
        """Read the store; `WrongContractError` where it belongs to another site."""
        loaded = await self.store.load()
        if loaded is None:
            return
        if loaded.site != self._state.site:
            raise WrongContractError(f"the store belongs to {loaded.site}")
        self._state = loaded

    async def save(self, state: WorkerState) -> None:
        """Remember a new state; it is on disk when this returns."""
        if state != self._state:
            await self.store.save(state)
            self._state = state
