"""What is tried again, how long anything may take, and what a result tells of it."""

import asyncio

from ingather import BackoffStrategy, EchoProvider, LLMTask, ParallelLLMExecutor, RetryConfig
from ingather.errors import BadRequest, Overloaded
from ingather.testing import ErrorResponse

careful = RetryConfig(
    max_attempts=4,
    initial_delay=0.05,
    backoff_strategy=BackoffStrategy.JITTER,
    on_retry=lambda attempt, error: print(f"  attempt {attempt} failed: {error}"),
)
insists_on_a_number = RetryConfig(
    3, 0.01, retry_on_result=lambda answer: not answer.content.isdigit()
)


async def show(title, provider, task, **options):
    print(title)
    [result] = await ParallelLLMExecutor(provider, **options).gather([task])
    failure = f"{type(result.error).__name__}: {result.error}"
    print(f"  {result.value.content if result.success else failure}")
    took = f"{result.duration_ms:.0f} ms, {result.backoff_ms:.0f} of them asleep"
    print(f"  {result.attempts} attempts, {took}\n")


async def main():
    busy = [ErrorResponse(Overloaded("busy")), ErrorResponse(Overloaded("busy")), "here you are"]
    await show(
        "A fault that passes is tried again:",
        EchoProvider(responses=busy),
        LLMTask("?", retry=careful),
    )

    refused = [ErrorResponse(BadRequest("no such parameter")), "never asked for"]
    await show(
        "A request that can never succeed is not:",
        EchoProvider(responses=refused),
        LLMTask("?", retry=careful),
    )

    chatty = EchoProvider(responses=["Well, ...", "I would say ...", "42"])
    await show(
        "An answer that is not good enough:",
        chatty,
        LLMTask("?"),
        default_retry=insists_on_a_number,
    )

    slow = EchoProvider().set_response_delay(60)
    await show("Each attempt has a timeout:", slow, LLMTask("?", timeout=0.05, retry=careful))
    await show("The whole task has a deadline, waiting included:", slow, LLMTask("?", deadline=0.2))
    await show("So has a whole run:", slow, LLMTask("?"), deadline=0.1)


if __name__ == "__main__":
    asyncio.run(main())
