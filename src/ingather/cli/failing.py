"""How a program says that it failed: a line on standard error, and its exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from ingather.cli.fold import say
from ingather.cli.streams import check_interrupted
from ingather.redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterator

SETUP = 2  # exit code: wrong use, file, key or machine set-up
CRASH = 1


@contextlib.contextmanager
def failures_told(program: str, *ours: type[Exception]) -> Iterator[None]:
    """Within it, errors of the kinds `ours` end `program` with their text and code 2; any other is a crash, code 1."""
    try:
        yield
    except ours as error:
        fail(program, str(error), SETUP)
    except Exception as error:
        if os.environ.get("INGATHER_DEBUG"):
            raise
        lines = str(error).splitlines() or [""]
        told = f"crashed: {type(error).__name__}: {redact(lines[0])[:300]}"
        fail(
            program,
            f"{told}\nThis is a bug in ingather. INGATHER_DEBUG=1 shows where; please report it.",
            CRASH,
        )


def fail(program: str, message: str, code: int) -> NoReturn:
    """Print `message` and exit with `code`."""
    check_interrupted()
    say(f"{program}: {message}", error=True)
    sys.exit(code)
