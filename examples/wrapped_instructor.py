"""An Instructor client that you have already, as a provider. Needs `pip install instructor`.

Its own retries are off, and so are the client's: a 429 then pauses everybody for as long as the
server asks, and an answer that does not fit is asked again by ingather's policy. What went wrong,
with its status and headers, is the cause of Instructor's exception, and is raised itself.
"""

import asyncio
import logging

from instructor import Mode, from_openai
from instructor.core import InstructorRetryException
from openai import AsyncOpenAI
from pydantic import BaseModel

from ingather import LLMResponse, LLMTask, ParallelLLMExecutor, RetryConfig
from ingather.testing import Simulator

logging.getLogger("instructor").setLevel(logging.CRITICAL)  # it logs each 429 as an error


class Person(BaseModel):
    name: str
    age: int


class Wrapped:
    retry = RetryConfig(max_attempts=3, initial_delay=0.1)

    def __init__(self, client, model):
        self.client, self.model = client, model
        self.defaults = {"model": model, "response_model": None}

    async def complete(self, messages, config_overrides=None):
        asked = [{"role": message.role, "content": message.content} for message in messages]
        try:
            value = await self.client.create(
                messages=asked, max_retries=0, **{**self.defaults, **(config_overrides or {})}
            )
        except InstructorRetryException as failed:
            raise failed.__cause__ or failed from None
        return LLMResponse(value.model_dump_json(), self.model, metadata={"value": value})


async def main():
    texts = [f"Person {n} is a {20 + n}-year-old cook called Ana." for n in range(30)]
    async with (
        Simulator(latency=0.05, rpm=1200, burst=5) as server,
        AsyncOpenAI(base_url=server.base_url, api_key="none", max_retries=0) as openai,
    ):
        client = from_openai(openai, mode=Mode.JSON_SCHEMA)
        executor = ParallelLLMExecutor(Wrapped(client, "any-model"), max_concurrency=10)
        results = await executor.gather(LLMTask(text, {"response_model": Person}) for text in texts)
    print(f"{sum(r.success for r in results)} of {len(results)} answered", end="; ")
    print(f"told to wait: {sum(r.rejected for r in results)} times")
    print(f"the first: {results[0].unwrap().metadata['value']!r}")


if __name__ == "__main__":
    asyncio.run(main())
