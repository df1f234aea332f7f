"""`keygen` and `token`: an actor's key, and reading in its name."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from dataexchange.cli.asking import new_passphrase, open_key
from dataexchange.cli.console import console
from dataexchange.cli.options import PASSPHRASE_VARIABLE, KeyFile
from dataexchange.client import keyfile
from dataexchange.client.exchange_client import access_token
from dataexchange.client.signing import Actor, SigningKey
from dataexchange.client.typeid import new_id
from dataexchange.ledger.note import NoteError, require_name
from dataexchange.ledger.suites import SuiteName

PARTY = re.compile(r"party_[0-7][0-9a-hjkmnp-tv-z]{25}", re.ASCII)
EXAMPLES = """
Example: [bold]dataexchange keygen alice.key --log localhost/dataexchange[/]
Suites: [bold]ed25519[/]; [bold]secp256k1[/] (EVM); [bold]sm2[/] (国密 SM2/SM3).
"""


def keygen(
    to: Annotated[Path, typer.Argument(help="密钥文件 The key file to write.")],
    log: Annotated[str, typer.Option(help="账本名称 The log's name.")] = "localhost/dataexchange",
    party: Annotated[str | None, typer.Option(help="已有的主体标识 An existing party id.")] = None,
    suite: Annotated[SuiteName, typer.Option(help="签名算法 How it signs.")] = "ed25519",
    passphrase: Annotated[
        bool,
        typer.Option("--passphrase", help=f"口令加密 Seal it ({PASSPHRASE_VARIABLE})."),
    ] = False,
) -> None:
    """生成密钥 Make a new key, and a party id for it. The private key stays in the file."""
    if party is not None and not PARTY.fullmatch(party):
        raise typer.BadParameter(f"不是主体标识 {party!r} is no party id (party_…)")
    _require_log_name(log)
    actor = Actor(party or new_id("party"), SigningKey.generate(suite), log)
    keyfile.save(actor, to, new_passphrase() if passphrase else None)
    console.print_json(
        data={
            "party": actor.party,
            "key": actor.key.id,
            "suite": suite,
            "log": log,
            "file": str(to),
        }
    )


def _require_log_name(log: str) -> None:
    try:
        require_name(log)
    except NoteError as error:
        raise typer.BadParameter(
            f"不能作账本名称 {log!r} cannot be a log's name: it is empty or holds a space or '+'"
        ) from error


def token(
    key: KeyFile,
    minutes: Annotated[int, typer.Option(min=1, max=60, help="有效分钟 Life in minutes.")] = 30,
) -> None:
    """访问令牌 Print a bearer token for reading in your name, e.g. with curl."""
    console.print(
        access_token(open_key(key), life=timedelta(minutes=minutes)),
        soft_wrap=True,
        markup=False,
        highlight=False,
    )


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(epilog=EXAMPLES)(keygen)
    app.command()(token)
