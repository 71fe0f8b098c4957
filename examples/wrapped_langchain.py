"""A LangChain chat model as a provider. Needs `pip install langchain-openai`.

Any chat model will do; its own retries are off (`max_retries=0`), so that a 429 pauses everybody
for as long as the server asks, and other faults are tried again by ingather's policy. A chain
(`prompt | model | parser`) is wrapped in the same way: whatever has `ainvoke`.
"""

import asyncio

from langchain_openai import ChatOpenAI

from ingather import LLMResponse, LLMTask, ParallelLLMExecutor, RetryConfig, Usage
from ingather.testing import Simulator


class Wrapped:
    retry = RetryConfig(max_attempts=3)

    def __init__(self, model):
        self.model = model

    async def complete(self, messages, config_overrides=None):
        plain = [{"role": message.role, "content": message.content} for message in messages]
        answer = await self.model.ainvoke(plain, **(config_overrides or {}))
        used, about = answer.usage_metadata, answer.response_metadata
        usage = Usage(used["input_tokens"], used["output_tokens"]) if used else None
        return LLMResponse(
            answer.text, about.get("model_name", ""), about.get("finish_reason"), usage
        )


async def main():
    async with Simulator(latency=0.05, rpm=1200, burst=5) as server:
        model = ChatOpenAI(
            model="any-model", base_url=server.base_url, api_key="none", max_retries=0
        )
        executor = ParallelLLMExecutor(Wrapped(model), max_concurrency=10)
        results = await executor.gather(LLMTask(f"What is {n} times {n}?") for n in range(30))
    answered, told_to_wait = sum(r.success for r in results), sum(r.rejected for r in results)
    tokens = sum(result.usage.total_tokens for result in results if result.usage)
    print(
        f"{answered} of {len(results)} answered; told to wait: {told_to_wait} times; {tokens} "
        f"tokens"
    )


if __name__ == "__main__":
    asyncio.run(main())
