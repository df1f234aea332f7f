"""Sealed fields as they are named on the command line: INDEX:FIELD, the entry and the field."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import typer

from dataexchange.client.exchange_client import ExchangeClient, ExchangeRefusedError
from dataexchange.errors import DataExchangeError
from dataexchange.ledger.sealing import Opening

Place = tuple[int, str]


class NotShownError(DataExchangeError):
    """A field that was to be shown is not sealed there, was erased, or is kept by its signer."""


def place(given: str) -> Place:
    """Return the entry's index and the field that `given` names."""
    found = re.fullmatch(r"(\d{1,15}):([a-z_]{1,40})", given, re.ASCII)
    if found is None:
        raise typer.BadParameter(f"{given}: INDEX:FIELD, e.g. 12:name")
    return int(found[1]), found[2]


@dataclass(slots=True)
class Shown:
    """The sealed fields that a bundle is to show: those asked for, or all that one may read."""

    asked: frozenset[Place]
    is_all: bool
    found: set[Place] = field(default_factory=set)

    @classmethod
    def parse(cls, given: Iterable[str], *, is_all: bool) -> "Shown":
        """Return what is asked for on the command line."""
        return cls(frozenset(map(place, given)), is_all)

    async def of(self, client: ExchangeClient, index: int) -> list[Opening]:
        """Return the openings of the entry at `index` that are to be shown."""
        if not (self.is_all or any(index == asked for asked, _ in self.asked)):
            return []
        try:
            opened = await client.openings(index)
        except ExchangeRefusedError as refusal:
            if not self.is_all or refusal.code != "opening.not_yours":
                raise
            return []
        shown = [one for one in opened if self.is_all or (index, one.field) in self.asked]
        self.found |= {(index, one.field) for one in shown}
        return shown

    def require_all(self) -> None:
        """Refuse unless all that was asked for was found."""
        for index, name in sorted(self.asked - self.found):
            raise NotShownError(
                f"第 {index} 条的 {name} 无法打开：未密封、已删除、由签名方保管，或尚无检查点覆盖"
                f" / {name} of entry {index} cannot be shown: not sealed, erased, kept by its"
                " signer, or not under a checkpoint yet"
            )
