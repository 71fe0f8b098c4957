"""The command line: ``tenk sections | …``. Nothing heavy is imported before it is needed."""

from __future__ import annotations

import os
import sys

SETUP = 2  # exit code: wrong use, or no filing
CRASH = 1


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code; `arguments` are those of the process by default."""
    from ingather.errors import SetupError, redact
    from tenk.cli.app import app
    from tenk.errors import TenkError

    try:
        app(sys.argv[1:] if arguments is None else arguments, prog_name="tenk")
    except BrokenPipeError:  # whom we write to has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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
    print(f"tenk: {message}", file=sys.stderr)
    sys.exit(code)
