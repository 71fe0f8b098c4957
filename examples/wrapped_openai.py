"""An AsyncOpenAI client that you have already, as a provider: one method is all it takes.

The client's own retries are off (`max_retries=0`): one owner of retries is enough, and here a 429
makes everybody wait as long as the server asks, not each call for itself. The simulator lets 20
calls a second in, and tells nobody beforehand.
"""

import asyncio

from openai import AsyncOpenAI

from ingather import LLMResponse, LLMTask, ParallelLLMExecutor, RetryConfig, Usage
from ingather.testing import Simulator


class Wrapped:
    # optional: a response_model goes along as `response_format`, not in the prompt
    schema_mode = "native"
    retry = RetryConfig(max_attempts=3)  # optional: of what is no 429

    def __init__(self, client, model):
        self.client, self.model = client, model

    async def complete(self, messages, config_overrides=None):
        answer = await self.client.chat.completions.create(
            messages=[{"role": message.role, "content": message.content} for message in messages],
            **{"model": self.model, **(config_overrides or {})},
        )
        choice, used = answer.choices[0], answer.usage
        usage = Usage(used.prompt_tokens, used.completion_tokens) if used else None
        return LLMResponse(choice.message.content or "", answer.model, choice.finish_reason, usage)


async def main():
    async with (
        Simulator(latency=0.05, rpm=1200, burst=5) as server,
        AsyncOpenAI(base_url=server.base_url, api_key="none", max_retries=0) as client,
    ):
        executor = ParallelLLMExecutor(Wrapped(client, "any-model"), max_concurrency=10)
        results = await executor.gather(LLMTask(f"What is {n} times {n}?") for n in range(40))
        answered, told_to_wait = sum(r.success for r in results), sum(r.rejected for r in results)
        tokens = sum(result.usage.total_tokens for result in results if result.usage)
        print(
            f"{answered} of {len(results)} answered; told to wait: {told_to_wait} times; "
            f"{tokens} tokens"
        )

        [count] = await executor.gather(
            [LLMTask("Lars is 52 years old. How old is he?", response_model=int)]
        )
        print(f"as a number: {count.unwrap()}")


if __name__ == "__main__":
    asyncio.run(main())
