"""The floor: aiohttp, a pool of workers over one iterator, the same POST and JSON parse, nothing else."""

from __future__ import annotations

import asyncio
import json

import aiohttp
from measured import PROMPT, main

session: aiohttp.ClientSession | None = None


async def run(base_url: str, calls: int, concurrency: int) -> int:
    global session  # noqa: PLW0603 - kept between the warm-up and the measured run, as a program would
    if session is None:
        session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency))
    client = session
    numbers = iter(range(calls))
    answered = 0

    async def worker() -> None:
        nonlocal answered
        for _ in numbers:
            body = json.dumps(
                {"model": "bench-model", "messages": [{"role": "user", "content": PROMPT}]}
            )
            headers = {"content-type": "application/json", "authorization": "Bearer none"}
            async with client.post(
                f"{base_url}/chat/completions", data=body, headers=headers
            ) as response:
                answer = json.loads(await response.read())
            answered += bool(answer["choices"][0]["message"]["content"])

    await asyncio.gather(*(worker() for _ in range(concurrency)))
    return answered


async def close() -> None:
    if session is not None:
        await session.close()


main(run, close)
