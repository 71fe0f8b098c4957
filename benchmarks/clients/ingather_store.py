"""Ours with a store: as `ingather_executor.py`, each call another one, so that each is bought and kept."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

from measured import PROMPT, main

from ingather import LLMTask, ParallelLLMExecutor, connect

executor: ParallelLLMExecutor | None = None
folder = tempfile.TemporaryDirectory()
numbers = itertools.count()


async def run(base_url: str, calls: int, concurrency: int) -> int:
    global executor  # noqa: PLW0603 - kept between the warm-up and the measured run, as a program would
    if executor is None:
        provider = connect("openai/bench-model", base_url=base_url)
        executor = ParallelLLMExecutor(
            provider, max_concurrency=concurrency, store=Path(folder.name) / "run.db"
        )
    answered = 0
    async for result in executor.as_completed(
        LLMTask(PROMPT, sample=next(numbers)) for _ in range(calls)
    ):
        answered += bool(result.success and result.value.content and not result.cached)
    return answered


async def close() -> None:
    if executor is not None:
        await executor.aclose()
    folder.cleanup()


main(run, close)
