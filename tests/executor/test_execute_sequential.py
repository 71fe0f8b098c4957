import asyncio
from types import SimpleNamespace

import pytest

from ingather import (
    DeterministicTask,
    EchoProvider,
    LLMMessage,
    LLMTask,
    ParallelLLMExecutor,
    RetryConfig,
)
from ingather.errors import AuthFailed, DeadlineExceeded
from ingather.providers.echo import ErrorResponse
from ingather.task import Task
from tests.executor.stand_ins import Raising, Sleeper


def chat(call):
    return [(message.role, message.content) for message in call.messages]


@pytest.mark.looptime
async def test_steps_run_one_after_another_and_come_back_in_order():
    provider = Sleeper()
    results = await ParallelLLMExecutor(provider, max_concurrency=5).execute_sequential(
        [LLMTask("3"), LLMTask("1"), LLMTask("2")]
    )
    assert provider.begun == [("3", 0.0), ("1", 3.0), ("2", 4.0)]
    assert [result.value.content for result in results] == ["3", "1", "2"]
    assert [result.index for result in results] == [0, 1, 2]


async def test_no_steps_give_no_results():
    assert await ParallelLLMExecutor(EchoProvider()).execute_sequential([]) == []


async def test_untagged_steps_are_tagged_by_their_place():
    tasks = [LLMTask("a"), LLMTask("b", tag="named"), LLMTask("c")]
    results = await ParallelLLMExecutor(EchoProvider()).execute_sequential(tasks)
    assert [result.tag for result in results] == ["step_0", "named", "step_2"]
    assert [task.tag for task in tasks] == ["", "named", ""]
    assert [result.task for result in results] == tasks


async def test_equal_tags_are_no_clash():
    results = await ParallelLLMExecutor(EchoProvider()).execute_sequential(
        [LLMTask("a", tag="x"), LLMTask("b", tag="x")]
    )
    assert [result.value.content for result in results] == ["Echo: a", "Echo: b"]


async def test_without_pass_result_each_step_sees_its_own_messages_only():
    provider = EchoProvider(responses=["one", "two"])
    await ParallelLLMExecutor(provider).execute_sequential([LLMTask("a"), LLMTask("b")])
    assert [chat(call) for call in provider.calls] == [[("user", "a")], [("user", "b")]]


async def test_pass_result_appends_the_answer_before_as_an_assistant_message():
    provider = EchoProvider(responses=["draft", "better", "best"])
    tasks = [
        LLMTask("write"),
        LLMTask("improve"),
        LLMTask([LLMMessage("system", "s"), LLMMessage("user", "polish")]),
    ]
    results = await ParallelLLMExecutor(provider).execute_sequential(tasks, pass_result=True)
    assert [chat(call) for call in provider.calls] == [
        [("user", "write")],
        [("user", "improve"), ("assistant", "draft")],
        [("system", "s"), ("user", "polish"), ("assistant", "better")],
    ]
    assert [result.value.content for result in results] == ["draft", "better", "best"]


async def test_conversation_puts_the_answer_before_the_last_user_message():
    provider = EchoProvider(responses=["draft", "better"])
    second = LLMTask(
        [
            LLMMessage("system", "s"),
            LLMMessage("user", "x"),
            LLMMessage("assistant", "y"),
            LLMMessage("user", "z"),
        ]
    )
    await ParallelLLMExecutor(provider).execute_sequential(
        [LLMTask("write"), second], pass_result="conversation"
    )
    assert chat(provider.calls[1]) == [
        ("system", "s"),
        ("user", "x"),
        ("assistant", "y"),
        ("assistant", "draft"),
        ("user", "z"),
    ]


async def test_conversation_appends_where_there_is_no_user_message():
    provider = EchoProvider(responses=["draft", "better"])
    tasks = [LLMTask("write"), LLMTask([LLMMessage("system", "go on")])]
    await ParallelLLMExecutor(provider).execute_sequential(tasks, pass_result="conversation")
    assert chat(provider.calls[1]) == [("system", "go on"), ("assistant", "draft")]


@pytest.mark.parametrize("pass_result", [True, "conversation"])
async def test_the_tasks_themselves_are_left_as_they_are(pass_result):
    tasks = [LLMTask("write"), LLMTask("improve")]
    before = [list(task.messages) for task in tasks]
    results = await ParallelLLMExecutor(EchoProvider()).execute_sequential(
        tasks, pass_result=pass_result
    )
    assert [task.messages for task in tasks] == before
    assert results[1].task is tasks[1]


async def test_after_a_failed_step_the_next_one_runs_without_an_answer():
    provider = EchoProvider(responses=["one", ErrorResponse(RuntimeError("down")), "three", "four"])
    tasks = [LLMTask(word) for word in ("a", "b", "c", "d")]
    results = await ParallelLLMExecutor(provider).execute_sequential(tasks, pass_result=True)
    assert [result.success for result in results] == [True, False, True, True]
    assert [chat(call) for call in provider.calls[2:]] == [
        [("user", "c")],
        [("user", "d"), ("assistant", "three")],
    ]


