"""Runs clients against one loopback server in alternating runs, and gives medians.

Figures are ratios within one run: the machine's own speed drifts, and both sides feel it alike.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
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

    @property
    def command(self) -> list[str]:
        return [self.python, str(HERE / "clients" / self.file)]


@dataclass(frozen=True)
class Cost:
    """Medians over the runs: CPU seconds of the client's process for one call, wall seconds of the whole."""

    cpu_per_call: float
    wall: float
    answered: int


class Failed(Exception):
    """A client did not do its work; the message says why."""


class TookTooLong(Failed):
    """A client was stopped."""


class NotInstalled(Exception):
    """An environment could not be built; the message says why."""


@contextlib.contextmanager
def server(latency: float) -> Iterator[str]:
    """The loopback server, in a process of its own; gives its base URL."""
    command = [sys.executable, str(HERE / "server.py"), "--latency", str(latency)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def alternate(
    clients: list[Client], *, latency: float, calls: int, concurrency: int, runs: int
) -> dict[str, Cost]:
    """Each client's cost, the clients taking turns for `runs` rounds against the same server."""
    taken: dict[str, list[dict[str, float]]] = {client.name: [] for client in clients}
    with server(latency) as base_url:
        for _ in range(runs):
            for client in clients:
                figures = run_client(
                    client, base_url, "--calls", str(calls), "--concurrency", str(concurrency)
                )
                taken[client.name].append(figures)
    return {name: _medians(rounds, calls) for name, rounds in taken.items()}


def run_client(
    client: Client,
    base_url: str,
    *options: str,
    timeout: float | None = None,
    cache: str | None = None,
) -> dict[str, float]:
    """The figures that `client` prints. Raises Failed where it ends otherwise, TookTooLong after `timeout` seconds.

    `cache`: the folder in which it finds what a run before it has learnt; else an empty one.
    """
    command = [*client.command, base_url, *options]
    with tempfile.TemporaryDirectory() as empty:
        around = {**surroundings(), "XDG_CACHE_HOME": cache or empty}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=timeout, env=around, check=False
            )
        except subprocess.TimeoutExpired:
            raise TookTooLong(f"not done within {timeout:.0f} s") from None
    if done.returncode:
        raise Failed(last_line(done.stderr))
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def environment(name: str, *packages: str, python: str = sys.executable) -> str:
    """An environment of its own holding `packages`, made of `python` on first use; gives its interpreter.

    Raises NotInstalled where pip cannot.
    """
    folder = ENVIRONMENTS / name
    own, ready, wanted = folder / "bin" / "python", folder / "ready", "\n".join(packages)
    if not ready.exists() or ready.read_text() != wanted:
        install = [str(own), "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages]
        for command in ([python, "-m", "venv", "--clear", str(folder)], install):
            done = subprocess.run(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
            )
            if done.returncode:
                raise NotInstalled(f"{name} could not be installed: {last_line(done.stderr)}")
        ready.write_text(wanted)
    return str(own)


def surroundings() -> dict[str, str]:
    """The environment variables of a client: no key or address of a real provider, and nothing fetched at import."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.endswith(("_API_KEY", "_BASE_URL"))
    }
    return {**kept, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}


def last_line(text: str) -> str:
    """What a traceback or a log ends with."""
    return (text.strip().splitlines() or ["it said nothing"])[-1][:200]


def _medians(rounds: list[dict[str, float]], calls: int) -> Cost:
    return Cost(
        statistics.median(one["cpu"] for one in rounds) / calls,
        statistics.median(one["wall"] for one in rounds),
        int(min(one["answered"] for one in rounds)),
    )
