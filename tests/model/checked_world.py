"""A world that holds every event against the invariants of the exchange."""

from collections import Counter
from fractions import Fraction
from math import floor
from typing import Any

from dataexchange.accounts.book import BANK, Account
from dataexchange.asset.title import Asset
from dataexchange.asset.version import Version, version_key
from dataexchange.client.signing import Actor
from dataexchange.errors import RefusedError
from dataexchange.guarantee.commitments import GuarantorBook
from dataexchange.guarantee.pledge import Pledge
from dataexchange.insurance.cover import Cover
from dataexchange.registry.tail import Appended
from dataexchange.rules import State
from dataexchange.rules.state import STATE_SIZE_MAX
from dataexchange.verification.replay import Replay
from world import ORIGIN, World


class CheckedWorld(World):
    """Checks, at every event, what the domain promises for ever."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        super().__init__()

    def do(self, actor: Actor, event: str, /, **payload: Any) -> Appended:
        """Append `event`; where it is refused, check that nothing has changed."""
        before = (self.tail.size, self.tail.prev, self.held_states())
        try:
            appended = super().do(actor, event, **payload)
        except RefusedError as refusal:
            assert (self.tail.size, self.tail.prev, self.held_states()) == before
            self.seen[f"✗ {refusal.code}"] += 1
            raise
        self.seen[event] += 1
        self._check_event(event, payload, before[2])
        for key in appended.subjects:
            self._check_state(self.tail.held[key].state)
        self._check_books()
        return appended

    def _check_event(self, event: str, said: dict[str, Any], before: dict[str, State]) -> None:
        if event == "pledge.registered@1":
            self._check_secured(said)
        elif event == "title.transferred@1":
            asset = before[said["asset"]]
            assert isinstance(asset, Asset)
            assert not asset.liens, "sold under a lien without consent"
            assert not asset.freezes
        elif event == "listing.published@1":
            self._check_listed(said)

    def _check_secured(self, said: dict[str, Any]) -> None:
        asset = self.state(Asset, said["asset"])
        pledge = self.state(Pledge, said["pledge"])
        ceiling = floor(Fraction(pledge.loan_to_value_max) * pledge.value_fen)
        assert asset.secured_fen <= ceiling

    def _check_listed(self, said: dict[str, Any]) -> None:
        asset = self.state(Asset, said["asset"])
        version = self.state(Version, version_key(asset.id, said["version"]))
        assert version.quality_score is not None, "listed without an assessment"
        assert asset.grade not in (None, "core")
        assert not asset.objections_open
        assert not asset.freezes

    def _check_state(self, state: State | None) -> None:
        if state is not None:
            assert len(state.encode()) <= STATE_SIZE_MAX
        if isinstance(state, Cover):
            assert 0 <= state.paid_fen <= state.confirmed_fen <= state.sum_insured_fen
        if isinstance(state, GuarantorBook):
            assert state.balance_fen <= 15 * state.net_assets_fen

    def _check_books(self) -> None:
        accounts = [one for one in self.held_states().values() if isinstance(one, Account)]
        assert sum(one.balance_fen for one in accounts) == 0
        assert all(one.balance_fen >= 0 for one in accounts if one.id != BANK)

    def check_replay(self) -> None:
        """A verifier that starts from nothing must come to the same states."""
        replay = Replay(ORIGIN)
        replay.extend([one.body for one in self.entries])
        replay.finish()
        held = {key: one.state for key, one in replay.tail.held.items() if one.state is not None}
        assert held == self.held_states()
