"""dataknobs-llm's ParallelLLMExecutor on its OpenAI provider, as its page shows it: no retry policy given."""

from __future__ import annotations

from dataknobs_llm import LLMMessage, LLMTask, ParallelLLMExecutor
from dataknobs_llm.llm import LLMConfig, create_llm_provider
from measured import PROMPT, answered, main

provider = None


async def run(base_url: str, calls: int, concurrency: int) -> int:
    global provider  # noqa: PLW0603 - kept between the warm-up and the measured run, as a program would
    if provider is None:
        provider = create_llm_provider(
            LLMConfig(provider="openai", model="bench-model", api_key="none", api_base=base_url)
        )
        await provider.initialize()
    executor = ParallelLLMExecutor(provider, max_concurrency=concurrency)
    tasks = {
        str(n): LLMTask(messages=[LLMMessage(role="user", content=PROMPT)]) for n in range(calls)
    }
    results = await executor.execute(tasks)
    return answered(
        result.value.content if result.success else result.error for result in results.values()
    )


async def close() -> None:
    if provider is not None:
        await provider.close()


main(run, close)
