"""``ingather cache stats`` and ``ingather cache clear``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

StoreFile = Annotated[
    str, typer.Option("--store", metavar="FILE", help="The store, as given to `ingather run`.")
]
OlderThan = Annotated[
    float,
    typer.Option(
        min=0.0, metavar="DAYS", help="Only what is older than so many days.", show_default=False
    ),
]
_DAY = 86_400.0


def stats(store: StoreFile) -> None:
    """Say how much a store holds."""
    from ingather.stats import counted
    from ingather.store import Store

    with Store(existing(store), read_only=True) as opened:
        found = opened.stats()
    print(f"{counted(found.answers, 'answer')}, {found.bytes / 1e6:,.1f} MB")
    if found.oldest is not None and found.newest is not None:
        print(f"stored from {_day(found.oldest)} to {_day(found.newest)}")
    print(f"{counted(found.attempts, 'attempt')} in {counted(found.runs, 'run')}")


def clear(store: StoreFile, older_than: OlderThan = 0.0) -> None:
    """Forget the answers of a store, and its record of attempts. What was written to files of answers stays."""
    from ingather.stats import counted
    from ingather.store import Store

    with Store(existing(store)) as opened:
        gone = opened.clear(older_than=older_than * _DAY)
        left = opened.stats().answers
    print(f"{counted(gone, 'answer is', 'answers are')} forgotten, {left:,} left")


def existing(path: str) -> str:
    """A store that is looked into has to be there: a slip of the pen makes no new one."""
    from ingather.errors import SetupError

    if not Path(path).is_file():
        raise SetupError(f"there is no store {path}")
    return path


def _day(moment: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment))
