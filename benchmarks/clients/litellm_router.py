"""litellm's Router with one deployment and 50 retries, a semaphore, and asyncio.gather over all calls."""

from __future__ import annotations

import logging

import litellm
from litellm import Router
from measured import PROMPT, gathered, main

litellm.suppress_debug_info = True
# a line for each 429 would be its cost too
logging.getLogger("LiteLLM Router").setLevel(logging.CRITICAL)
router: Router | None = None


async def run(base_url: str, calls: int, concurrency: int) -> int:
    global router  # noqa: PLW0603 - kept between the warm-up and the measured run, as a program would
    if router is None:
        whom = {"model": "openai/bench-model", "api_base": base_url, "api_key": "none"}
        router = Router([{"model_name": "bench", "litellm_params": whom}], num_retries=50)
    asked = router

    async def one() -> str | None:
        answer = await asked.acompletion("bench", [{"role": "user", "content": PROMPT}])
        return answer.choices[0].message.content

    return await gathered(one, calls, concurrency)


async def close() -> None:
    await litellm.close_litellm_async_clients()


main(run, close)
