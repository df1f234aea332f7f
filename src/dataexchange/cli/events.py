"""`submit` and `show`: write and read through a running exchange."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from dataexchange.cli import payload as payload_file
from dataexchange.cli.asking import asking
from dataexchange.cli.console import console
from dataexchange.cli.options import DEFAULT_URL, KeyFile, OptionalKeyFile, Url
from dataexchange.client import sealing

SUBMIT_EXAMPLES = """
Examples:

  [bold]dataexchange submit party.applied@1 apply.json --key alice.key[/]

  [bold]dataexchange submit dispute.opened@1 dispute.json --seal details=@story.txt --key a.key[/]

  [bold]echo '{"party": "party_…"}' | dataexchange submit party.left@1 - --key alice.key[/]
"""
SHOW_EXAMPLES = """
Examples: [bold]show log[/] · [bold]show parties[/] · [bold]show party_01…[/] ·
[bold]show party_01… --history[/] · [bold]show events[/] · [bold]show events listing.published@1[/]
· [bold]show entry 12 --key mine.key[/] · [bold]show entry 12 --raw[/] ·
[bold]show entry 12 --openings[/] · [bold]show proof 12[/] · [bold]show health[/] ·
[bold]show witnesses[/]
"""


def submit(
    event: Annotated[str, typer.Argument(help="事件类型 e.g. listing.published@1")],
    payload: Annotated[str, typer.Argument(help="JSON/YAML 文件，或 - A file, or - for stdin.")],
    key: KeyFile,
    url: Url = DEFAULT_URL,
    dry_run: Annotated[bool, typer.Option(help="只试算，不写入 Ask the rules only.")] = False,
    id: Annotated[str | None, typer.Option(help="陈述的标识 The statement's id.")] = None,  # noqa: A002
    seal: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=VALUE|@FILE", help="密封 Seal a field: not in the log."),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(help="自行保管 Keep the openings in this new file; do not hand them over."),
    ] = None,
) -> None:
    """提交事件 Sign one event with your key and submit it."""
    said = payload_file.read(payload)
    sealed = sealing.seal(dict(map(_sealed, seal or ())))
    if keep is not None:
        sealing.save(sealed, keep)
    options = {"id": id, "sealed": sealed, "keep": keep is not None}
    asyncio.run(_submit(event, said, key, url=url, dry_run=dry_run, options=options))


def show(
    what: Annotated[
        str,
        typer.Argument(
            help="log, events, entry, proof, witnesses, 登记册 a register, 或标识 an id"
        ),
    ],
    which: Annotated[str | None, typer.Argument(help="其中之一 One of them.")] = None,
    key: OptionalKeyFile = None,
    url: Url = DEFAULT_URL,
    history: Annotated[bool, typer.Option(help="历史 The entries about it.")] = False,
    raw: Annotated[bool, typer.Option(help="原始字节 The exact bytes, to hash or verify.")] = False,
    openings: Annotated[
        bool, typer.Option("--openings", help="密封内容 What the entry seals, for its parties.")
    ] = False,
) -> None:
    """查看 Read the log, a register, one aggregate, an entry, its proof, or the event types."""
    path = _path(what, which, history=history)
    data = asyncio.run(_show(f"{path}/openings" if openings else path, key, url))
    if raw:
        typer.echo(data, nl=False)
        return
    try:
        console.print_json(data=json.loads(data))
    except ValueError:
        typer.echo(data, nl=False)


async def _submit(
    event: str, payload: Any, key: Path, *, url: str, dry_run: bool, options: dict[str, Any]
) -> None:
    async with asking(url, key) as client:
        if dry_run:
            console.print_json(data=await client.dry_run(event, payload, **options))
            return
        accepted = await client.submit(event, payload, **options)
    console.print_json(
        data={"index": accepted.index, "leaf": accepted.leaf, "repeated": accepted.repeated}
    )


def _sealed(given: str) -> tuple[str, Any]:
    field, sign, value = given.partition("=")
    if not sign:
        raise typer.BadParameter(f"--seal {given}: FIELD=VALUE, FIELD=@FILE")
    return field, payload_file.read_value(value)


async def _show(path: str, key: Path | None, url: str) -> bytes:
    async with asking(url, key) as client:
        return await client.fetch(path)


def _path(what: str, which: str | None, *, history: bool) -> str:
    fixed = {
        "log": "/v1/log",
        "events": f"/v1/event-types/{which}/schema" if which else "/v1/event-types",
        "refusals": f"/problems/{which}" if which else "/problems",
        "entry": f"/v1/entries/{which}",
        "entries": "/v1/entries",
        "proof": f"/v1/entries/{which}/proof",
        "checkpoint": "/checkpoint",
        "health": "/health/ready",
        "witnesses": "/health/witnesses",
    }
    if what in ("entry", "proof") and which is None:
        raise typer.BadParameter(f"哪一条？ Which {what}? e.g. show {what} 12")
    if what in fixed:
        return fixed[what]
    if "_" in what or "/" in what:
        return f"/v1/aggregates/{what}" + ("/history" if history else "")
    return f"/v1/{what}"


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(epilog=SUBMIT_EXAMPLES)(submit)
    app.command(epilog=SHOW_EXAMPLES)(show)
