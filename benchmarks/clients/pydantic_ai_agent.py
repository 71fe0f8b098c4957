"""A pydantic-ai Agent on its OpenAI chat model, a semaphore, and asyncio.gather over all runs."""

from __future__ import annotations

from measured import PROMPT, gathered, main
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

agent: Agent | None = None


async def run(base_url: str, calls: int, concurrency: int) -> int:
    global agent  # noqa: PLW0603 - kept between the warm-up and the measured run, as a program would
    if agent is None:
        provider = OpenAIProvider(base_url=base_url, api_key="none")
        agent = Agent(OpenAIChatModel("bench-model", provider=provider))
    asked = agent

    async def one() -> str:
        return (await asked.run(PROMPT)).output

    return await gathered(one, calls, concurrency)


async def close() -> None:
    """Its client is closed with the process."""


main(run, close)