async def test_only_the_step_just_before_is_passed_on():
    provider = EchoProvider(responses=["one", "two", "three"])
    await ParallelLLMExecutor(provider).execute_sequential(
        [LLMTask("a"), LLMTask("b"), LLMTask("c")], pass_result=True
    )
    assert chat(provider.calls[2]) == [("user", "c"), ("assistant", "two")]


@pytest.mark.looptime
async def test_a_step_that_is_passed_an_answer_keeps_its_own_terms():
    provider = EchoProvider(
        responses=[
            "draft",
            ErrorResponse(RuntimeError("once")),
            ErrorResponse(RuntimeError("twice")),
            "better",
        ]
    )
    second = LLMTask(
        "improve", {"temperature": 0.5}, RetryConfig(max_attempts=3, initial_delay=1), "second"
    )
    results = await ParallelLLMExecutor(provider).execute_sequential(
        [LLMTask("write"), second], pass_result=True
    )
    assert results[1].tag == "second"
    assert results[1].attempts == 3
    assert [call.config_overrides for call in provider.calls[1:]] == [{"temperature": 0.5}] * 3
    assert {tuple(chat(call)) for call in provider.calls[1:]} == {
        (("user", "improve"), ("assistant", "draft"))
    }


@pytest.mark.looptime
@pytest.mark.parametrize("limits", [{"timeout": 2.0}, {"deadline": 2.0}])
async def test_a_step_that_is_passed_an_answer_keeps_its_time_limits(limits):
    tasks = [LLMTask("1"), LLMTask("2", **limits)]
    provider = EchoProvider().set_response_delay(1.5)
    results = await ParallelLLMExecutor(provider).execute_sequential(tasks, pass_result=True)
    assert [result.success for result in results] == [True, True]
    provider.set_response_delay(2.5)
    results = await ParallelLLMExecutor(provider).execute_sequential(tasks, pass_result=True)
    assert [result.success for result in results] == [True, False]
    assert isinstance(results[1].error, TimeoutError)


async def test_functions_may_be_steps_and_pass_nothing_on():
    provider = EchoProvider(responses=["one", "two"])
    tasks: list[Task] = [LLMTask("a"), DeterministicTask(lambda: "from code"), LLMTask("b")]
    results = await ParallelLLMExecutor(provider).execute_sequential(tasks, pass_result=True)
    assert [result.tag for result in results] == ["step_0", "step_1", "step_2"]
    assert results[1].value == "from code"
    assert chat(provider.calls[1]) == [("user", "b")]


@pytest.mark.parametrize("answer", [SimpleNamespace(text="no content"), object()])
async def test_an_answer_without_content_is_not_passed_on(answer):
    seen = []

    class Bare:
        async def complete(self, messages, config_overrides=None):
            seen.append([(message.role, message.content) for message in messages])
            return answer

    results = await ParallelLLMExecutor(Bare()).execute_sequential(
        [LLMTask("a"), LLMTask("b")], pass_result=True
    )
    assert [result.value for result in results] == [answer, answer]
    assert seen[-1] == [("user", "b")]


@pytest.mark.parametrize("pass_result", ["yes", "assistant", 2, None])
async def test_another_pass_result_raises(pass_result):
    provider = EchoProvider()
    with pytest.raises(ValueError, match="pass_result"):
        await ParallelLLMExecutor(provider).execute_sequential(
            [LLMTask("a")], pass_result=pass_result
        )
    assert provider.call_count == 0


@pytest.mark.looptime
async def test_the_deadline_of_a_run_is_for_all_steps_together():
    provider = Sleeper()
    results = await ParallelLLMExecutor(provider, deadline=5).execute_sequential(
        [LLMTask("2") for _ in range(4)]
    )
    assert [result.success for result in results] == [True, True, False, False]
    assert [type(result.error) for result in results[2:]] == [DeadlineExceeded, DeadlineExceeded]
    assert asyncio.get_running_loop().time() == pytest.approx(5.0)
    assert provider.prompts == ["2", "2", "2"]


async def test_a_wrong_key_is_tried_once_not_once_a_step():
    provider = Raising(*[AuthFailed("wrong key") for _ in range(3)])
    results = await ParallelLLMExecutor(provider).execute_sequential(
        [LLMTask(str(i)) for i in range(3)]
    )
    assert [type(result.error) for result in results] == [AuthFailed] * 3
    assert provider.calls == 1


@pytest.mark.looptime
async def test_a_sequence_takes_a_slot_like_any_other_call():
    provider = Sleeper()
    executor = ParallelLLMExecutor(provider, max_concurrency=1)
    await asyncio.gather(
        executor.execute_sequential([LLMTask("1") for _ in range(3)]),
        executor.gather([LLMTask("1") for _ in range(3)]),
    )
    assert provider.peak == 1
