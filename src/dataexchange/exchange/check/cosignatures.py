"""Judge the rows of `cosignature` and `published`: what witnesses signed, against the entries."""

from dataexchange.database.log_store import Connection
from dataexchange.errors import IntegrityError
from dataexchange.exchange.check.entries import Row
from dataexchange.exchange.check.fault import Findings, Place
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.cosignature import verifier_for
from dataexchange.ledger.merkle import Frontier
from dataexchange.ledger.note import NoteError, VerifierKey, add_signatures, parse_signatures
from dataexchange.ledger.policy import NO_QUORUM, Policy


class CosignaturesPass:
    """Takes the rows along with the entries: a witness has signed their root, or it has not."""

    def __init__(self, connection: Connection, origin: str, findings: Findings) -> None:
        self._connection = connection
        self._origin = origin
        self._findings = findings

    def take(self, row: Row, frontier: Frontier | None) -> None:
        """Judge one row; `frontier` is `None` where the entries are not known that far.

        `row["kept"]` tells whether there is a checkpoint of its size.
        """
        if frontier is None:
            return
        place = Place("cosignature", f"size={row['size']}, witness={row['witness']}", "line")
        text = Checkpoint(self._origin, frontier.size, frontier.root()).text()
        try:
            self._verify(row["witness"], row["line"], text)
        except (IntegrityError, AttributeError) as error:
            self._findings.wrong(place, f"联署不成立：{error}", f"does not verify: {error}")
            return
        if not row["kept"]:
            self._findings.wrong(
                Place("checkpoint", f"size={row['size']}"),
                f"缺少此行，而 {row['witness']} 曾联署",
                f"the row is missing, though {row['witness']} cosigned it",
            )

    async def finish(self, policy: Policy, size: int) -> None:
        """Judge what has no entries or no checkpoint, and the newest that was published."""
        for row in await self._connection.fetch(_BEYOND, size):
            place = f"size={row['size']}, witness={row['witness']}"
            self._findings.surplus(Place("cosignature", place))
        for row in await self._connection.fetch(_WITHOUT_CHECKPOINT):
            self._findings.surplus(Place("published", f"size={row['size']}"))
        judged = {fault.place.table for fault in self._findings.faults}
        # What was signed must hold before it is asked whether enough have signed it.
        if policy.quorum != NO_QUORUM and judged.isdisjoint({"checkpoint", "cosignature"}):
            await self._require_quorum(policy)

    async def _require_quorum(self, policy: Policy) -> None:
        row = await self._connection.fetchrow(_NEWEST)
        if row is None:
            self._findings.note(
                "尚无检查点达到策略的法定见证数", "no checkpoint has met the policy's quorum yet"
            )
            return
        known = {key.vkey for key in policy.witnesses.values()}
        try:
            lines = [
                signature
                for vkey, line in zip(row["witnesses"], row["lines"], strict=True)
                if vkey in known
                for signature in parse_signatures(line.encode())
            ]
            policy.verify(add_signatures(row["note"].encode(), lines))
        except IntegrityError as error:
            self._findings.wrong(
                Place("cosignature", f"size={row['size']}"),
                f"已发布，但未达到策略要求：{error}",
                f"published, yet the policy is not met: {error}",
            )

    def _verify(self, vkey: str, line: str, text: bytes) -> None:
        key = VerifierKey.parse(vkey)
        (signature,) = parse_signatures(line.encode()) or (None,)
        if signature is None or signature.line() != line:
            raise NoteError("not one signature line")
        if (signature.name, signature.key_id) != (key.name, key.key_id):
            raise NoteError(f"a line of {signature.name}, not of this witness")
        if not verifier_for(key).verify(text, signature.value):
            raise NoteError("the witness did not sign this root")


_BEYOND = "select size, witness from cosignature where size < 0 or size > $1"
_WITHOUT_CHECKPOINT = """
select size from published p where not exists (select from checkpoint c where c.size = p.size)
   and not exists (select from cosignature s where s.size = p.size)
"""
_NEWEST = """
select c.size, c.note, array_agg(s.witness) as witnesses, array_agg(s.line) as lines
  from published p join checkpoint c using (size) join cosignature s using (size)
 group by c.size, c.note order by c.size desc limit 1
"""
