"""A question to a running exchange: a refusal ends with status 1, silence with status 2."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import typer
from rich.markup import escape

from dataexchange.cli.console import error_console
from dataexchange.cli.options import PASSPHRASE_VARIABLE
from dataexchange.client import keyfile
from dataexchange.client.exchange_client import ExchangeClient, ExchangeRefusedError
from dataexchange.client.signing import Actor
from dataexchange.errors import DataExchangeError


class UnreachableError(DataExchangeError):
    """No exchange answers at the address."""


@asynccontextmanager
async def asking(
    url: str, key: Path | None, *, timeout_seconds: float = 60
) -> AsyncIterator[ExchangeClient]:
    """Provide a client for the exchange at `url`, for the actor of a key file or for anyone."""
    actor = open_key(key) if key else None
    try:
        async with httpx.AsyncClient(base_url=url, timeout=timeout_seconds) as http:
            yield ExchangeClient(http, actor)
    except ExchangeRefusedError as refusal:
        _show_problem(refusal)
        raise typer.Exit(1) from refusal
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise UnreachableError(
            f"{url} 没有应答；先运行 dataexchange serve，或用 --url 指明地址"
            f" / no answer from {url}; run `dataexchange serve`, or name another with --url"
        ) from error


def open_key(path: Path) -> Actor:
    """Return the actor of a key file; a sealed one takes its passphrase from the environment.

    Without one in the environment it is asked for.
    """
    passphrase = os.environ.get(PASSPHRASE_VARIABLE)
    try:
        return keyfile.load(path, passphrase)
    except keyfile.SealedKeyError:
        if passphrase is not None:
            raise
        return keyfile.load(path, typer.prompt("口令 Passphrase", hide_input=True, err=True))


def new_passphrase() -> str:
    """Return the passphrase for a new key file: from the environment, or asked for twice."""
    asked = "新口令 New passphrase"
    return os.environ.get(PASSPHRASE_VARIABLE) or str(
        typer.prompt(asked, hide_input=True, confirmation_prompt=True, err=True)
    )


def _show_problem(refusal: ExchangeRefusedError) -> None:
    problem = refusal.problem
    error_console.print(f"[bold red]✗ {escape(refusal.code)}[/]", highlight=False)
    remedy = problem.get("remedy") or {}
    lines = (problem.get("zh"), problem.get("en"), problem.get("clause"), *remedy.values())
    for line in filter(None, lines):
        error_console.print(f"  {line}", markup=False, highlight=False)
