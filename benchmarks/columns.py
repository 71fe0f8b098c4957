"""The columns of the comparison: each is measured for all peers in alternating runs, and gives cells of text.

A peer that fails in a column has its reason there instead, as a footnote, and takes part in the
next one.
"""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat

from harness import Client, Failed, TookTooLong, last_line, run_client, server, surroundings
from peers import Peer

from ingather.testing import Simulator

RPM, BURST, LATENCY = 1200, 20, 0.2
AT_ONCE = 3  # rate-limited runs beside each other: they mostly wait
LONGEST = 300.0  # seconds that a run may take


@dataclass(frozen=True)
class Size:
    """How much is run: rounds, and calls of each column. `queued`: two lengths of a queue, whose difference counts."""

    rounds: int = 3
    cpu: int = 1_000
    at_200: int = 2_000
    at_1000: int = 10_000
    limited: int = 600
    queued: tuple[int, int] = (2_000, 20_000)


QUICK = Size(rounds=1, cpu=500, at_200=1_000, at_1000=2_000, limited=150, queued=(1_000, 5_000))


@dataclass
class Notes:
    """Footnotes, each said once."""

    texts: list[str] = field(default_factory=list)

    def mark(self, text: str) -> str:
        if text not in self.texts:
            self.texts.append(text)
        return f"[^{self.texts.index(text) + 1}]"


@dataclass
class Field:
    """Who takes part, with which interpreter, and how much each has to do."""

    pythons: dict[Peer, str]
    size: Size
    notes: Notes

    def client(self, peer: Peer) -> Client:
        return Client(peer.name, peer.file, self.pythons[peer])

    def alternate(self, measure: Callable[[Peer], float], digits: int) -> dict[Peer, str]:
        """The median of `measure` over the rounds, the peers taking turns."""
        taken: dict[Peer, list[float]] = {peer: [] for peer in self.pythons}
        failed: dict[Peer, str] = {}
        for _ in range(self.size.rounds):
            for peer, runs in taken.items():
                if peer not in failed:
                    try:
                        runs.append(measure(peer))
                    except Failed as failure:
                        failed[peer] = f"–{self.notes.mark(f'{peer.name}: {failure}')}"
                progress(".")
        return {
            peer: failed.get(peer) or f"{statistics.median(runs):,.{digits}f}"
            for peer, runs in taken.items()
        }


def progress(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)


def cpu(given: Field) -> dict[Peer, str]:
    """Milliseconds of CPU a call, at 100 in flight, of a server that answers at once."""
    with server(0.0) as base_url:
        return given.alternate(
            lambda peer: (
                answered(given.client(peer), base_url, given.size.cpu, 100)["cpu"]
                / given.size.cpu
                * 1000
            ),
            2,
        )


def wall(given: Field, calls: int, concurrency: int, latency: float) -> dict[Peer, str]:
    """Wall over ideal, which is `calls` x `latency` seconds / `concurrency`."""

    def share(peer: Peer) -> int:
        return (
            calls if concurrency < 1_000 else min(calls, max(int(calls * peer.share), concurrency))
        )

    def over_ideal(peer: Peer) -> float:
        own = share(peer)
        return answered(given.client(peer), base_url, own, concurrency)["wall"] / (
            own * latency / concurrency
        )

    with server(latency) as base_url:
        cells = given.alternate(over_ideal, 2)
    for peer in cells:
        if share(peer) < calls:
            cells[peer] += given.notes.mark(f"with {share(peer):,} calls, or it would take minutes")
    return cells


def answered(client: Client, base_url: str, calls: int, concurrency: int) -> dict[str, float]:
    """The figures of a run in which nothing may be lost."""
    options = ("--calls", str(calls), "--concurrency", str(concurrency))
    figures = run_client(client, base_url, *options, timeout=LONGEST)
    if figures["answered"] != calls:
        raise Failed(
            f"{figures['answered']:,.0f} of {calls:,} calls answered at {concurrency:,} in flight"
        )
    return figures


