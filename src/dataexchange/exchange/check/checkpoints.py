"""Judge the rows of `checkpoint`, and checkpoints known from outside, against the entries."""

from collections.abc import Iterable

from dataexchange.database.log_store import Connection
from dataexchange.errors import IntegrityError
from dataexchange.exchange.check.entries import Row
from dataexchange.exchange.check.fault import Findings, Place
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.cosignature import verifier_for
from dataexchange.ledger.merkle import Frontier
from dataexchange.ledger.note import Note, NoteError, VerifierKey, open_note
from dataexchange.ledger.policy import Policy


class CheckpointsPass:
    """Takes the rows in order of their size, each with the frontier of that many entries."""

    def __init__(
        self,
        connection: Connection,
        policy: Policy,
        origin: str,
        *,
        known: Iterable[Checkpoint],
        findings: Findings,
    ) -> None:
        self._connection = connection
        self._policy = policy
        self._origin = origin
        self._known = {one.size: one for one in known}
        self._findings = findings
        self._is_believed = False  # whether a key of the policy signed the last row
        self._kept: set[int] = set()  # those of the known ones that are among the rows
        self._before = -1
        self.last: Row | None = None

    async def take(self, row: Row, frontier: Frontier | None, announced: Iterable[str]) -> None:
        """Judge one row; `frontier` is `None` where the entries are not known that far."""
        place = Place("checkpoint", f"size={row['size']}")
        self._before, before = row["size"], self._before
        self._is_believed = False
        try:
            checkpoint = self._open(row["note"], announced)
        except (IntegrityError, AttributeError) as error:
            note = place._replace(column="note")
            self._findings.wrong(note, f"签名或格式不成立：{error}", f"does not verify: {error}")
        else:
            if checkpoint.size != row["size"]:
                await self._misplaced(checkpoint, row, place)
            elif frontier is not None:
                self._require_root(checkpoint, frontier, place)
        self._require_chained(row, before, place)
        self._kept |= {row["size"]} & self._known.keys()
        self.last = row

    def finish(self, size: int) -> None:
        """Judge what only the end shows, in a log of `size` entries."""
        for known in self._known.values():
            if known.size > size:
                self._findings.wrong(
                    Place("entry", f"index={size}…{known.size - 1}", entry=size),
                    f"账本只有 {size} 条，已知检查点有 {known.size} 条：末尾被删去",
                    f"the log ends at {size}; a known checkpoint has {known.size} entries:"
                    " the tail was dropped",
                )
            elif known.size not in self._kept:
                self._findings.missing(Place("checkpoint", f"size={known.size}"))
        if self.last is not None and not self._is_believed:
            self._findings.wrong(
                Place("checkpoint", f"size={self.last['size']}", "note"),
                "策略中的密钥没有签署最后一个检查点",
                "no key of the policy signed the last checkpoint",
            )
        if not self._known:
            self._findings.note(
                "未给出已知检查点：若末尾被整体删去，本次检查看不出来",
                "no known checkpoint: a tail that was dropped everywhere would not show here",
            )

    def require_known(self, size: int, frontier: Frontier | None) -> None:
        """Compare the first `size` entries with the checkpoint of that size known from outside."""
        known = self._known.get(size)
        if known is not None and frontier is not None and frontier.root() != known.root:
            self._findings.wrong(
                Place("entry", f"index=0…{size - 1}"),
                f"前 {size} 条与已知检查点不同：历史被改写",
                f"the first {size} entries are not those of the known checkpoint: history was"
                " rewritten",
            )

    async def _misplaced(self, checkpoint: Checkpoint, row: Row, place: Place) -> None:
        """Tell whether the row stands under another size, or holds the note of another row."""
        query = "select exists (select from checkpoint where size = $1)"
        if not await self._connection.fetchval(query, checkpoint.size):
            self._findings.compare(place, row, {"size": checkpoint.size})
            self._before = checkpoint.size
            return
        self._findings.wrong(
            place._replace(column="note"),
            f"签署的是 {checkpoint.size} 条",
            f"signs {checkpoint.size} entries",
        )

    def _require_chained(self, row: Row, before: int, place: Place) -> None:
        if row["previous"] != before:
            self._findings.wrong(
                place._replace(column="previous"),
                f"称前一检查点为 size={row['previous']}，表中前一行为 size={before}",
                f"names size={row['previous']} as the checkpoint before it; the row before it is"
                f" size={before}",
            )

    def _open(self, note: str, announced: Iterable[str]) -> Checkpoint:
        """Return the checkpoint in a note on which every line is a known key's, and right."""
        keys = {key.vkey: key for key in (*self._policy.logs, *self._policy.witnesses.values())}
        keys |= {vkey: VerifierKey.parse(vkey) for vkey in announced}
        opened = open_note(note.encode(), map(verifier_for, keys.values()))
        checkpoint = Checkpoint.parse(opened.text)
        if checkpoint.origin != self._origin:
            raise NoteError(f"a checkpoint of {checkpoint.origin}")
        if self._origin not in {signature.name for signature in opened.signatures}:
            raise NoteError("the log did not sign it")
        signed = {(signature.name, signature.key_id) for signature in opened.signatures}
        self._is_believed = any((key.name, key.key_id) in signed for key in self._policy.logs)
        if len(Note.parse(note.encode()).signatures) != len(set(opened.signatures)):
            raise NoteError("a line of it is of no known key, or stands there twice")
        if opened.encode() != note.encode():
            raise NoteError("it is not written as it was signed")
        return checkpoint

    def _require_root(self, checkpoint: Checkpoint, frontier: Frontier, place: Place) -> None:
        if checkpoint.root != frontier.root():
            self._findings.wrong(
                place._replace(column="note"),
                "签署的根与条目不符",
                "signs another root than that of the entries",
            )
