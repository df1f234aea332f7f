"""The aggregates in the bundle of one asset: exactly those of its title, as the map holds them."""

import hashlib

import msgspec

from dataexchange.asset.title import Asset
from dataexchange.identity.opening import LOG_KEY, Log
from dataexchange.identity.party import Party
from dataexchange.ledger.map_proof import MapProof, MapValue, verify_map_proof
from dataexchange.ledger.merkle import ProofError
from dataexchange.registry.catalogue import catalogue
from dataexchange.rules import State
from dataexchange.rules.reference import kind_of
from dataexchange.rules.state import decode
from dataexchange.verification.title_members import Dossier, Shelf
from dataexchange.verification.title_set import close, may_be_absent, names_any
from dataexchange.verification.verdict import UnsoundError, UnusableError


class TitleStates:
    """The aggregates of the title, as the map with this root holds them."""

    def __init__(self, shelf: Shelf, root: bytes, dossier: Dossier) -> None:
        self._shelf = shelf
        self._root = root
        self._dossier = dossier
        self._values: dict[str, MapValue] = {}
        self.states: dict[str, State] = {}

    @property
    def asset(self) -> Asset:
        """The asset's own state."""
        state = self.states.get(self._dossier.asset)
        if not isinstance(state, Asset):
            raise UnsoundError("title.not_an_asset", "证据包的主体不是资产", "not about an asset")
        return state

    @property
    def log(self) -> Log:
        """The log's own state, with the keys of its checkpoints."""
        state = self.states.get(LOG_KEY)
        if not isinstance(state, Log):
            raise UnsoundError("log.not_opened", "账本没有开立条目", "the log was never opened")
        return state

    @property
    def names(self) -> dict[str, str]:
        """The names of the parties among the states."""
        parties = (one for one in self.states.values() if isinstance(one, Party))
        return {one.id: one.name for one in parties if one.name}

    def close(self) -> list[MapValue]:
        """Prove the whole set; return what the map says of those whose history belongs to it."""
        alone = self._reached([self._dossier.asset])
        found = self._reached([self._dossier.asset, LOG_KEY, *self._dossier.also])
        for key in self._dossier.also:
            if key in alone or not names_any(self.states[key], alone):
                raise UnsoundError(
                    "title.unrelated", f"{key} 与该资产无关", f"{key} does not name this title"
                )
        return [self._values[key] for key, whole in found.items() if whole and key in self._values]

    def _reached(self, keys: list[str]) -> dict[str, bool]:
        steps = close(keys)
        try:
            wanted = next(steps)
            while True:
                wanted = steps.send({key: self._state(key) for key in sorted(wanted)})
        except StopIteration as end:
            found: dict[str, bool] = end.value
            return found

    def _state(self, key: str) -> State | None:
        if key in self.states:
            return self.states[key]
        value = self._value(key)
        if value is None:
            if not may_be_absent(key):
                raise UnsoundError(
                    "title.absent", f"映射中没有 {key}", f"the map holds nothing of {key}"
                )
            return None
        data = self._shelf.take(f"state/{key}")
        if hashlib.sha256(data).hexdigest() != value.state:
            raise UnsoundError(
                "title.state_differs", f"{key} 的状态与映射不符", f"the state of {key} is not that"
            )
        self._values[key] = value
        self.states[key] = _decode(key, data)
        return self.states[key]

    def _value(self, key: str) -> MapValue | None:
        try:
            proof = MapProof.parse(self._shelf.take(f"map/{key}"))
            if proof.key != key:
                raise ProofError(f"a proof of {proof.key}")
            return verify_map_proof(self._root, proof)
        except ProofError as error:
            raise UnsoundError(
                "title.not_in_map", f"{key} 的映射证明不成立", f"{key}: {error}"
            ) from error


def _decode(key: str, data: bytes) -> State:
    try:
        return decode(catalogue().states[kind_of(key)], data)
    except (KeyError, msgspec.DecodeError) as error:
        raise UnusableError(
            f"本程序不认识 {key} 的状态，请用相应版本验证 / the state of {key} is of a version of"
            f" the rules that this verifier does not know: {error}"
        ) from error
