"""The command line: one program for every role. `dataexchange --help` is where to begin."""

import sys
from importlib import import_module
from typing import Never

import typer
from pydantic import ValidationError

from dataexchange.cli.console import error_console
from dataexchange.errors import DataExchangeError, RefusedError

PARTS = (
    "anchor",
    "server",
    "check",
    "keys",
    "log_keys",
    "events",
    "erasure",
    "bundle",
    "tiles",
    "mapping",
    "market",
    "valuation",
    "witness",
)


def program(*parts: str) -> typer.Typer:
    """Return the program with the commands of `parts`, which are imported only now."""
    app = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="数据资产流通与估值账本 · The data-asset trading and valuation ledger.\n\n"
        "First steps: [bold]dataexchange demo[/] shows the whole mission;"
        " [bold]dataexchange serve[/] runs an exchange; [bold]keygen[/], [bold]submit[/] and"
        " [bold]show[/] take part in one; [bold]verify[/] checks a bundle with no exchange at all.",
    )
    for part in parts:
        import_module(f"{__name__}.{part}").add_commands(app)
    return app


def main() -> None:
    """Run the program; errors of ours are told in one line, with exit status 2."""
    # On a first start the database is made while the rest is imported, so `serve` begins early.
    parts = ("server",) if sys.argv[1:2] == ["serve"] else PARTS
    try:
        program(*parts)()
    except RefusedError as refusal:
        error_console.print(f"[bold red]✗ {refusal.code}[/]", highlight=False)
        for line in filter(None, (refusal.zh, refusal.en, refusal.remedy_zh, refusal.remedy_en)):
            error_console.print(f"  {line}", markup=False, highlight=False)
        sys.exit(2)
    except DataExchangeError as error:
        _tell(error)
    except (OSError, ValidationError) as error:
        # A file that was named and cannot be used, or a variable; the message has its name.
        _tell(error)


def _tell(error: Exception) -> Never:
    error_console.print(f"✗ {error}", style="red", markup=False, highlight=False)
    sys.exit(2)


__all__ = ["PARTS", "main", "program"]
