"""`check`: the database against its own log, for the operator or a regulator with a login."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.progress import Progress

from dataexchange.cli.console import console, error_console
from dataexchange.cli.server import DataFolder, require_server
from dataexchange.verification import UnusableError

if TYPE_CHECKING:
    from dataexchange.exchange.check import Checked

SHOWN = 50
EXAMPLES = """
A regulator brings a policy and the last checkpoint fetched, and a login that may read:
[bold]GRANT pg_read_all_data TO inspector[/]. Without [bold]--policy[/] the operator's own log key
is believed. Exit status: 0 sound, 1 unsound, 2 unusable.
"""


def check(
    policy: Annotated[Path | None, typer.Option(help="验证策略 The policy file.")] = None,
    known_checkpoint: Annotated[
        list[Path] | None,
        typer.Option(help="先前取得的检查点 A checkpoint from earlier or elsewhere; repeatable."),
    ] = None,
    database_url: Annotated[
        str | None, typer.Option(help="只读登录 A login that may read all tables.")
    ] = None,
    data_folder: DataFolder = None,
) -> None:
    """核对数据库 Compare every table, row and column with what a replay of the log gives."""
    require_server()
    from dataexchange.cli.checking import run

    try:
        with Progress(console=error_console, transient=True) as bar:
            task = bar.add_task("核对 checking", total=None)
            checked = asyncio.run(
                run(
                    policy=policy.read_bytes() if policy else None,
                    known=[path.read_bytes() for path in known_checkpoint or ()],
                    database_url=database_url,
                    data_folder=data_folder,
                    progress=lambda done, total: bar.update(task, completed=done, total=total),
                )
            )
    except (UnusableError, OSError) as error:
        error_console.print(
            f"[bold yellow]? 无法核对 unusable[/] {escape(str(error))}", highlight=False
        )
        raise typer.Exit(2) from error
    _show(checked)
    if not checked.is_sound:
        raise typer.Exit(1)


def _show(checked: "Checked") -> None:
    findings = checked.findings
    for fault in findings.faults[:SHOWN]:
        error_console.print(f"[red]✗[/] {escape(str(fault.place))}", highlight=False)
        error_console.print(f"    {fault.zh}\n    {fault.en}", markup=False, highlight=False)
    if findings.count > SHOWN:
        error_console.print(f"… 共 {findings.count} 处 in all")
    for zh, en in findings.notes:
        error_console.print(f"[yellow]![/] {escape(zh)}\n  {escape(en)}", highlight=False)
    rows = ", ".join(f"{table} {count}" for table, count in checked.rows.items())
    told = f"{checked.origin} · {checked.size} 条 entries · {rows}"
    console.print(told, markup=False, highlight=False)
    if checked.is_sound:
        console.print("[bold green]✓ 一致 SOUND[/]")
    else:
        console.print(f"[bold red]✗ 不一致 UNSOUND[/] {findings.count}")


def add_commands(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command(epilog=EXAMPLES)(check)
