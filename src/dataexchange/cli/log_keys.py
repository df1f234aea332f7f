"""`log-key` and `signer`: the keys that sign checkpoints, and a process that holds them."""

import asyncio
import os
import signal
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from dataexchange.cli.console import console
from dataexchange.exchange import log_key
from dataexchange.ledger.note import SignatureType
from dataexchange.signer.server import listening
from dataexchange.signer.signer import CautiousSigner
from dataexchange.witness.memory import Memory

EXAMPLES = """
Example: [bold]dataexchange signer --key log.key --key log-pq.key --socket /run/dx/signer.sock
--store /var/lib/dx/signer.sqlite --origin exchange.example/log[/] ·
then [bold]DATAEXCHANGE_SIGNER_SOCKET=/run/dx/signer.sock dataexchange serve[/].
The store belongs to the keys: never restore it from a backup.
"""

log_keys = typer.Typer(no_args_is_help=True, help="检查点密钥 Keys that sign checkpoints.")
Origin = Annotated[str, typer.Option(help="账本名称 The log's name.", envvar="DATAEXCHANGE_ORIGIN")]


class Scheme(StrEnum):
    """How a key of checkpoints signs."""

    ED25519 = "ed25519"
    ML_DSA_44 = "ml-dsa-44"


_TYPES = {Scheme.ED25519: SignatureType.ED25519, Scheme.ML_DSA_44: SignatureType.ML_DSA_44}


@log_keys.command("new")
def new(
    to: Annotated[Path, typer.Argument(help="密钥文件 The key file to write.")],
    origin: Origin = "localhost/dataexchange",
    scheme: Annotated[Scheme, typer.Option(help="算法 How it signs.")] = Scheme.ED25519,
) -> None:
    """生成 Make a key; print its vkey, for `log.opened`, `log.key_added` and policies."""
    _print(log_key.create(to, origin, _TYPES[scheme]).vkey)


@log_keys.command("show")
def show(
    file: Annotated[Path, typer.Argument(help="密钥文件 A key file.")],
    origin: Origin = "localhost/dataexchange",
) -> None:
    """显示 Print the vkey of a key file."""
    _print(log_key.load(file, origin).vkey)


def signer(
    key: Annotated[list[Path], typer.Option(help="密钥文件 A key file; repeatable.")],
    socket: Annotated[Path, typer.Option(help="套接字 The Unix socket to answer on.")],
    store: Annotated[Path, typer.Option(help="记忆文件 What was signed last.")],
    origin: Origin = "localhost/dataexchange",
    peer_uid: Annotated[
        list[int] | None, typer.Option(help="用户号 A user that may ask; repeatable.")
    ] = None,
) -> None:
    """签名进程 Hold the log's keys; sign only checkpoints that continue the last."""
    os.umask(0o077)
    signers = [log_key.load(path, origin) for path in key]
    cautious = CautiousSigner(origin, signers, Memory(store, f"log {origin}"))
    for vkey in cautious.vkeys:
        _print(vkey)
    asyncio.run(_serve(cautious, socket, tuple(peer_uid or ())))


async def _serve(cautious: CautiousSigner, socket: Path, peers: tuple[int, ...]) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with listening(cautious, socket, peers):
        await stopped.wait()


def _print(text: str) -> None:
    console.print(text, soft_wrap=True, markup=False, highlight=False)


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(log_keys, name="log-key")
    app.command(epilog=EXAMPLES)(signer)
