"""Memory: lazily fed tasks cost none, queued ones almost none. Each measurement is a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from engine import Suspending
from figure import Figure

from ingather import LLMMessage, LLMResponse, LLMTask, ParallelLLMExecutor


class Stalled:
    """A provider that never answers."""

    async def complete(
        self, messages: Sequence[LLMMessage], config_overrides: Mapping[str, object] | None = None
    ) -> LLMResponse:
        await asyncio.sleep(3600)
        raise AssertionError


async def lazy(count: int) -> float:
    """Peak resident megabytes of a process that runs `count` lazily fed tasks."""
    executor = ParallelLLMExecutor(Suspending(), max_concurrency=100)
    async for result in executor.as_completed(LLMTask("Hello") for _ in range(count)):
        assert result.success
    return _peak()


async def queued(count: int) -> float:
    """Bytes a task that `count` queued tasks cost beyond themselves, before any result."""
    executor = ParallelLLMExecutor(Stalled(), max_concurrency=100)
    tasks = [LLMTask("Hello")] * count
    tracemalloc.start()
    waiting = asyncio.create_task(executor.gather(tasks))
    await asyncio.sleep(0.5)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    waiting.cancel()
    await asyncio.wait([waiting])
    return size / count


def figures(*, quick: bool) -> Iterator[Figure]:
    many = 100_000 if quick else 1_000_000
    few = _alone("lazy", 10_000)
    yield Figure(
        f"{many:,} lazily fed tasks: peak memory above 10,000's",
        _alone("lazy", many) - few,
        "MB",
        most=30,
    )
    yield Figure(
        "100,000 queued tasks: memory beyond them", _alone("queued", 100_000), "B a task", most=100
    )


def _peak() -> float:
    """Megabytes. From /proc where there is one: getrusage would give the parent's peak if that was higher."""
    with contextlib.suppress(FileNotFoundError):
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _alone(what: str, count: int) -> float:
    command = [sys.executable, str(Path(__file__)), what, str(count)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    print(asyncio.run({"lazy": lazy, "queued": queued}[sys.argv[1]](int(sys.argv[2]))))