def limited(given: Field) -> dict[Peer, list[str]]:
    """Time over ideal, 429s, and calls lost, of a server that lets 1,200 requests a minute in, 20 at once.

    The ideal is of the calls that came back: who loses calls is done earlier.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        runs = [
            list(pool.map(_limited, repeat(given), given.pythons)) for _ in range(given.size.rounds)
        ]
    return {
        peer: _limited_cells(given, peer, rounds)
        for peer, rounds in zip(given.pythons, zip(*runs, strict=True), strict=True)
    }


def _limited(given: Field, peer: Peer) -> tuple[float, float, float] | Failed:
    """Of one run: time over ideal, infinite where it was stopped; 429s; calls lost. Or why there is none."""
    calls = given.size.limited
    options = ("--calls", str(calls), "--concurrency", "100", "--cold")
    with Simulator(latency=LATENCY, rpm=RPM, burst=BURST) as simulator:
        try:
            figures = run_client(
                given.client(peer), simulator.base_url, *options, timeout=4 * ideal(calls)
            )
            came_back, taken = int(figures["answered"]), figures["wall"]
        except TookTooLong:
            came_back, taken = simulator.stats()["answered"], math.inf
        except Failed as failure:
            return failure
        finally:
            progress(".")
        return taken / ideal(came_back), simulator.stats()["rejected"], calls - came_back


def _limited_cells(
    given: Field, peer: Peer, rounds: Iterable[tuple[float, float, float] | Failed]
) -> list[str]:
    done = []
    for figures in rounds:
        if isinstance(figures, Failed):
            return [f"–{given.notes.mark(f'{peer.name}: {figures}')}", "–", "–"]
        done.append(figures)
    over, rejected, lost = (statistics.median(values) for values in zip(*done, strict=True))
    stuck = "stopped at 4 times the ideal: the lost are those that it had no answer for by then"
    said = f"{over:.2f}" if math.isfinite(over) else f"> 4{given.notes.mark(stuck)}"
    return [said, f"{rejected:,.0f}", f"{lost:,.0f}"]


def ideal(calls: int) -> float:
    """Seconds that `calls` take where no request is sent too early or too late: a burst, then an even pace."""
    return max(calls - BURST, 0) * 60 / RPM + LATENCY


def memory(given: Field) -> dict[Peer, str]:
    """Bytes that Python holds for a task that waits for one of 100 slots."""
    few, many = given.size.queued

    def held(peer: Peer) -> float:
        sizes = []
        for calls in (few, many):
            options = ("--calls", str(calls), "--concurrency", "100", "--queued")
            sizes.append(
                run_client(given.client(peer), base_url, *options, timeout=LONGEST)["bytes"]
            )
        return max(sizes[1] - sizes[0], 0.0) / (many - few)

    with server(3600.0) as base_url:
        return given.alternate(held, 0)


def imports(given: Field) -> dict[Peer, str]:
    """Milliseconds of a Python that imports it, and does nothing else."""
    return given.alternate(lambda peer: _shortest([given.pythons[peer], "-c", peer.imports]), 0)


def first_answer(given: Field) -> dict[Peer, str]:
    """Milliseconds of a program that imports it, makes one call, and ends."""
    with server(0.0) as base_url:
        options = [base_url, "--calls", "1", "--concurrency", "1", "--cold"]
        return given.alternate(lambda peer: _shortest([*given.client(peer).command, *options]), 0)


def _shortest(command: Iterable[str]) -> float:
    """Milliseconds of the shortest of three runs."""
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        done = subprocess.run(
            list(command), capture_output=True, text=True, env=surroundings(), check=False
        )
        taken.append((time.perf_counter() - begun) * 1000)
        if done.returncode:
            raise Failed(last_line(done.stderr))
    return min(taken)
