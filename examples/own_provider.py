"""Any object with `complete` is a provider: a client that you have already, a local model, a rule.

What it raises fails that one task. If the exception carries `status_code` and `response.headers`,
as those of the usual clients do, it is understood: here a 429 makes everybody wait as long as it
asks, and costs no attempt.
"""

import asyncio
from types import SimpleNamespace

from ingather import Limits, LLMResponse, LLMTask, ParallelLLMExecutor, RetryConfig


class TooManyRequests(Exception):
    """What an HTTP client might raise."""

    status_code = 429
    response = SimpleNamespace(headers={"Retry-After": "0.2"})


class Shouting:
    # optional: for tasks and executors without a policy of their own
    retry = RetryConfig(max_attempts=2)
    limits = Limits(max_concurrency=2)  # optional: over all executors that use this object

    def __init__(self):
        self.calls = 0

    async def complete(self, messages, config_overrides=None):
        self.calls += 1
        if self.calls == 3:
            raise TooManyRequests("slow down")
        await asyncio.sleep(0.02)
        ending = (config_overrides or {}).get("ending", "!")
        return LLMResponse(messages[-1].content.upper() + ending)


async def main():
    executor = ParallelLLMExecutor(Shouting(), default_config_overrides={"ending": "!!"})
    words = ["good morning", "is anybody there", "hello"]
    tasks = [*(LLMTask(word) for word in words), LLMTask("fine", {"ending": "."})]
    async with executor.as_completed(tasks) as results:
        async for result in results:
            print(
                f"{result.value.content:<22} attempts: {result.attempts}, of them told to wait: "
                f"{result.rejected}"
            )


if __name__ == "__main__":
    asyncio.run(main())
