"""An executor says at once what it cannot do with what it is given."""

import functools

import pytest

from ingather import EchoProvider, Hedge, LLMResponse, LLMTask, ParallelLLMExecutor, RetryConfig
from ingather.errors import NotAnAnswer
from tests.run.stand_ins import Wire


class Bare:
    async def complete(self, messages, config_overrides=None):
        return LLMResponse("x")


def test_a_store_that_can_keep_nothing_of_this_provider_is_told_once_where_the_executor_is_made(
    tmp_path,
):
    with pytest.warns(UserWarning, match="store= has no effect on the answers of Bare") as told:
        executor = ParallelLLMExecutor(Bare(), store=tmp_path / "run.db")
    assert [warning.filename for warning in told] == [__file__]
    assert executor.max_concurrency == 5


def test_a_hedge_that_cannot_be_is_told_too():
    with pytest.warns(UserWarning, match="hedge= has no effect on EchoProvider"):
        ParallelLLMExecutor(EchoProvider(), hedge=Hedge())


def test_nothing_is_told_of_a_provider_that_can_be_stored(tmp_path, recwarn):
    ParallelLLMExecutor(Wire(), store=tmp_path / "run.db", hedge=Hedge())
    assert not recwarn.list


def test_a_class_in_place_of_a_provider_is_told():
    with pytest.raises(TypeError, match=r"write Bare\(…\)"):
        ParallelLLMExecutor(Bare)  # type: ignore[arg-type]


def test_a_complete_of_another_signature_is_told():
    class Other:
        async def complete(self, prompt):
            return LLMResponse(prompt)

    with pytest.raises(
        TypeError,
        match=r"Other\.complete must take \(messages, "
        r"config_overrides=None\)",
    ):
        ParallelLLMExecutor(Other())  # type: ignore[arg-type]


def test_a_complete_that_takes_anything_will_do():
    class Open:
        async def complete(self, *args, **kwargs):
            return LLMResponse("x")

    class Partial:
        complete = functools.partial(Bare().complete)

    for provider in (Open(), Partial()):
        assert ParallelLLMExecutor(provider).provider is provider


# -- what it answers


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            "text",
            r"Own\.complete returned a str \('text'\), not an LLMResponse: write `return LLMResponse\(text\)`",
        ),
        ({"content": "text"}, "returned a dict"),
        (None, "returned None, not an LLMResponse"),
        (["text"], "returned a list"),
        (b"text", "returned a bytes"),
        (42, "returned an int"),
        (True, "returned a bool"),
    ],
)
async def test_an_answer_that_is_none_says_what_came_and_what_to_write_and_stays(answer, words):
    class Own:
        calls = 0

        async def complete(self, messages, config_overrides=None):
            self.calls += 1
            return answer

    own = Own()
    [result] = await ParallelLLMExecutor(own).gather(["?"])
    with pytest.raises(NotAnAnswer, match=words):
        result.unwrap()
    assert isinstance(result.error, NotAnAnswer)
    assert result.error.answer == answer
    assert own.calls == 1


async def test_it_is_not_tried_again_whatever_the_policy():
    class Own:
        calls = 0

        async def complete(self, messages, config_overrides=None):
            self.calls += 1
            return "text"

    own = Own()
    await ParallelLLMExecutor(own, default_retry=RetryConfig(3, 0.0)).gather([LLMTask("?")])
    assert own.calls == 1


async def test_a_complete_that_is_not_async_is_told():
    class Own:
        def complete(self, messages, config_overrides=None):
            return LLMResponse("x")

    class Streams:
        async def complete(self, messages, config_overrides=None):
            yield "x"

    for provider in (Own(), Streams()):
        [result] = await ParallelLLMExecutor(provider).gather(["?"])
        assert isinstance(result.error, TypeError)
        assert "which cannot be awaited: write `async def complete(…)`" in str(result.error)


async def test_a_function_that_gives_an_awaitable_is_async_enough():
    class Own:
        def complete(self, messages, config_overrides=None):
            return Bare().complete(messages, config_overrides)

    [result] = await ParallelLLMExecutor(Own()).gather(["?"])
    assert str(result.value) == "x"
