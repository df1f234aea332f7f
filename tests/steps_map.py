"""Maps of a world: made by replaying its entries to a size, and committed by its operator."""

from dataexchange.ledger.verifiable_map import EMPTY, path_of, updated
from dataexchange.registry.tail import Appended
from dataexchange.verification.map_pass import value_of
from dataexchange.verification.replay import Replay
from world import ORIGIN, World


def root_at(world: World, size: int) -> str:
    """Return the root (hex) of the map over the first `size` entries, made anew."""
    replay = Replay(ORIGIN)
    replay.extend(one.body for one in world.entries[:size])
    held = replay.tail.held.items()
    changes = {path_of(key): value_of(key, one).hash for key, one in held if one.seq}
    return updated(EMPTY, changes, {}).root.hex()


def commit(world: World, covers: int | None = None, root: str | None = None) -> Appended:
    """Have the operator commit the map over `covers` entries (default: all)."""
    size = world.tail.size if covers is None else covers
    said = {"covers": size, "root": root or root_at(world, size)}
    return world.do(world.operator, "map.committed@1", **said)
