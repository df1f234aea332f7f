"""`witness-keygen` and `witness`: cosign what logs sign, as long as they only ever grow."""

from pathlib import Path
from typing import Annotated

import typer

from dataexchange.cli.console import console
from dataexchange.cli.log_keys import Scheme
from dataexchange.cli.server import require_server
from dataexchange.ledger.note import SignatureType
from dataexchange.witness import key_file

_TYPES = {Scheme.ED25519: SignatureType.COSIGNATURE, Scheme.ML_DSA_44: SignatureType.ML_DSA_44}

WITNESS_EXAMPLES = """
Example: [bold]dataexchange witness-keygen w1.key --name witness.example/w1[/] ·
[bold]dataexchange witness --key w1.key --logs policy[/]. The logs file is a C2SP tlog-policy; its
[bold]log <vkey>[/] lines count. The store belongs to the key: never restore it from a backup.
"""


def witness_keygen(
    to: Annotated[Path, typer.Argument(help="密钥文件 The key file to write.")],
    name: Annotated[
        str, typer.Option(help="见证名称 The witness's name, a URL without its scheme.")
    ],
    scheme: Annotated[Scheme, typer.Option(help="算法 How it signs.")] = Scheme.ED25519,
) -> None:
    """生成见证密钥 Make a witness's key; print its vkey, to be named in policies."""
    signer = key_file.create(to, name, _TYPES[scheme])
    console.print(signer.vkey, soft_wrap=True, markup=False, highlight=False)


def witness(
    key: Annotated[Path, typer.Option(help="见证密钥文件 The witness's key file.")],
    logs: Annotated[
        Path | None, typer.Option(help="账本清单 A tlog-policy that names the logs.")
    ] = None,
    log: Annotated[
        list[str] | None, typer.Option(help="账本公钥 The vkey of a log; repeatable.")
    ] = None,
    store: Annotated[
        Path | None, typer.Option(help="记忆文件 Memory of what was cosigned, beside the key.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="监听地址 Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="端口 Port.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="进程数 Processes.")] = 1,
) -> None:
    """运行见证 Run a witness (C2SP tlog-witness) for any logs."""
    require_server()
    from dataexchange.cli.witnessing import run

    run(
        key_file=key,
        logs_file=logs,
        logs=tuple(log or ()),
        store=store,
        host=host,
        port=port,
        workers=workers,
    )


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(witness_keygen)
    app.command(epilog=WITNESS_EXAMPLES)(witness)
