"""Ours from a terminal: `ingather run` with a file of tasks and nothing configured."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from measured import PROMPT, main

INGATHER = Path(sys.executable).parent / "ingather"


async def run(base_url: str, calls: int, concurrency: int) -> int:
    """`concurrency` is what others are given."""
    with tempfile.TemporaryDirectory() as folder:
        tasks, answers = Path(folder) / "tasks.jsonl", Path(folder) / "answers.jsonl"
        tasks.write_text(
            "".join(json.dumps({"id": str(n), "prompt": PROMPT}) + "\n" for n in range(calls))
        )
        whom = ("--model", "openai/bench-model", "--base-url", base_url, "--api-key-env", "")
        command = (str(INGATHER), "run", str(tasks), "-o", str(answers), *whom)
        process = await asyncio.create_subprocess_exec(*command, stdout=sys.stderr)
        await process.wait()
        return sum(json.loads(line)["success"] for line in answers.read_text().splitlines())


async def close() -> None:
    """The command has ended."""


main(run, close)
