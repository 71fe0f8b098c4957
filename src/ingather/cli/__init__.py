"""The command line: ``ingather run | simulate | bench``. Nothing is imported before Ctrl-C is seen to."""

from __future__ import annotations


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code; `arguments` are those of the process by default."""
    from ingather.cli.start import start

    start("ingather", _main, arguments)


def _main(given: list[str]) -> None:
    if given in (["--version"], ["-V"]):
        say_version()
        return
    from ingather.cli.failing import SETUP, fail, failures_told

    try:
        import typer  # noqa: F401 - its absence is the most likely failure, and has an answer
    except ModuleNotFoundError:
        fail(
            "ingather",
            'the command line is an extra that is not installed: pip install "ingather[cli]"',
            SETUP,
        )
    from ingather.cli.app import app
    from ingather.cli.streams import raise_again
    from ingather.errors import SetupError, StoreError

    raise_again()
    with failures_told("ingather", SetupError, StoreError):
        app(given, prog_name="ingather", obj=given)


def say_version() -> None:
    """Print which version this is."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        print(f"ingather {version('ingather')}")
    except PackageNotFoundError:
        print("ingather (not installed: running from its source)")
