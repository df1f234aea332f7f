"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

KeyFile = Annotated[
    Path,
    typer.Option("--key", "-k", help="你的密钥文件 Your key file.", envvar="DATAEXCHANGE_KEY"),
]
OptionalKeyFile = Annotated[
    Path | None,
    typer.Option("--key", "-k", help="你的密钥文件 Your key file.", envvar="DATAEXCHANGE_KEY"),
]
Url = Annotated[
    str,
    typer.Option(help="交易所地址 Where the exchange answers.", envvar="DATAEXCHANGE_URL"),
]
DEFAULT_URL = "http://127.0.0.1:8600"
PASSPHRASE_VARIABLE = "DATAEXCHANGE_PASSPHRASE"  # noqa: S105 -- a name, not a passphrase
