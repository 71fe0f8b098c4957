"""`ingather simulate` in a process of its own, what its ledger says, and what its bucket makes possible."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

INGATHER = Path(sys.executable).parent / "ingather"


@dataclass(frozen=True)
class Seen:
    """What the provider saw: `seconds` from the first request to the last answer, how many requests, of these 429s."""

    seconds: float
    attempts: int
    answered: int
    rejected: int


@dataclass(frozen=True)
class Provider:
    """A simulated one that runs."""

    base_url: str

    def seen(self) -> Seen:
        with urllib.request.urlopen(
            f"{self.base_url.removesuffix('/v1')}/stats?ledger=1"
        ) as answer:
            stats = json.load(answer)
        answered = [
            call["ended"]
            for call in stats["ledger"]
            if call["status"] == 200 and not call["disconnected"]
        ]
        begun = min((call["arrived"] for call in stats["ledger"]), default=0.0)
        return Seen(
            max(answered, default=begun) - begun, stats["calls"], len(answered), stats["rejected"]
        )

    def reset(self) -> None:
        """Full buckets and an empty ledger."""
        request = urllib.request.Request(
            f"{self.base_url.removesuffix('/v1')}/reset", method="POST"
        )
        with urllib.request.urlopen(request):
            pass


@contextlib.contextmanager
def provider(*options: str) -> Iterator[Provider]:
    """One that answers what it was asked, with these options of the command."""
    command = [str(INGATHER), "simulate", "--port", "0", "--model", "echo", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Provider(process.stdout.readline().split()[-1])
        finally:
            process.send_signal(signal.SIGTERM)


@dataclass(frozen=True)
class Quota:
    """Requests a minute, how many its bucket holds, and seconds of a call; `halved_at`: seconds until it is halved."""

    rpm: float
    burst: int
    latency: float
    headers: bool = True
    halved_at: float | None = None

    @property
    def options(self) -> list[str]:
        given = [
            "--rpm",
            f"{self.rpm:g}",
            "--burst",
            f"{self.burst}",
            "--latency",
            f"{self.latency:g}",
        ]
        halved = [] if self.halved_at is None else ["--change", f"{self.halved_at:g}:0.5"]
        return [*given, *halved, *([] if self.headers else ["--no-headers"])]

    def ideal(self, calls: int) -> float:
        """Seconds in which `calls` can be answered: the smallest `t` at which burst + rate x t lets in all, + latency.

        >>> Quota(1200, 20, 0.2).ideal(600), Quota(1200, 20, 0.2, halved_at=15).ideal(600)
        (29.2, 43.2)
        """
        rate, left = self.rpm / 60, max(calls - self.burst, 0)
        if self.halved_at is None or left <= rate * self.halved_at:
            return left / rate + self.latency
        return self.halved_at + (left - rate * self.halved_at) / (rate / 2) + self.latency
