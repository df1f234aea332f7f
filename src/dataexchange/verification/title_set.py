"""What belongs to the title of an asset: a closed set that the states themselves name.

Proven with their whole history: the asset, its versions, what encumbers it (each lien's pledge
with the valuation it rests on), registrations of its rights and one in its objection window, an
exclusive licence, open incidents, and the covers of its holder's interest. Proven as they stand:
the parties that these name. Freezes and open objections stand in the asset's own state.

Nothing else belongs to it, and nothing of it may be left out. What names the asset without being
named by it (a guarantee, a listing, a valuation that nobody lent on) can be added by its key.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from dataexchange.asset.title import Asset
from dataexchange.asset.version import version_key
from dataexchange.guarantee.pledge import Pledge
from dataexchange.guarantee.surety import Guarantee
from dataexchange.insurance.cover import Cover
from dataexchange.insurance.double_cover import InsuredInterest, interest_key
from dataexchange.market.licence import Licence
from dataexchange.rules import State
from dataexchange.rules.reference import kind_of
from dataexchange.valuation.record import Valuation

Names: TypeAlias = Iterator[str]
Closing: TypeAlias = Generator[set[str], Mapping[str, State | None], dict[str, bool]]


def close(keys: Iterable[str]) -> Closing:
    """Return every key that `keys` draw into the set, with whether its history belongs to it.

    Yields keys and is sent their states, `None` for a key of which there is none.
    """
    found: dict[str, bool] = {}
    wanted = dict.fromkeys(keys, True)
    while wanted:
        states = yield set(wanted)
        found |= wanted
        drawn = [one for state in states.values() if state is not None for one in _drawn(state)]
        wanted = {key: True for key, whole in drawn if whole and not found.get(key)}
        wanted |= {key: False for key, whole in drawn if not whole and key not in found | wanted}
    return found


def names_any(state: State, keys: Iterable[str]) -> bool:
    """Tell whether `state` names one of `keys`: what is added to a title must be about it."""
    encoded = state.encode()
    return any(f'"{key}"'.encode() in encoded for key in keys)


def may_be_absent(key: str) -> bool:
    """Tell whether a key of the set may be one of which there is nothing."""
    return kind_of(key) == InsuredInterest.KIND


def _drawn(state: State) -> Iterator[tuple[str, bool]]:
    """Yield what `state` draws into the set, and whether with its history."""
    whole, parties = _DRAWN.get(type(state), (_nothing, _nothing))
    yield from ((key, True) for key in whole(state))
    yield from ((key, False) for key in parties(state))


def _of_asset(asset: Asset) -> Names:
    yield from (version_key(asset.id, number) for number in range(1, asset.latest_version + 1))
    yield from (lien.by for lien in asset.liens)
    yield from (right.registration for right in asset.rights.values())
    yield from filter(None, (asset.claim_open, asset.exclusive_licence))
    yield from asset.incidents
    yield interest_key(asset.id, asset.holder)


def _parties_of_asset(asset: Asset) -> Names:
    yield asset.holder
    yield from (lien.holder for lien in asset.liens)
    yield from (right.holder for right in asset.rights.values())


def _valuation_of_pledge(pledge: Pledge) -> Names:
    yield from filter(None, (pledge.valuation,))


def _nothing(_state: State) -> Names:
    yield from ()


_Reading: TypeAlias = Callable[[Any], Names]
_DRAWN: dict[type[State], tuple[_Reading, _Reading]] = {
    Asset: (_of_asset, _parties_of_asset),
    Pledge: (_valuation_of_pledge, lambda pledge: iter((pledge.pledgor, pledge.lender))),
    InsuredInterest: (lambda interest: iter(interest.covers), _nothing),
    Cover: (_nothing, lambda cover: iter((cover.insurer,))),
    Valuation: (_nothing, lambda valuation: iter((valuation.appraiser,))),
    Guarantee: (_nothing, lambda guarantee: iter((guarantee.guarantor,))),
    Licence: (_nothing, lambda licence: iter((licence.buyer,))),
}
