"""One batch against one tail: which submissions get in, which are refused, which were in before."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

import msgspec

from dataexchange.errors import DataExchangeError, RefusalCode
from dataexchange.ledger.entry import Entry
from dataexchange.registry.submission import Submission
from dataexchange.registry.tail import Appended, GroupRefusedError, Tail

Known: TypeAlias = dict[tuple[str, str], tuple[int, bytes, bytes]]

ID_REUSED = RefusalCode(
    "statement.id_reused",
    clause="docs/ledger-format.md, idempotency",
    zh="标识 {id} 已用于内容不同的陈述（第 {index} 条）",
    en="Id {id} was used before, for another statement (entry {index})",
    remedy_zh="为新的陈述使用新的 TypeID。",
    remedy_en="Use a new TypeID for a new statement.",
    kind="conflict",
)
OPENING_RESERVED = RefusalCode(
    "log.opening_reserved",
    clause="docs/operator.md, first entry",
    zh="本账本只由运营机构的密钥 {key} 开立",
    en="Only the operator's key {key} opens this log",
    kind="forbidden",
)
LINKED_PARTLY_KNOWN = RefusalCode(
    "statement.linked_partly_known",
    clause="docs/ledger-format.md, linked",
    zh="关联陈述中有一部分已在账本中",
    en="Some of the linked statements are in the log already, others are not",
    kind="conflict",
)
LINKED_REFUSED = RefusalCode(
    "statement.linked_refused",
    clause="docs/ledger-format.md, linked",
    zh="关联陈述同进同退：{id} 被拒（{code}）",
    en="Linked statements stand or fall together: {id} was refused ({code})",
    kind="conflict",
)


class InternalError(DataExchangeError):
    """A fault of ours while an event was applied; nothing of that event was kept."""


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """The answer to an accepted statement: where it stands in the log. `leaf` is 32 bytes."""

    index: int
    leaf: bytes
    body: bytes
    repeated: bool = False


Outcome: TypeAlias = Receipt | DataExchangeError
Group: TypeAlias = tuple[Submission, ...]  # one submission, or linked ones


@dataclass(slots=True)
class Batch:
    """Groups applied to a tail, in order; `appended` is what must be written.

    Entry 0 is signed by `operator_key` where one is given: whose log it is cannot be a race.
    """

    tail: Tail
    now: datetime
    known: Known = field(default_factory=dict)
    operator_key: str | None = None
    appended: list[Appended] = field(default_factory=list)
    _own: Known = field(default_factory=dict)

    def apply(self, groups: Iterable[Group]) -> list[list[Outcome]]:
        """Return the outcomes of each group, in the order given."""
        return [self._apply(group) for group in groups]

    def _apply(self, group: Group) -> list[Outcome]:
        recalled = self.recall(group)
        if recalled is not None:
            return recalled
        try:
            appended = self._append(group)
        except GroupRefusedError as error:
            linked = LINKED_REFUSED(id=error.culprit, code=error.refusal.code)
            return [error.refusal if one.id == error.culprit else linked for one in group]
        except DataExchangeError as error:
            return [error for _ in group]
        except Exception:
            name = group[0].type.name
            logging.getLogger(__name__).exception("a rule failed: %s", name)
            return [InternalError(f"{name} failed") for _ in group]
        self.appended.extend(appended)
        for one in appended:
            self._own[one.submission.id, one.submission.actor] = (one.index, one.leaf, one.body)
        return [Receipt(one.index, one.leaf, one.body) for one in appended]

    def _append(self, group: Group) -> list[Appended]:
        if self.tail.size == 0 and self.operator_key not in (None, group[0].statement.fields.key):
            raise OPENING_RESERVED(key=self.operator_key)
        if len(group) > 1:
            return self.tail.append_linked(group, self.now)
        return [self.tail.append(group[0], self.now)]

    def recall(self, group: Group) -> list[Outcome] | None:
        """Return the first answers to a group that is in the log already; `None` if it is not."""
        found = [self._recall(submission) for submission in group]
        if not any(found):
            return None
        if not all(found):
            return [LINKED_PARTLY_KNOWN() for _ in group]
        return [outcome for outcome in found if outcome is not None]

    def _recall(self, submission: Submission) -> Outcome | None:
        """Return the first answer to a statement that is in the log, or in this batch, already."""
        identity = (submission.id, submission.actor)
        found = self.known.get(identity) or self._own.get(identity)
        if found is None:
            return None
        index, leaf, body = found
        if Entry.parse(body).statement.body != submission.statement.body:
            return ID_REUSED(id=submission.id, index=index)
        return Receipt(index, leaf, body, repeated=True)
