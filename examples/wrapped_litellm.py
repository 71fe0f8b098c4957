"""litellm's `acompletion` as a provider, and with it every provider that litellm knows. Needs `pip install litellm`.

Its retries are off (`max_retries=0`, `num_retries=0`): a 429 pauses everybody for as long as the
server asks, and other faults are tried again by ingather's policy. litellm keeps the server's
headers beside the exception's response, not in it; the line in `except` puts them where every other
client has them.
"""

import asyncio
import os

# or it fetches its price list as it is imported
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
import litellm

from ingather import LLMResponse, LLMTask, ParallelLLMExecutor, RetryConfig, Usage
from ingather.testing import Simulator

litellm.suppress_debug_info = True


class Wrapped:
    retry = RetryConfig(max_attempts=3)

    def __init__(self, **settings):
        self.settings = {"max_retries": 0, "num_retries": 0, **settings}

    async def complete(self, messages, config_overrides=None):
        plain = [{"role": message.role, "content": message.content} for message in messages]
        try:
            answer = await litellm.acompletion(
                messages=plain, **{**self.settings, **(config_overrides or {})}
            )
        except litellm.exceptions.RateLimitError as error:
            error.response.headers.update(error.litellm_response_headers or {})
            raise
        choice, used = answer.choices[0], answer.usage
        usage = Usage(used.prompt_tokens, used.completion_tokens)
        return LLMResponse(choice.message.content or "", answer.model, choice.finish_reason, usage)


async def main():
    async with Simulator(latency=0.05, rpm=1200, burst=5) as server:
        provider = Wrapped(model="openai/any-model", api_base=server.base_url, api_key="none")
        executor = ParallelLLMExecutor(provider, max_concurrency=10)
        results = await executor.gather(LLMTask(f"What is {n} times {n}?") for n in range(30))
        await litellm.close_litellm_async_clients()
    answered, told_to_wait = sum(r.success for r in results), sum(r.rejected for r in results)
    tokens = sum(result.usage.total_tokens for result in results if result.usage)
    print(
        f"{answered} of {len(results)} answered; told to wait: {told_to_wait} times; {tokens} "
        f"tokens"
    )


if __name__ == "__main__":
    asyncio.run(main())
