"""`report`: a valuation's report, made again from a bundle alone."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape

from dataexchange.cli.console import error_console

if TYPE_CHECKING:
    from dataexchange.reports import Form
    from dataexchange.valuation import ValuationRefusedError

REPORT_EXAMPLES = """
Examples: [bold]dataexchange report bundle.zip valuation_01… --out report.pdf --policy policy[/] ·
[bold]… --as-filed[/] makes the very file whose hash the log holds.
"""
NOT_FILED = (
    "✗ 不能重作账本登记的报告：输入未全部披露、各数不出自同一文件，或由其他版本写成\n"
    "  the filed report cannot be made again: inputs are withheld, the figures are not of one"
    " document, or another version wrote it"
)


def report(
    bundle: Annotated[Path, typer.Argument(help="证据包 The bundle.")],
    valuation: Annotated[str, typer.Argument(help="评估编号 The valuation's id on the log.")],
    out: Annotated[Path, typer.Option(help="写入 Where to write: .pdf or .html.")],
    language: Annotated[Literal["zh", "en"], typer.Option(help="语言 Language.")] = "zh",
    policy: Annotated[
        Path | None, typer.Option(help="验证策略 Verify the bundle by this policy first.")
    ] = None,
    proof_url: Annotated[
        str | None, typer.Option(help="证明地址 Where the proof is, for the QR code.")
    ] = None,
    as_filed: Annotated[
        bool, typer.Option("--as-filed", help="原报告 The file whose hash the log holds.")
    ] = False,
) -> None:
    """重作评估报告 Make a valuation's report again from a bundle, offline."""
    from dataexchange.reports import dossier_of_record, filed_report, make_report, read_record
    from dataexchange.valuation import ValuationRefusedError
    from dataexchange.verification import verify_bundle

    form = form_of(out)
    if policy is not None:
        verify_bundle(bundle, policy.read_bytes())
    try:
        record = read_record(bundle, valuation)
        if not as_filed:
            dossier = dossier_of_record(record, proof_url=proof_url)
            write_report(make_report(dossier, language=language, form=form), out)
            return
        filed = filed_report(record, proof_url=proof_url)
    except ValuationRefusedError as refusal:
        tell(refusal)
        raise typer.Exit(1) from refusal
    if filed is None:
        error_console.print(NOT_FILED, style="red", markup=False, highlight=False)
        raise typer.Exit(1)
    write_report(filed.content, out)


def form_of(path: Path) -> "Form":
    """Return the form that a file's name asks for; any other name is a wrong parameter."""
    match path.suffix.lower():
        case ".pdf":
            return "pdf"
        case ".html" | ".htm":
            return "html"
    raise typer.BadParameter(f"{path}: .pdf / .html")


def write_report(content: bytes, path: Path) -> None:
    """Write a report and tell its hash, which a draft names as `report_sha256`."""
    path.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    error_console.print(f"[green]✓[/] {escape(str(path))}  sha256 {sha256}", highlight=False)


def tell(refusal: "ValuationRefusedError") -> None:
    """Tell a refusal with its clause, in both languages."""
    error_console.print(f"[bold red]✗ {refusal.code}[/] {refusal.clause}", highlight=False)
    error_console.print(f"  {refusal.zh}\n  {refusal.en}", markup=False, highlight=False)


def add_commands(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command(epilog=REPORT_EXAMPLES)(report)
