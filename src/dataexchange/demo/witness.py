"""The demonstration's witness: in truth another organisation's, with a key and a memory of its own.

Two policies come of it: `policy` names the witness and is content with the log's word,
`witnessed-policy` believes nothing that the witness did not cosign.
"""

import time
from pathlib import Path

from starlette.applications import Starlette

from dataexchange.exchange.log_key import load_or_make
from dataexchange.ledger.note import Signer, VerifierKey
from dataexchange.settings import Settings
from dataexchange.witness import key_file
from dataexchange.witness.judgement import known_logs
from dataexchange.witness.memory import Memory
from dataexchange.witness.service import create_app
from dataexchange.witness.witness import Witness

NAME = "witness.localhost/demo"


def make_witness(settings: Settings, url: str) -> Starlette:
    """Return a new witness that will answer at `url`, and write the policies that name it."""
    out = settings.data_folder.parent
    (log,) = load_or_make(settings.log_key_paths, settings.origin)
    (out / "witness").mkdir()
    signer = key_file.create(out / "witness" / "witness.key", NAME)
    _write_policies(out, log, signer, url)
    memory = Memory(out / "witness" / "witness.sqlite", signer.vkey)
    logs = known_logs([VerifierKey.parse(log.vkey)])
    return create_app(Witness([signer], logs, memory, lambda: int(time.time())))


def _write_policies(out: Path, log: Signer, witness: Signer, url: str) -> None:
    named = f"log {log.vkey}\nwitness demo-witness {witness.vkey} {url}\n"
    (out / "policy").write_text(f"{named}quorum none\n")
    (out / "witnessed-policy").write_text(f"{named}quorum demo-witness\n")
