import pytest

from ingather import EchoProvider, LLMResponse, LLMTask, ParallelLLMExecutor, RetryConfig
from ingather.providers.echo import ErrorResponse


async def received(defaults, own):
    provider = EchoProvider()
    executor = ParallelLLMExecutor(provider, default_config_overrides=defaults)
    [result] = await executor.gather([LLMTask("hello", own)])
    assert result.success
    return provider.get_call(0).config_overrides


@pytest.mark.parametrize(
    ("defaults", "own", "merged"),
    [
        (None, None, None),
        ({}, None, None),
        (None, {}, None),
        ({}, {}, None),
        ({"temperature": 0.1}, None, {"temperature": 0.1}),
        (None, {"temperature": 0.9}, {"temperature": 0.9}),
        ({"temperature": 0.1}, {"temperature": 0.9}, {"temperature": 0.9}),
        ({"temperature": 0.1}, {"temperature": None}, {"temperature": None}),
        (
            {"temperature": 0.1, "seed": 1},
            {"max_tokens": 5, "seed": 2},
            {"temperature": 0.1, "max_tokens": 5, "seed": 2},
        ),
        ({"options": {"a": 1}}, {"options": {"b": 2}}, {"options": {"b": 2}}),
    ],
)
async def test_the_tasks_parameters_go_over_the_executors_one_level_deep(defaults, own, merged):
    assert await received(defaults, own) == merged


async def test_neither_mapping_is_changed():
    defaults, own = {"temperature": 0.1}, {"seed": 2}
    await received(defaults, own)
    assert (defaults, own) == ({"temperature": 0.1}, {"seed": 2})


async def test_every_task_has_its_own_and_every_attempt_the_same():
    provider = EchoProvider(responses=[ErrorResponse(OSError("blip")), "one", "two"])
    retry = RetryConfig(max_attempts=2, initial_delay=0)
    executor = ParallelLLMExecutor(provider, 1, retry, {"model": "small"})
    await executor.execute_sequential([LLMTask("a", {"model": "big"}), LLMTask("b")])
    assert [call.config_overrides for call in provider.calls] == [
        {"model": "big"},
        {"model": "big"},
        {"model": "small"},
    ]


async def test_a_provider_that_changes_what_it_gets_spoils_nothing():
    seen = []

    class Greedy:
        async def complete(self, messages, config_overrides=None):
            seen.append(dict(config_overrides))
            config_overrides.clear()
            return LLMResponse("ok")

    defaults = {"temperature": 0.1}
    executor = ParallelLLMExecutor(Greedy(), default_config_overrides=defaults)
    task = LLMTask("a", {"seed": 1})
    await executor.gather([task, task])
    assert seen == [{"temperature": 0.1, "seed": 1}] * 2
    assert defaults == {"temperature": 0.1}
    assert task.config_overrides == {"seed": 1}
