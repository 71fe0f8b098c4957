"""Instructor over AsyncOpenAI, with the model that it is used for, in its JSON schema mode; gather and a semaphore."""

from __future__ import annotations

import logging

from instructor import AsyncInstructor, Mode, from_openai
from measured import PROMPT, gathered, main
from openai import AsyncOpenAI
from pydantic import BaseModel

# a line for each 429 would be its cost too
logging.getLogger("instructor").setLevel(logging.CRITICAL)
client: AsyncInstructor | None = None


class Answer(BaseModel):
    summary: str


async def run(base_url: str, calls: int, concurrency: int) -> int:
    global client  # noqa: PLW0603 - kept between the warm-up and the measured run, as a program would
    if client is None:
        client = from_openai(AsyncOpenAI(base_url=base_url, api_key="none"), mode=Mode.JSON_SCHEMA)
    instructor = client

    async def one() -> str:
        answer = await instructor.create(
            model="bench-model",
            response_model=Answer,
            messages=[{"role": "user", "content": PROMPT}],
        )
        return answer.summary

    return await gathered(one, calls, concurrency)


async def close() -> None:
    """It has nothing to close."""


main(run, close)
