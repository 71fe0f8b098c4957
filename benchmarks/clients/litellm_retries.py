"""As `litellm_gather.py`, with the retries that its documents show."""

from __future__ import annotations

import litellm
from measured import PROMPT, gathered, main

litellm.suppress_debug_info = True


async def run(base_url: str, calls: int, concurrency: int) -> int:
    async def one() -> str | None:
        answer = await litellm.acompletion(
            model="openai/bench-model",
            api_base=base_url,
            api_key="none",
            messages=[{"role": "user", "content": PROMPT}],
            num_retries=3,
        )
        return answer.choices[0].message.content

    return await gathered(one, calls, concurrency)


async def close() -> None:
    await litellm.close_litellm_async_clients()


main(run, close)
