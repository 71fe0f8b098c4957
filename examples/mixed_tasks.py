"""Calls to a model and functions of your own, side by side under one bound."""

import asyncio
import hashlib
import time
from contextvars import ContextVar

from ingather import DeterministicTask, EchoProvider, LLMTask, ParallelLLMExecutor

user = ContextVar("user")


def fingerprint(text, algorithm="sha256"):
    """A sync function: it runs in a thread, so it may take its time, and it sees the caller's context variables."""
    time.sleep(0.05)
    return f"{hashlib.new(algorithm, text.encode()).hexdigest()[:12]} for {user.get()}"


async def fetch(record):
    """An async function is awaited on the loop."""
    await asyncio.sleep(0.05)
    return {"record": record, "status": "found"}


async def main():
    user.set("ana")
    executor = ParallelLLMExecutor(EchoProvider(), max_concurrency=4)
    results = await executor.execute_mixed(
        {
            "summary": LLMTask("Summarise record 17"),
            "record": DeterministicTask(fetch, args=(17,)),
            "fingerprint": DeterministicTask(
                fingerprint, args=("record 17",), kwargs={"algorithm": "sha1"}
            ),
            "broken": DeterministicTask(lambda: 1 / 0),
        }
    )
    print("summary      ", results.pop("summary").unwrap().content)
    for tag, result in results.items():
        print(
            f"{tag:<13} {result.value if result.success else repr(result.error)}, "
            f"{result.duration_ms:.1f} ms"
        )

    steps = [
        LLMTask("Draft a haiku on rain"),
        LLMTask("Make it colder"),
        LLMTask("Now without the word rain"),
    ]
    for result in await executor.execute_sequential(steps, pass_result="conversation"):
        roles = " + ".join(
            message.role for message in executor.provider.get_call(result.index + 1).messages
        )
        print(f"{result.tag}: sent {roles}, got {result.value.content!r}")


if __name__ == "__main__":
    asyncio.run(main())
