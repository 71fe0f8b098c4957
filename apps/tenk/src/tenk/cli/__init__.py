"""The command line: ``tenk sections | …``. Nothing is imported before Ctrl-C is seen to."""

from __future__ import annotations


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code; `arguments` are those of the process by default."""
    from ingather.cli.start import start

    start("tenk", _main, arguments)


def _main(given: list[str]) -> None:
    from ingather.cli.failing import failures_told
    from ingather.cli.streams import raise_again
    from ingather.errors import SetupError
    from tenk.cli.app import app
    from tenk.errors import TenkError

    raise_again()
    with failures_told("tenk", TenkError, SetupError):
        app(given, prog_name="tenk")
