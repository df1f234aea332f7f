"""`value` and `card`: valuation at the appraiser's desk, with no server at all."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape

from dataexchange.cli import report as report_module
from dataexchange.cli.console import console
from dataexchange.cli.report import form_of, tell, write_report

if TYPE_CHECKING:
    from dataexchange.reports import Form, Language
    from dataexchange.valuation import Card, Report, Result

VALUE_EXAMPLES = """
Examples: [bold]dataexchange value cost input.yaml[/] ·
[bold]dataexchange value valuation/cost/1.0.0.yaml input.yaml --json[/] ·
[bold]dataexchange value reconciliation report.yaml[/] (a document with sections is a report) ·
[bold]… --report report.pdf --language en[/]
"""


def value(
    card: Annotated[str, typer.Argument(help="方法卡 A card's path, or a name such as cost.")],
    document: Annotated[Path, typer.Argument(help="输入 The inputs, YAML or JSON.")],
    language: Annotated[Literal["zh", "en"], typer.Option(help="语言 Language.")] = "zh",
    as_json: Annotated[bool, typer.Option("--json", help="JSON 输出 Print JSON.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="评估报告 Write the report: .pdf or .html.")
    ] = None,
    valuation: Annotated[
        str | None, typer.Option(help="报告编号 The valuation's id on the log, for the report.")
    ] = None,
    proof_url: Annotated[
        str | None, typer.Option(help="证明地址 Where its proof is, for the report's QR code.")
    ] = None,
) -> None:
    """估值 Apply a rulebook card to inputs; anyone gets the same 分 again."""
    from dataexchange.valuation import ValuationRefusedError, render_text
    from dataexchange.valuation import as_json as to_json

    form = form_of(report) if report else None
    try:
        content = document.read_bytes()
        result = _valued(card, content)
        if report is not None and form is not None:
            reference = (valuation, proof_url)
            write_report(_report(card, content, reference, (language, form)), report)
    except OSError as error:
        raise typer.BadParameter(str(error)) from error
    except ValuationRefusedError as refusal:
        tell(refusal)
        raise typer.Exit(1) from refusal
    if as_json:
        typer.echo(json.dumps(to_json(result), ensure_ascii=False, indent=2))
    else:
        typer.echo(render_text(result, language), nl=False)


def _valued(name: str, document: bytes) -> "Result | Report":
    """Return the result of the card called `name`; a document with sections is a whole report."""
    from dataexchange.valuation import find_card, run_card, run_report
    from dataexchange.valuation.document import read_document

    card = find_card(name)
    if "sections" not in read_document(document):
        return run_card(_content(name, card), document)

    def find(wanted: str) -> "Card":
        # The card that was named stands for its method: a city's own, say, from a path.
        return card if wanted == card.sheet.method else find_card(wanted)

    return run_report(document, find=find)


def _report(
    name: str,
    document: bytes,
    reference: tuple[str | None, str | None],
    how: "tuple[Language, Form]",
) -> bytes:
    from dataexchange.reports import Reference, dossier_of, make_report
    from dataexchange.valuation import find_card

    card = _content(name, find_card(name))
    dossier = dossier_of(card, document, reference=Reference(*reference))
    return make_report(dossier, language=how[0], form=how[1])


def _content(name: str, card: "Card") -> bytes:
    """Return the bytes of `card`, which `name` led to: a path, or a name on the shelf."""
    from dataexchange.valuation import card_paths, shelf

    paths = [*card_paths(shelf()), Path(name)]
    contents = (path.read_bytes() for path in paths if path.is_file())
    return next(one for one in contents if hashlib.sha256(one).hexdigest() == card.sha256)


card_app = typer.Typer(no_args_is_help=True, help="方法卡 Rulebook cards.")


@card_app.command("check")
def card_check(
    cards: Annotated[
        list[str] | None, typer.Argument(help="卡 Cards; all published ones if none.")
    ] = None,
) -> None:
    """检查方法卡 Check cards against their schema, their method, and their worked cases."""
    from dataexchange.valuation import card_paths, shelf

    faulty = False
    for name in cards or [str(path) for path in card_paths(shelf())]:
        faults = _faults(name)
        faulty = faulty or bool(faults)
        console.print(f"{'[red]✗[/]' if faults else '[green]✓[/]'} {escape(name)}", highlight=False)
        for fault in faults:
            console.print(f"    {fault}", markup=False, highlight=False)
    if faulty:
        raise typer.Exit(1)


def _faults(name: str) -> list[str]:
    from dataexchange.valuation import ValuationRefusedError, check_card, find_card

    try:
        return check_card(find_card(name))
    except ValuationRefusedError as refusal:
        return [f"{refusal.code}: {refusal.zh} / {refusal.en}"]


@card_app.command("list")
def card_list() -> None:
    """列出方法卡 List the published cards with their names."""
    from dataexchange.valuation import card_paths, find_card, shelf

    for path in card_paths(shelf()):
        sheet = find_card(path).sheet
        console.print(
            f"{path.parent.name}/{path.stem}  {sheet.name.zh} · {sheet.name.en}", highlight=False
        )


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(epilog=VALUE_EXAMPLES)(value)
    app.add_typer(card_app, name="card")
    report_module.add_commands(app)
