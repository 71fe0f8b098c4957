"""Runs clients against one loopback server in alternating runs, and gives medians.

Figures are ratios within one run: the machine's own speed drifts, and both sides feel it alike.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parent / ".benchmarks"


@dataclass(frozen=True)
class Client:
    """One way of making the calls: a file of `clients/`, and the interpreter that has its library."""

    name: str
    file: str
    python: str = sys.executable


@dataclass(frozen=True)
class Cost:
    """Medians over the runs: CPU seconds of the client's process for one call, wall seconds of the whole."""

    cpu_per_call: float
    wall: float
    answered: int


@contextlib.contextmanager
def server(latency: float) -> Iterator[str]:
    """The loopback server, in a process of its own; gives its base URL."""
    command = [sys.executable, str(HERE / "server.py"), "--latency", str(latency)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def alternate(clients: list[Client], *, latency: float, calls: int, concurrency: int, runs: int) -> dict[str, Cost]:
    """Each client's cost, the clients taking turns for `runs` rounds against the same server."""
    taken: dict[str, list[dict[str, float]]] = {client.name: [] for client in clients}
    with server(latency) as base_url:
        for _ in range(runs):
            for client in clients:
                command = [client.python, str(HERE / "clients" / client.file), base_url]
                command += ["--calls", str(calls), "--concurrency", str(concurrency)]
                line = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
                taken[client.name].append(json.loads(line.splitlines()[-1]))
    return {name: _medians(rounds, calls) for name, rounds in taken.items()}


def environment(name: str, *packages: str) -> str:
    """An environment of its own holding `packages`, made on first use; gives its interpreter."""
    folder = ENVIRONMENTS / name
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, clear=True, with_pip=True)
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages]
        subprocess.run(install, check=True)
        (folder / "ready").touch()
    return str(python)


def _medians(rounds: list[dict[str, float]], calls: int) -> Cost:
    return Cost(
        statistics.median(one["cpu"] for one in rounds) / calls,
        statistics.median(one["wall"] for one in rounds),
        int(min(one["answered"] for one in rounds)),
    )
