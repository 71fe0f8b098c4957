"""The commands, put together."""

from __future__ import annotations

import typer

from ingather.cli import say_version
from ingather.cli.bench import bench
from ingather.cli.cache_command import clear, stats
from ingather.cli.explain import explain
from ingather.cli.run_command import run
from ingather.cli.simulate import simulate
from ingather.cli.streams import load_json

# no pretty exceptions: they print local variables, and those may hold keys
app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 80, "help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
)
app.command(short_help="Run a file of tasks, many at once.")(run)
app.command(short_help="Be a provider: for trying things out, without a key.")(simulate)
app.command(short_help="Measure what running at once gains on this machine.")(bench)

cache = typer.Typer(
    rich_markup_mode=None, no_args_is_help=True, help="Look into a store of answers."
)
cache.command(short_help="What a store holds.")(stats)
cache.command(short_help="Why tasks would be answered from a store, or not.")(explain)
cache.command(short_help="Forget what a store holds.")(clear)
app.add_typer(cache, name="cache")


def _version(asked: bool) -> None:
    if asked:
        say_version()
        raise typer.Exit


@app.callback()
def ingather(
    version: bool = typer.Option(  # noqa: ARG001 - its callback has answered
        False,
        "--version",
        "-V",
        is_eager=True,
        callback=_version,
        help="Say which version this is.",
    ),
) -> None:
    """Run many LLM calls at once: as fast as the provider allows, inside its limits, losing nothing.

    \b
    Try it without a key, in two terminals:
      ingather simulate --port 8800
      ingather run tasks.jsonl -o answers.jsonl --model openai/any \\
        --base-url http://127.0.0.1:8800/v1
    """  # noqa: D301 - typer's mark for "keep these lines as they are"
    load_json()
