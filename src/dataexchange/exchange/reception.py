"""The reception: locks openings up before their statements go in, and erases what they order."""

from collections.abc import Awaitable, Callable, Sequence

from dataexchange.errors import DataExchangeError
from dataexchange.exchange.batch import Group, Outcome, Receipt
from dataexchange.exchange.eraser import ERASURES, Eraser
from dataexchange.exchange.sequencer import Sequencer
from dataexchange.exchange.vault import Vault
from dataexchange.registry.submission import Submission


class Reception:
    """Takes submissions to the sequencer, as it does, with what stands outside of the log."""

    def __init__(self, sequencer: Sequencer, vault: Vault, eraser: Eraser) -> None:
        self._sequencer = sequencer
        self._vault = vault
        self.eraser = eraser

    async def submit(self, submissions: Sequence[Submission]) -> list[Outcome]:
        """Append each of `submissions`, independently; return their outcomes in order."""
        return await self._take(submissions, self._sequencer.submit)

    async def submit_linked(self, group: Group) -> list[Outcome]:
        """Append all of `group`, contiguously, or none."""
        return await self._take(group, lambda boxed: self._sequencer.submit_linked(tuple(boxed)))

    async def _take(
        self,
        submissions: Sequence[Submission],
        submit: Callable[[Sequence[Submission]], Awaitable[list[Outcome]]],
    ) -> list[Outcome]:
        if any(one.openings for one in submissions):
            submissions = [await self._vault.lock_up(one) for one in submissions]
        try:
            outcomes = await submit(submissions)
        except DataExchangeError:  # not queued at all
            await self._vault.drop(submissions)
            raise
        is_erasing = False
        for submission, outcome in zip(submissions, outcomes, strict=True):
            if submission.boxes:
                await self._vault.settle(submission, outcome)
            is_erasing |= submission.type.name in ERASURES and isinstance(outcome, Receipt)
        if is_erasing:
            await self.eraser.erase()
        return outcomes
