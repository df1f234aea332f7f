"""Serve a witness in this process, or in several that share its memory."""

import json
import os
import time
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from dataexchange.cli.console import console
from dataexchange.errors import DataExchangeError
from dataexchange.ledger.note import NoteError, VerifierKey
from dataexchange.ledger.policy import Policy
from dataexchange.settings import WitnessSettings
from dataexchange.witness import key_file
from dataexchange.witness.judgement import Logs, known_logs
from dataexchange.witness.memory import Memory
from dataexchange.witness.service import create_app
from dataexchange.witness.witness import Witness


class WitnessSetupError(DataExchangeError):
    """The witness knows no log, or its list of logs cannot be read."""


def run(*, workers: int, **chosen: Any) -> None:
    """Serve until stopped. Options become the environment, which worker processes share."""
    for name, value in chosen.items():
        if value is not None and value != ():
            text = json.dumps(value) if isinstance(value, tuple) else str(value)
            os.environ[f"DATAEXCHANGE_WITNESS_{name.upper()}"] = text
    settings = WitnessSettings()
    make_app()  # what is wrong is said here, not by each worker
    for line in (
        f"见证 witness · http://{settings.host}:{settings.port}",
        key_file.load(settings.key_file).vkey,
        *(f"账本 log · {origin}" for origin in sorted(_logs(settings))),
    ):
        console.print(line, soft_wrap=True, markup=False, highlight=False)
    uvicorn.run(
        "dataexchange.cli.witnessing:make_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=workers,
        access_log=False,
        log_level="info",
        lifespan="off",
    )


def make_app() -> Starlette:
    """Return the application of the witness that the environment describes."""
    settings = WitnessSettings()
    signer = key_file.load(settings.key_file)
    memory = Memory(settings.store_path, signer.vkey)
    return create_app(Witness([signer], _logs(settings), memory, lambda: int(time.time())))


def _logs(settings: WitnessSettings) -> Logs:
    path: Path | None = settings.logs_file
    try:
        keys = [VerifierKey.parse(vkey) for vkey in settings.logs]
        if path is not None:
            keys.extend(Policy.parse(path.read_bytes()).logs)
    except (OSError, NoteError) as error:
        raise WitnessSetupError(f"账本清单无法读取 / the logs cannot be read: {error}") from error
    if not keys:
        raise WitnessSetupError("未指定账本（--logs 或 --log）/ no log is named (--logs or --log)")
    return known_logs(keys)
