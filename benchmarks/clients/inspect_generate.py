"""Inspect's model API: get_model and generate; `max_connections` bounds, so gather needs no semaphore."""

from __future__ import annotations

import asyncio

from inspect_ai.model import GenerateConfig, Model, get_model
from measured import PROMPT, answered, main

model: Model | None = None


async def run(base_url: str, calls: int, concurrency: int) -> int:
    global model  # noqa: PLW0603 - kept between the warm-up and the measured run, as a program would
    if model is None:
        config = GenerateConfig(max_connections=concurrency)
        model = get_model(
            "openai/bench-model",
            base_url=base_url,
            api_key="none",
            config=config,
            responses_api=False,
        )
    outcomes = await asyncio.gather(
        *(model.generate(PROMPT) for _ in range(calls)), return_exceptions=True
    )
    return answered(one if isinstance(one, BaseException) else one.completion for one in outcomes)


async def close() -> None:
    """Its client is closed with the process."""


main(run, close)
