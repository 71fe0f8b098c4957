import asyncio
from collections import OrderedDict
from types import MappingProxyType

import pytest

from ingather import EchoProvider, LLMMessage, LLMResponse, LLMTask, ParallelLLMExecutor, TaskResult
from ingather.providers.echo import ErrorResponse
from tests.executor.stand_ins import Sleeper


async def test_an_empty_dict_gives_an_empty_dict():
    assert await ParallelLLMExecutor(EchoProvider()).execute({}) == {}


async def test_each_key_gets_its_own_answer():
    results = await ParallelLLMExecutor(EchoProvider()).execute(
        {name: LLMTask(name) for name in ("sea", "sky", "sun")}
    )
    assert type(results) is dict
    assert {key: result.value.content for key, result in results.items()} == {
        "sea": "Echo: sea",
        "sky": "Echo: sky",
        "sun": "Echo: sun",
    }


@pytest.mark.looptime
async def test_keys_keep_the_order_of_the_input_whatever_finishes_first():
    provider = Sleeper()
    results = await ParallelLLMExecutor(provider).execute(
        {"slow": LLMTask("3"), "swift": LLMTask("1"), "mid": LLMTask("2")}
    )
    assert provider.answered == ["1", "2", "3"]
    assert list(results) == ["slow", "swift", "mid"]
    assert [result.value.content for result in results.values()] == ["3", "1", "2"]


async def test_the_value_is_the_response_itself():
    answer = LLMResponse("Paris", model="m", metadata={"seen": 1})
    results = await ParallelLLMExecutor(EchoProvider(responses=[answer])).execute(
        {"capital": LLMTask("of France?")}
    )
    assert isinstance(results["capital"], TaskResult)
    assert results["capital"].success is True
    assert results["capital"].error is None
    assert results["capital"].value is answer
    assert results["capital"].response is answer


async def test_the_tag_is_the_key_and_the_task_is_left_as_it_is():
    untagged, tagged = LLMTask("one"), LLMTask("two", tag="mine")
    results = await ParallelLLMExecutor(EchoProvider()).execute(
        {"first": untagged, "second": tagged}
    )
    assert [(result.tag, result.index) for result in results.values()] == [
        ("first", 0),
        ("second", 1),
    ]
    assert (untagged.tag, tagged.tag) == ("", "mine")
    assert results["second"].task is tagged


async def test_one_task_may_stand_under_two_keys():
    task = LLMTask("twice")
    results = await ParallelLLMExecutor(provider := EchoProvider()).execute({"a": task, "b": task})
    assert provider.call_count == 2
    assert [result.tag for result in results.values()] == ["a", "b"]


@pytest.mark.parametrize("kind", [OrderedDict, MappingProxyType])
async def test_any_mapping_is_a_dict_of_tasks(kind):
    results = await ParallelLLMExecutor(EchoProvider()).execute(kind({"a": LLMTask("hello")}))
    assert results["a"].success


async def test_a_failure_hurts_no_other_task():
    down = RuntimeError("down")
    provider = EchoProvider().add_pattern_response("bad", ErrorResponse(down))
    results = await ParallelLLMExecutor(provider).execute(
        {"before": LLMTask("good"), "broken": LLMTask("bad"), "after": LLMTask("fine")}
    )
    assert [result.success for result in results.values()] == [True, False, True]
    assert results["broken"].error is down
    assert results["broken"].value is None


@pytest.mark.parametrize(
    "answer",
    [
        LLMResponse(""),
        LLMResponse("half an ans", finish_reason="length"),
        LLMResponse("I cannot help", finish_reason="refusal"),
        LLMResponse("", finish_reason="content_filter"),
    ],
    ids=lambda answer: answer.finish_reason + (":" if answer.content else ":empty"),
)
async def test_the_answer_of_a_provider_of_your_own_is_taken_as_it_is(answer):
    results = await ParallelLLMExecutor(EchoProvider(responses=[answer])).execute(
        {"a": LLMTask("?")}
    )
    assert results["a"].success
    assert results["a"].value is answer


async def test_messages_arrive_whole_and_in_order():
    provider = EchoProvider()
    messages: list[LLMMessage | dict[str, object]] = [
        LLMMessage("system", "Be brief."),
        {"role": "user", "content": "Hi", "name": "ana"},
        LLMMessage("assistant", "Hello."),
        LLMMessage("user", "Bye"),
    ]
    await ParallelLLMExecutor(provider).execute({"chat": LLMTask(messages)})
    seen = provider.get_call(0).messages
    assert [(m.role, m.content, m.name) for m in seen] == [
        ("system", "Be brief.", None),
        ("user", "Hi", "ana"),
        ("assistant", "Hello.", None),
        ("user", "Bye", None),
    ]


@pytest.mark.looptime
async def test_no_more_than_max_concurrency_are_in_flight_and_no_fewer():
    provider = Sleeper()
    await ParallelLLMExecutor(provider, max_concurrency=3).execute(
        {str(i): LLMTask("1") for i in range(9)}
    )
    assert provider.peak == 3
    assert asyncio.get_running_loop().time() == pytest.approx(3.0)


@pytest.mark.looptime
async def test_the_bound_belongs_to_the_executor_not_to_the_call():
    provider = Sleeper()
    executor = ParallelLLMExecutor(provider, max_concurrency=3)
    calls = (executor.execute({str(i): LLMTask("1") for i in range(6)}) for _ in range(4))
    assert [len(results) for results in await asyncio.gather(*calls)] == [6, 6, 6, 6]
    assert provider.peak == 3
    assert asyncio.get_running_loop().time() == pytest.approx(8.0)


@pytest.mark.looptime
async def test_two_executors_have_a_bound_each():
    provider = Sleeper()
    executors = [ParallelLLMExecutor(provider, max_concurrency=2) for _ in range(2)]
    await asyncio.gather(
        *(executor.gather(LLMTask("1") for _ in range(4)) for executor in executors)
    )
    assert provider.peak == 4


@pytest.mark.parametrize("tasks", [[LLMTask("a")], (LLMTask("a"),), LLMTask("a"), iter([]), None])
@pytest.mark.parametrize("method", ["execute", "execute_mixed"])
async def test_anything_but_a_dict_is_a_type_error_that_names_gather(tasks, method):
    with pytest.raises(TypeError, match="gather"):
        await getattr(ParallelLLMExecutor(EchoProvider()), method)(tasks)


async def test_an_executor_is_used_again_and_again():
    executor = ParallelLLMExecutor(EchoProvider(), max_concurrency=1)
    for word in ("one", "two", "three"):
        results = await executor.execute({"a": LLMTask(word), "b": LLMTask(word)})
        assert [result.value.content for result in results.values()] == [f"Echo: {word}"] * 2


def test_an_executor_is_used_from_one_event_loop_after_another():
    executor = ParallelLLMExecutor(EchoProvider(), max_concurrency=2)
    for _ in range(3):
        results = asyncio.run(executor.execute({str(i): LLMTask("hello") for i in range(5)}))
        assert all(result.success for result in results.values())


async def test_leaving_async_with_cancels_what_is_in_flight_and_waits_for_it():
    begun, ended = asyncio.Event(), asyncio.Event()

    class Endless:
        async def complete(self, messages, config_overrides=None):
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                ended.set()

    async with ParallelLLMExecutor(Endless()) as executor:
        running = asyncio.create_task(executor.execute({"a": LLMTask("?")}))
        await begun.wait()
    assert ended.is_set()
    results = await running
    assert not results["a"].success
