import math

import pytest

from ingather import EchoProvider, Limits, LLMResponse, LLMTask, ParallelLLMExecutor
from ingather.errors import SetupError


@pytest.mark.parametrize("bad", [0, -1, -5, True, False, 2.0, 2.5, "5", math.inf, math.nan, [5]])
def test_a_max_concurrency_that_is_no_positive_whole_number_raises(bad):
    with pytest.raises(ValueError, match="max_concurrency"):
        ParallelLLMExecutor(EchoProvider(), max_concurrency=bad)


@pytest.mark.parametrize("good", [1, 5, 100_000])
def test_a_positive_whole_number_is_taken(good):
    assert ParallelLLMExecutor(EchoProvider(), good).max_concurrency == good


def test_the_defaults_are_the_seeds():
    executor = ParallelLLMExecutor(EchoProvider())
    assert executor.max_concurrency == 5


@pytest.mark.parametrize(
    ("limits", "slots"), [(None, 1000), (Limits(), 1000), (Limits(max_concurrency=7), 7)]
)
def test_none_is_as_many_as_the_provider_takes(limits, slots):
    assert (
        ParallelLLMExecutor(EchoProvider(limits=limits), max_concurrency=None).max_concurrency
        == slots
    )


@pytest.mark.parametrize("name", ["default_per_task_timeout", "deadline"])
@pytest.mark.parametrize("bad", [0, -1, math.inf, math.nan])
def test_a_time_that_is_not_positive_raises(name, bad):
    with pytest.raises(ValueError, match=name):
        ParallelLLMExecutor(EchoProvider(), **{name: bad})


async def test_a_model_string_is_connected():
    async with ParallelLLMExecutor("echo") as executor:
        [result] = await executor.gather([LLMTask("hello")])
    assert result.value.content == "Echo: hello"


def test_a_model_string_that_names_nothing_raises_and_says_what_to_write():
    with pytest.raises(SetupError, match="openai/"):
        ParallelLLMExecutor("gpt-4o-mini")


@pytest.mark.parametrize("bad", [None, object(), 42, lambda messages: "hi"])
def test_a_provider_without_complete_raises_and_says_what_one_is(bad):
    with pytest.raises(TypeError, match="complete"):
        ParallelLLMExecutor(bad)


async def test_any_object_with_complete_is_a_provider():
    class Shouting:
        async def complete(self, messages, config_overrides=None):
            return LLMResponse(messages[-1].content.upper())

    [result] = await ParallelLLMExecutor(Shouting()).gather([LLMTask("hello")])
    assert result.value.content == "HELLO"


async def test_a_provider_that_can_neither_be_hashed_nor_weakly_referred_to_will_do():
    class Awkward:
        __slots__ = ()
        __hash__ = None  # type: ignore[assignment]

        def __eq__(self, other):
            return False

        async def complete(self, messages, config_overrides=None):
            return LLMResponse("ok")

    [result] = await ParallelLLMExecutor(Awkward()).gather([LLMTask("hello")])
    assert result.success


async def test_the_order_of_the_positional_arguments_is_the_seeds():
    provider = EchoProvider()
    executor = ParallelLLMExecutor(provider, 2, None, {"temperature": 0.1})
    await executor.gather([LLMTask("hello")])
    assert provider.get_call(0).config_overrides == {"temperature": 0.1}


@pytest.mark.parametrize(
    "option", ["fail_fast", "default_per_task_timeout", "deadline", "on_event"]
)
def test_what_the_seed_has_not_is_by_name_only(option):
    with pytest.raises(TypeError):
        ParallelLLMExecutor(EchoProvider(), 5, None, None, option)  # type: ignore[call-arg]


async def test_a_repr_shows_the_state():
    executor = ParallelLLMExecutor(EchoProvider(), max_concurrency=3)
    assert "0 of 3" in repr(executor)
    results = executor.as_completed([LLMTask("a"), LLMTask("b")])
    await anext(results)
    assert "1 runs" in repr(executor)
    await results.aclose()
    assert "0 runs" in repr(executor)
