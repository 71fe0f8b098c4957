"""The shortest way in: tasks by name, results by name. The echo provider needs no key and no network.

For a real model, replace the provider by its name, as in ParallelLLMExecutor("openai/gpt-4o-mini"),
and set its key.
"""

import asyncio

from ingather import EchoProvider, LLMTask, ParallelLLMExecutor
from ingather.testing import ErrorResponse


async def main():
    provider = EchoProvider().add_pattern_response(
        "verse", ErrorResponse(RuntimeError("the muse is out"))
    )
    executor = ParallelLLMExecutor(provider, max_concurrency=3)

    results = await executor.execute(
        {
            "title": LLMTask("Suggest a title for an essay on tides"),
            "opening": LLMTask("Write its first sentence"),
            "motto": LLMTask("Find a verse to put in front"),
        }
    )
    for tag, result in results.items():  # in the order of the input, whatever came back first
        if result.success:
            print(f"{tag}: {result.value.content}")
        else:
            print(f"{tag}: failed, {result.error}")  # and hurt no other

    answers = await executor.gather(LLMTask(f"What is {n} times {n}?") for n in range(1, 101))
    print(
        f"and {sum(answer.success for answer in answers)} more, the last of them "
        f"{answers[-1].value.content!r}"
    )


if __name__ == "__main__":
    asyncio.run(main())
