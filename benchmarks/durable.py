"""What durability costs: CPU a call with a store beside without one; and what a store gives back."""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from figure import Figure
from harness import Client, alternate

from ingather import LLMTask, ParallelLLMExecutor, connect

WITHOUT = Client("without a store", "ingather_executor.py")
WITH = Client("with a store", "ingather_store.py")


async def replayed(path: Path, count: int, runs: int) -> float:
    """Median tasks a second, where each answer is in the store already. The server behind it does not exist."""
    provider = connect("openai/bench-model", base_url="http://127.0.0.1:9/v1")
    tasks = [LLMTask("Hello", sample=number) for number in range(count)]
    rates = []
    async with ParallelLLMExecutor(provider, 100, store=path) as executor:
        for _ in range(runs):
            begun = time.perf_counter()
            results = await executor.gather(tasks)
            rates.append(count / (time.perf_counter() - begun))
            assert all(result.cached for result in results)
    return statistics.median(rates)
