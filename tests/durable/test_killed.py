"""A run of 2,000 tasks, killed a hundred times at random moments and each time gone on with.

The simulator's ledger is the judge: nothing that was written is lost, nothing is written twice, and
what is paid twice is at most what was open when it was killed.
"""

import json
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingather.testing import Simulator
from tests.cli.conftest import COMMAND, asking, write_tasks

TASKS = 2_000
IN_FLIGHT = 20
WINDOW = 2 * IN_FLIGHT + 16  # tasks that are open at most


@dataclass
class Round:
    """One process of a run. `calls`: how many the simulator had seen when it began and when it was gone."""

    in_flight: int
    calls: range
    code: int


@dataclass
class Story:
    """One run from its first process to its last: what the output held after each of them."""

    folder: Path
    simulator: Simulator
    options: list[str]
    rounds: list[Round] = field(default_factory=list)
    kept: list[bytes] = field(default_factory=list)

    @property
    def output(self) -> bytes:
        path = self.folder / "a.jsonl"
        return path.read_bytes() if path.exists() else b""

    def go_on(self, number: int, chance: random.Random) -> bool:
        """Go on with it, and send the signal `number` at a random moment; whether it came to its end before that."""
        begun = self.simulator.stats()["calls"]
        with subprocess.Popen(
            [
                *COMMAND,
                "run",
                "t.jsonl",
                "-o",
                "a.jsonl",
                "--store",
                "run.db",
                "--quiet",
                *self.options,
            ],
            cwd=self.folder,
            stderr=subprocess.DEVNULL,
        ) as process:
            if chance.random() < 0.9:  # else while it sets itself up, perhaps
                while process.poll() is None and self.simulator.stats()["calls"] == begun:
                    time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.3))
            in_flight = self.simulator.stats()["in_flight"]
            ended = process.poll() is not None
            process.send_signal(number)
            process.wait(timeout=60)
        while self.simulator.stats()["in_flight"]:
            time.sleep(0.001)
        calls = range(begun, self.simulator.stats()["calls"])
        self.rounds.append(Round(0 if ended else in_flight, calls, process.returncode))
        self.kept.append(self.output[: self.output.rfind(b"\n") + 1])
        return ended

    def paid_again(self) -> list[int]:
        """For each process, how many of the calls that it made were made again by a later one."""
        prints = [call.fingerprint for call in self.simulator.ledger]
        assert len(prints) == self.simulator.stats()["calls"], "the ledger has all of them"
        again = []
        for one in self.rounds:
            later = set(prints[one.calls.stop :])
            again.append(sum(prints[number] in later for number in one.calls))
            assert len({prints[number] for number in one.calls}) == len(one.calls), (
                "no process asks twice"
            )
        return again

    def judge(self) -> None:
        lines = [json.loads(line) for line in self.output.splitlines()]
        assert [line["success"] for line in lines] == [True] * TASKS, "lost 0"
        ids = [line["id"] for line in lines]
        assert len(set(ids)) == TASKS, "doubled 0"
        if "--ordered" in self.options:
            assert ids == [f"t{i}" for i in range(TASKS)]
        for number, text in enumerate(self.kept):
            assert self.output.startswith(text), (
                f"what was written before signal {number} is there, byte for byte"
            )


def stories(folder: Path, number: int, rounds: int) -> Iterator[Story]:
    """Runs that come to their end, until there were so many signals in all."""
    chance = random.Random(number)
    sent = 0
    while sent < rounds:
        where = folder / f"{sent}"
        where.mkdir()
        write_tasks(str(where / "t.jsonl"), TASKS)
        with Simulator(model="echo", latency=0.02, sigma=0.5, seed=sent) as simulator:
            order = ["--ordered"] if sent % 2 else []
            options = [*asking(simulator), "--max-concurrency", str(IN_FLIGHT), *order]
            story = Story(where, simulator, options)
            while not story.go_on(number, chance):
                sent += 1
            assert story.rounds[-1].code == 0, "the last one came to its end by itself"
            story.judge()
            yield story


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
def test_nothing_is_lost_and_hardly_anything_paid_twice(tmp_path, number):
    # -15: before it had learned to listen
    ended = {signal.SIGKILL: {-9}, signal.SIGTERM: {143, -15}}[number]
    killed = in_the_air = paid_twice = most = 0
    for story in stories(tmp_path, number, rounds=100):
        again = story.paid_again()
        for one, twice in zip(story.rounds[:-1], again, strict=False):
            assert one.code in ended
            assert twice <= (WINDOW if number == signal.SIGKILL else 0)
            killed += 1
            in_the_air += one.in_flight > 0
            paid_twice += twice
            most = max(most, twice)
        assert again[-1] == 0
    print(
        f"{killed} × {number.name}, {in_the_air} with calls in flight: {paid_twice} paid twice, at "
        f"most {most} a time"
    )
    assert killed >= 100
    assert in_the_air >= 80
