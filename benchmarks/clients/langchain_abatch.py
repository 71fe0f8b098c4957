"""LangChain's own way: ChatOpenAI.abatch with max_concurrency; exceptions come back as values."""

from __future__ import annotations

from langchain_openai import ChatOpenAI
from measured import PROMPT, answered, main

model: ChatOpenAI | None = None


async def run(base_url: str, calls: int, concurrency: int) -> int:
    global model  # noqa: PLW0603 - kept between the warm-up and the measured run, as a program would
    if model is None:
        model = ChatOpenAI(model="bench-model", base_url=base_url, api_key="none")
    config = {"max_concurrency": concurrency}
    outcomes = await model.abatch([PROMPT] * calls, config, return_exceptions=True)
    return answered(one if isinstance(one, Exception) else one.text for one in outcomes)


async def close() -> None:
    """It has nothing to close."""


main(run, close)
