"""Every table, one line each: what the app may do to it, what triggers refuse, how it is checked.

A table or a column that is not accounted for here fails the tests and `dataexchange check`. Whoever
adds a table adds its line, the same grants and `guards` in its migration, and its check in
`exchange/check`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Classified:
    """One table.

    `app` lists the app's privileges as a GRANT does, `refused` what triggers refuse to everyone
    (`update*`: under `condition`, in PostgreSQL's own spelling), `judged` what the check compares
    it with. `unprotected` names each column whose change nobody would see, and why nothing rests
    on it; `*` means whole rows.
    """

    app: str
    refused: str
    judged: str
    condition: str = ""
    unprotected: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Weakness:
    """A table (or function) that is not guarded as it must be; the app's role where it is none."""

    table: str
    zh: str
    en: str


TABLES: Mapping[str, Classified] = {
    "entry": Classified(
        app="select insert",
        refused="update delete truncate",
        judged="every rule replayed; each column against the entry's bytes, those against three"
        " other copies of its hash and the signed roots",
    ),
    "head": Classified(
        app="select insert update(size last frontier recorded_at)",
        refused="update* delete truncate",
        condition="((new.size <= old.size) OR (new.origin <> old.origin))",
        judged="against the end of the replay",
    ),
    "aggregate": Classified(
        app="select insert update(seq head head_index state_schema state parties)",
        refused="",
        judged="every column against the state that the replay ends in, byte by byte",
    ),
    "tile": Classified(
        app="select insert",
        refused="update delete truncate",
        judged="against the hashes of the entries, up to the last checkpoint",
    ),
    "checkpoint": Classified(
        app="select insert",
        refused="update delete truncate",
        judged="signatures, root of the entries, and the chain of sizes; the last one against a"
        " checkpoint known from outside",
        unprotected={
            "signed_at": "for the operator's eye: no rule, proof or decision reads it; witnesses"
            " sign their own times",
        },
    ),
    "cosignature": Classified(
        app="select insert",
        refused="update delete truncate",
        judged="each line against its witness's key and the root of the entries",
        unprotected={
            "received_at": "for the exposure figures only; the line holds the witness's own time",
            "*": "one that is removed can be asked for again; one that is made up does not verify",
        },
    ),
    "published": Classified(
        app="select insert",
        refused="update delete truncate",
        judged="has a checkpoint; the newest meets the policy that the check is given",
        unprotected={
            "published_at": "for the operator's eye: readers count the cosignatures",
            "*": "chooses the checkpoint that is served; readers count its cosignatures",
        },
    ),
    "map_node": Classified(
        app="select insert",
        refused="update delete truncate",
        judged="each body against its name, which is its hash; all that a committed map needs",
    ),
    "sealed_opening": Classified(
        app="select insert",
        refused="delete truncate",
        judged="its entry seals the field; what erased it is an entry that orders that",
        unprotected={
            "key_id": "names a key outside of the database; another one opens nothing",
            "box": "whoever opens it compares it with the commitment in the entry",
            "*": "a lost opening cannot be made up again, nor can one be forged",
        },
    ),
    "content_erasure": Classified(
        app="select",
        refused="update delete truncate",
        judged="against the entry that orders it",
        unprotected={"*": "a removed row is written again by the eraser, from the log"},
    ),
    "content_upload": Classified(
        app="select insert",
        refused="update truncate",
        judged="not: who put content in is no entry",
        unprotected={
            "uploaded_at": "nothing reads it",
            "*": "says to whom content is opened; a superuser who reads the store needs no row",
        },
    ),
    "alembic_version": Classified(
        app="select",
        refused="",
        judged="against the newest migration of this program",
    ),
}
