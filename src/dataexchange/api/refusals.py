"""Every refusal that a problem can carry: those of the rules, and those of the doors."""

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from types import ModuleType

from dataexchange.errors import RefusalCode
from dataexchange.registry.catalogue import catalogue

DOORS = ("dataexchange.exchange", "dataexchange.api")


@cache
def all_refusals() -> dict[str, RefusalCode]:
    """Return every refusal by its code, in the order of the codes."""
    doors = {
        member.code: member
        for module in _modules()
        for member in vars(module).values()
        if isinstance(member, RefusalCode)
    }
    return dict(sorted({**doors, **catalogue().refusals}.items()))


def _modules() -> Iterator[ModuleType]:
    for door in DOORS:
        package = importlib.import_module(door)
        for module in pkgutil.iter_modules(package.__path__, f"{door}."):
            yield importlib.import_module(module.name)
