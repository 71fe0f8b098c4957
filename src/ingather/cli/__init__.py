"""The command line: ``ingather run | simulate | bench``. Nothing heavy is imported before it is needed."""

from __future__ import annotations

import os
import sys

from ingather.cli.streams import check_interrupted, end_at_once, raise_again, standard_streams

SETUP = 2  # exit code: wrong use, file, key or machine set-up
CRASH = 1


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code; `arguments` are those of the process by default."""
    if arguments is not None:
        _main(arguments)
        return
    end_at_once()  # as long as it starts
    with standard_streams("ingather"):
        _main(sys.argv[1:])


def _main(given: list[str]) -> None:
    if given in (["--version"], ["-V"]):
        say_version()
        return
    try:
        import typer  # noqa: F401 - its absence is the most likely failure, and has an answer
    except ModuleNotFoundError:
        _fail('the command line is an extra that is not installed: pip install "ingather[cli]"', SETUP)
    from ingather.cli.app import app
    from ingather.errors import SetupError, StoreError, redact

    raise_again()
    try:
        app(given, prog_name="ingather", obj=given)
    except (SetupError, StoreError) as error:
        _fail(str(error), SETUP)
    except Exception as error:
        if os.environ.get("INGATHER_DEBUG"):
            raise
        lines = str(error).splitlines() or [""]
        _fail(
            f"crashed: {type(error).__name__}: {redact(lines[0])[:300]}\n"
            "This is a fault of ours. INGATHER_DEBUG=1 shows where; please report it.",
            CRASH,
        )


def say_version() -> None:
    """Print which version this is."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        print(f"ingather {version('ingather')}")
    except PackageNotFoundError:
        print("ingather (not installed: running from its source)")


def _fail(message: str, code: int) -> None:
    from ingather.cli.fold import say

    check_interrupted()
    say(f"ingather: {message}", error=True)
    sys.exit(code)
