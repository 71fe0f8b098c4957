"""The commands, put together."""

from __future__ import annotations

from importlib.metadata import version

import typer

from ingather.cli.streams import load_json
from tenk.cli.analyze import analyze
from tenk.cli.sections import sections
from tenk.cli.serve import serve

# no pretty exceptions: they print local variables, and those may hold keys
app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 80, "help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
)
app.command(short_help="Split a 10-K into its items.")(sections)
app.command(short_help="Fill an analysis, every claim with its proof.")(analyze)
app.command(short_help="Analyse filings in the browser.")(serve)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"tenk {version('tenk')}")
        raise typer.Exit


@app.callback()
def tenk(
    version: bool = typer.Option(  # noqa: ARG001 - its callback has answered
        False,
        "--version",
        "-V",
        is_eager=True,
        callback=_version,
        help="Say which version this is.",
    ),
) -> None:
    """Read a company's 10-K, and say of every claim where in the filing it stands."""
    load_json()
