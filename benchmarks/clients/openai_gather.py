"""The usual way: AsyncOpenAI, a semaphore, and asyncio.gather over all calls."""

from __future__ import annotations

import asyncio

from measured import PROMPT, main
from openai import AsyncOpenAI

client: AsyncOpenAI | None = None


async def run(base_url: str, calls: int, concurrency: int) -> int:
    global client  # noqa: PLW0603 - kept between the warm-up and the measured run, as a program would
    if client is None:
        client = AsyncOpenAI(base_url=base_url, api_key="none")
    openai = client
    semaphore = asyncio.Semaphore(concurrency)

    async def one() -> bool:
        async with semaphore:
            answer = await openai.chat.completions.create(
                model="bench-model", messages=[{"role": "user", "content": PROMPT}]
            )
        return bool(answer.choices[0].message.content)

    return sum(await asyncio.gather(*(one() for _ in range(calls))))


async def close() -> None:
    if client is not None:
        await client.close()


main(run, close)
