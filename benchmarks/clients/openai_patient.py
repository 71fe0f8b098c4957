"""The usual way for those who want no call lost: as `openai_gather.py`, with 50 retries."""

from __future__ import annotations

from measured import PROMPT, gathered, main
from openai import AsyncOpenAI

client: AsyncOpenAI | None = None


async def run(base_url: str, calls: int, concurrency: int) -> int:
    global client  # noqa: PLW0603 - kept between the warm-up and the measured run, as a program would
    if client is None:
        client = AsyncOpenAI(base_url=base_url, api_key="none", max_retries=50)
    openai = client

    async def one() -> str | None:
        answer = await openai.chat.completions.create(
            model="bench-model", messages=[{"role": "user", "content": PROMPT}]
        )
        return answer.choices[0].message.content

    return await gathered(one, calls, concurrency)


async def close() -> None:
    if client is not None:
        await client.close()


main(run, close)
