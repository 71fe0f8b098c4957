"""Only whole answers are stored, and only whole ones are given again."""

import pytest

from ingather import LLMResponse, LLMTask, ParallelLLMExecutor, connect
from ingather.admission.permit import Slots
from ingather.admission.quotas import Quotas
from ingather.engine.context import Context
from ingather.errors import EmptyAnswer
from ingather.store.key import Key
from tests.servers.raw import RawServer, answer, completion

BAD_ENDS = [
    "length",
    "MAX_TOKENS",
    "error",
    "SAFETY",
    "content_filter",
    "malformed_function_call",
    "bored",
    "OTHER",
]
BAD = [*[LLMResponse("half", finish_reason=reason) for reason in BAD_ENDS], LLMResponse(""), LLMResponse(" \n"),
       LLMResponse("<think>Hm.</think>"), LLMResponse("", metadata={"reasoning": "Hm."})]  # fmt: skip
GOOD = [LLMResponse("x"), LLMResponse("x", finish_reason=None), LLMResponse("x", finish_reason="eos_token"),
        LLMResponse("", finish_reason="tool_calls", tool_calls=[{"id": "c"}])]  # fmt: skip


@pytest.mark.parametrize("response", BAD)
async def test_an_answer_that_is_not_whole_is_not_stored(executor_of, response):
    executor = executor_of(lambda prompt, number: response)
    for _ in range(2):
        (result,) = await executor.gather([LLMTask("a")])
        assert not result.cached
    assert len(executor.wire.ledger) == 2


@pytest.mark.parametrize("response", BAD)
async def test_one_that_an_older_version_stored_is_not_given_again(executor_of, store, response):
    executor = executor_of(lambda prompt, number: LLMResponse("whole"))
    context = Context(executor.wire, Slots(1), Quotas())
    request = context.question(LLMTask("a")).on(context.route).request
    assert request is not None
    await store.keep(Key(request), response)
    (result,) = await executor.gather([LLMTask("a")])
    assert (result.value.content, result.cached) == ("whole", False)
    (again,) = await executor.gather([LLMTask("a")])
    assert (again.value.content, again.cached) == ("whole", True)


@pytest.mark.parametrize("response", GOOD)
async def test_a_whole_one_is(executor_of, response):
    executor = executor_of(lambda prompt, number: response)
    (first,), (again,) = [await executor.gather([LLMTask("a")]) for _ in range(2)]
    assert (first.cached, again.cached) == (False, True)


async def test_an_empty_answer_over_http_is_asked_twice_and_not_stored(store):
    async with (
        RawServer(answer(completion(""))) as server,
        ParallelLLMExecutor(connect("openai/m", base_url=server.base_url), store=store) as executor,
    ):
        (result,) = await executor.gather([LLMTask("a")])
        assert type(result.error) is EmptyAnswer
        assert (result.attempts, len(server.requests)) == (2, 2)
        server.reply = answer(completion("Paris"))
        (again,) = await executor.gather([LLMTask("a")])
    assert (again.value.content, again.cached, len(server.requests)) == ("Paris", False, 3)
