"""async-batch-llm's one-liner, process_prompts, on its strategy for OpenAI-compatible servers."""

from __future__ import annotations

from async_batch_llm import llm, process_prompts
from measured import PROMPT, answered, main


async def run(base_url: str, calls: int, concurrency: int) -> int:
    strategy = llm("openai-compatible:bench-model", base_url=base_url, api_key="none")
    batch = await process_prompts(strategy, [PROMPT] * calls, concurrency=concurrency)
    return answered(
        result.output if result.success else RuntimeError(result.error) for result in batch.results
    )


async def close() -> None:
    """It closes what it opened."""


main(run, close)
