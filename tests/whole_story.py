"""The whole story of one asset in memory, for tests that need a log with everything in it."""

from collections.abc import Sequence

from dataexchange.rules import Role
from world import World


def told(log_keys: Sequence[str]) -> World:
    """Return a world in which one asset went all the way."""
    world = World(log_keys=log_keys)
    for role in Role:
        if role not in (Role.OPERATOR, Role.REGULATOR):
            world.join(role)
    return world
