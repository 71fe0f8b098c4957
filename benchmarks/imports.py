"""Start-up: what an import and a help text take, and how many packages the core installs."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

from figure import Figure
from packaging.requirements import Requirement


def figures(*, quick: bool) -> Iterator[Figure]:
    runs = 5 if quick else 15
    yield Figure(
        "python -c 'import ingather'",
        _wall([sys.executable, "-c", "import ingather"], runs),
        "ms",
        most=150,
    )
    command = [str(Path(sys.executable).parent / "ingather"), "--help"]
    yield Figure("ingather --help", _wall(command, runs), "ms", most=300)
    packages = _closure("ingather")
    yield Figure(
        "core install", len(packages), "packages", most=16, detail=", ".join(sorted(packages))
    )


def _wall(command: list[str], runs: int) -> float:
    taken = []
    for _ in range(runs):
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1000


def _closure(name: str, found: set[str] | None = None) -> set[str]:
    """The names of all that comes with `name`, itself included, extras left out."""
    found = set() if found is None else found
    if name not in found:
        found.add(name)
        for requirement in map(Requirement, requires(name) or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                _closure(requirement.name.lower().replace("_", "-"), found)
    return found
