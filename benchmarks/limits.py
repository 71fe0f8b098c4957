"""Limits that are learnt, over real HTTP, beside those who make people guess: `make limits`, or

    python benchmarks/limits.py [--only NAMES] [--quick] [--runs N] [-o FILE]

Everybody starts cold, is told nothing, and has 600 calls for `ingather simulate --rpm 1200 --burst
20 --latency 0.2`: with rate-limit headers, without, and with the limit halved midway; as one
process, and as two that share the quota. Then what is kept for the next run, and what hedging does
to a slow tail. Prints tables, then each figure of ours beside what it has to reach, and ends with
status 1 where one does not.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from columns import Notes, progress
from figure import Figure
from harness import Client, Failed, NotInstalled, TookTooLong, run_client
from peers import PEERS, Peer
from simulated import Quota, provider

CALLS, AT_ONCE = 600, 3  # trials beside each other: they mostly wait
TAIL_CALLS, IN_FLIGHT = 500, 50
TAIL = ("--latency", "0.5", "--sigma", "0.5", "--slow-tail", "0.02:20")
OURS = ("ingather run", "ingather")
_NAMED = {peer.name: peer for peer in PEERS}


def _way(name: str, of: str, file: str) -> Peer:
    return replace(_NAMED[of], name=name, file=file)


WAYS = (
    _way("ingather run", "ingather", "ingather_command.py"),
    _way("ingather", "ingather", "ingather_adaptive.py"),
    _NAMED["openai"],
    _way("openai, max_retries=50", "openai", "openai_patient.py"),
    _way("inspect-ai, adaptive", "inspect-ai", "inspect_adaptive.py"),
    _way("litellm, num_retries=3", "litellm", "litellm_retries.py"),
    _way("litellm Router, num_retries=50", "litellm", "litellm_router.py"),
)


@dataclass(frozen=True)
class Setting:
    """A quota, and how many processes share it; what we must reach: time over ideal, share of 429s (no more than)."""

    name: str
    quota: Quota
    processes: int
    most_time: float
    most_rejected: float | None

    @property
    def title(self) -> str:
        return f"{self.name}, {'one process' if self.processes == 1 else f'{self.processes} processes'}"


@dataclass(frozen=True)
class Trial:
    """Time over ideal, infinite where it was stopped; 429s as a share of the attempts; calls lost; attempts."""

    over: float
    rejected: float
    lost: float
    attempts: float


def settings(calls: int) -> list[Setting]:
    told = Quota(1200, 20, 0.2)
    halved = replace(told, halved_at=round(told.ideal(calls) / 2))
    kinds = (
        ("With headers", told, 1.10, 0.01),
        ("Without headers", replace(told, headers=False), 1.10, 0.10),
        (f"Halved after {halved.halved_at:g} s, with headers", halved, 1.15, None),
    )
    return [
        Setting(name, quota, count, *bounds) for count in (1, 2) for name, quota, *bounds in kinds
    ]


def tried(python: str, way: Peer, setting: Setting, calls: int) -> Trial | Failed:
    """One trial of one way; `Failed` is given back, not raised."""
    share, longest = calls // setting.processes, 4 * setting.quota.ideal(calls)
    client = Client(way.name, way.file, python)

    def process(base_url: str) -> int | Failed:
        try:
            options = ("--calls", str(share), "--concurrency", str(share), "--cold")
            return int(run_client(client, base_url, *options, timeout=longest)["answered"])
        except Failed as failure:
            return failure

    with (
        provider(*setting.quota.options) as simulated,
        ThreadPoolExecutor(setting.processes) as pool,
    ):
        ended = list(pool.map(process, [simulated.base_url] * setting.processes))
        seen = simulated.seen()
    progress(".")
    stopped = any(isinstance(one, TookTooLong) for one in ended)
    if not stopped and (failed := next((one for one in ended if isinstance(one, Failed)), None)):
        return failed
    answered = seen.answered if stopped else sum(one for one in ended if isinstance(one, int))
    over = math.inf if stopped else seen.seconds / setting.quota.ideal(answered)
    return Trial(over, seen.rejected / max(seen.attempts, 1), calls - answered, seen.attempts)


def median(trials: list[Trial | Failed]) -> Trial | Failed:
    """Of each figure; but nothing may be lost in any of them."""
    done = [trial for trial in trials if isinstance(trial, Trial)]
    if len(done) < len(trials):
        return next(trial for trial in trials if isinstance(trial, Failed))
    middle = (
        statistics.median(values)
        for values in zip(*((t.over, t.rejected, t.attempts) for t in done), strict=True)
    )
    over, rejected, attempts = middle
    return Trial(over, rejected, max(trial.lost for trial in done), attempts)


def table(
    setting: Setting,
    calls: int,
    found: dict[Peer, Trial | Failed],
    missing: dict[Peer, str],
    notes: Notes,
) -> str:
    lines = [
        f"**{setting.title}** (ideal {setting.quota.ideal(calls):.1f} s)",
        "",
        "|  | time / ideal | 429s | lost | attempts |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for way in (*found, *missing):
        trial = found.get(way)
        if isinstance(trial, Trial):
            stuck = (
                "stopped at 4 times the ideal: the lost are those that it had no answer for by then"
            )
            over = f"{trial.over:.2f}" if math.isfinite(trial.over) else f"> 4{notes.mark(stuck)}"
            cells = [over, f"{trial.rejected:.1%}", f"{trial.lost:,.0f}", f"{trial.attempts:,.0f}"]
        else:
            cells = [f"–{notes.mark(missing.get(way) or f'{way.name}: {trial}')}", "–", "–", "–"]
        lines.append(f"| {way.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def compared(setting: Setting, found: dict[Peer, Trial | Failed]) -> Iterator[Figure]:
    """What is ours of it, beside what it has to reach."""
    for way, trial in found.items():
        if way.name not in OURS:
            continue
        what = f"{setting.title}, {way.name}"
        done = trial if isinstance(trial, Trial) else Trial(math.inf, math.inf, math.inf, math.inf)
        yield Figure(f"{what}: time / ideal", done.over, "x", most=setting.most_time)
        if setting.most_rejected is not None:
            yield Figure(
                f"{what}: 429s", 100 * done.rejected, "%", most=100 * setting.most_rejected
            )
        yield Figure(f"{what}: lost", done.lost, "calls", most=0)


def again(calls: int) -> Iterator[tuple[str, Trial]]:
    """A run without headers, and another one that finds what the first has learnt."""
    quota = Quota(1200, 20, 0.2, headers=False)
    client = Client("ingather", "ingather_adaptive.py")
    with provider(*quota.options) as simulated, tempfile.TemporaryDirectory() as cache:
        for name in ("first run", "second run"):
            simulated.reset()
            options = ("--calls", str(calls), "--concurrency", str(calls), "--cold")
            answered = int(
                run_client(client, simulated.base_url, *options, cache=cache)["answered"]
            )
            seen = simulated.seen()
            over = seen.seconds / quota.ideal(calls)
            yield name, Trial(over, seen.rejected / seen.attempts, calls - answered, seen.attempts)
            progress(".")


@dataclass(frozen=True)
class Tail:
    """Seconds to the last answer without hedging, and with; requests sent with it."""

    plain: float
    hedged: float
    attempts: int


def tail(seed: int) -> Tail:
    """The same calls with and without `Hedge()`, of a provider that takes 20 times as long for 2 % of them."""
    options = ("--calls", str(TAIL_CALLS), "--concurrency", str(IN_FLIGHT), "--cold")
    with provider(*TAIL, "--seed", str(seed)) as simulated:
        taken = []
        for file in ("ingather_executor.py", "ingather_hedged.py"):
            simulated.reset()
            answered = run_client(Client(file, file), simulated.base_url, *options)["answered"]
            if answered != TAIL_CALLS:
                raise Failed(f"{file}: {answered:.0f} of {TAIL_CALLS} calls answered")
            taken.append(simulated.seen())
    progress(".")
    return Tail(taken[0].seconds, taken[1].seconds, taken[1].attempts)


def tails(runs: list[Tail]) -> Iterator[Figure]:
    over = statistics.median(run.hedged / run.plain for run in runs)
    detail = ", ".join(f"{run.hedged:.1f} / {run.plain:.1f} s" for run in runs)
    yield Figure(
        "2 % of calls at 20 x: wall with Hedge() over without", over, "x", most=0.5, detail=detail
    )
    extra = statistics.median(run.attempts / TAIL_CALLS - 1 for run in runs)
    yield Figure("2 % of calls at 20 x: more calls for it", 100 * extra, "%", most=5)


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = lambda text: {name.strip() for name in text.split(";")}  # noqa: E731 - names have commas in them
    parser.add_argument(
        "--only",
        type=names,
        metavar="NAMES",
        help='these, with semicolons: "ingather run;ingather"',
    )
    parser.add_argument(
        "--quick", action="store_true", help="a quarter of the calls: a look, not figures to quote"
    )
    parser.add_argument(
        "--runs", type=int, default=1, metavar="N", help="of which the medians are taken"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write the tables there too"
    )
    return parser.parse_args()


def main() -> int:
    arguments = parsed()
    calls = CALLS // 4 if arguments.quick else CALLS
    ways = [way for way in WAYS if not arguments.only or way.name in arguments.only]
    if not ways:
        print(f"--only takes names of: {'; '.join(way.name for way in WAYS)}", file=sys.stderr)
        return 2
    pythons, missing = dict[Peer, str](), dict[Peer, str]()
    for way in ways:
        try:
            pythons[way] = way.environment()
        except NotInstalled as error:
            missing[way] = str(error)
    notes = Notes()
    texts, figures = list[str](), list[Figure]()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        begun = {
            (setting, way): [
                pool.submit(tried, python, way, setting, calls) for _ in range(arguments.runs)
            ]
            for setting in settings(calls)
            for way, python in pythons.items()
        }
        hedged = [pool.submit(tail, seed) for seed in range(1 if arguments.quick else 5)]
        for setting in settings(calls):
            found = {way: median([one.result() for one in begun[setting, way]]) for way in pythons}
            texts.append(table(setting, calls, found, missing, notes))
            figures += compared(setting, found)
        figures += tails([one.result() for one in hedged])
    lines = [
        "**A second run, without headers**",
        "",
        "|  | time / ideal | 429s | lost |",
        "| --- | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {name} | {run.over:.2f} | {run.rejected:.1%} | {run.lost:.0f} |"
        for name, run in again(calls)
    ]
    progress("\n")
    footnotes = [f"[^{number}]: {text}" for number, text in enumerate(notes.texts, 1)]
    text = "\n\n".join([*texts, "\n".join(lines), about(calls, arguments), *footnotes])
    print(text, *figures, sep="\n")
    if arguments.output:
        arguments.output.write_text(text + "\n", encoding="utf-8")
    missed = sum(not figure.reached for figure in figures)
    print("all reached" if not missed else f"{missed} not reached")
    return 1 if missed else 0


def about(calls: int, arguments: argparse.Namespace) -> str:
    """What the figures are, and of what."""
    options = ["--quick"] * arguments.quick + [f"--runs {arguments.runs}"] * (arguments.runs > 1)
    return (
        f"Made by `{' '.join(['python benchmarks/limits.py', *options])}` on "
        f"{datetime.now(UTC):%d %B %Y}, Python "
        f"{platform.python_version()}, {os.cpu_count()} cores, {platform.system()}: {calls:,} "
        f"calls of 200 ms, nothing "
        "configured and nothing known from before. Time: from the first request to the last "
        "answer, as the provider "
        "saw them. The ideal: the bucket's 20 at once, the rest at its 20 (then 10) a second, and "
        "200 ms; of the calls "
        "that came back. 429s: of all attempts."
    )


if __name__ == "__main__":
    sys.exit(main())
