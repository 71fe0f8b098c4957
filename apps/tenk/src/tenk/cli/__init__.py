"""The command line: ``tenk sections | …``. Nothing heavy is imported before it is needed."""

from __future__ import annotations

import os
import sys

from ingather.cli.fold import say
from ingather.cli.streams import check_interrupted, end_at_once, raise_again, standard_streams

SETUP = 2  # exit code: wrong use, or no filing
CRASH = 1


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code; `arguments` are those of the process by default."""
    if arguments is not None:
        _main(arguments)
        return
    end_at_once()  # as long as it starts
    with standard_streams("tenk"):
        _main(sys.argv[1:])


def _main(given: list[str]) -> None:
    from ingather.errors import SetupError, redact
    from tenk.cli.app import app
    from tenk.errors import TenkError

    raise_again()
    try:
        app(given, prog_name="tenk")
    except (TenkError, SetupError) as error:
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


def _fail(message: str, code: int) -> None:
    check_interrupted()
    say(f"tenk: {message}", error=True)
    sys.exit(code)
