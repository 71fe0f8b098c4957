import logging

import pytest

from ingather import DeterministicTask, EchoProvider, LLMTask, ParallelLLMExecutor, RetryConfig
from ingather.errors import BadRequest
from tests.executor.stand_ins import Raising, Sleeper

KEY = "sk-canary-0123456789abcdef"


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.DEBUG, "ingather")
    return caplog


def at(log, level):
    return [
        record.getMessage()
        for record in log.records
        if record.name == "ingather" and record.levelno == level
    ]


@pytest.mark.looptime
async def test_the_summary_is_said_once_at_info(log):
    await ParallelLLMExecutor(Sleeper()).gather([LLMTask("1"), LLMTask("2"), LLMTask("1 fails")])
    [summary] = at(log, logging.INFO)
    assert "2 succeeded" in summary
    assert "1 failed" in summary
    assert "2000 ms" in summary


async def test_an_empty_run_says_so_too(log):
    await ParallelLLMExecutor(EchoProvider()).execute({})
    assert len(at(log, logging.INFO)) == 1


async def test_a_sequence_is_one_run(log):
    await ParallelLLMExecutor(EchoProvider()).execute_sequential(
        [LLMTask("a"), LLMTask("b"), LLMTask("c")]
    )
    [summary] = at(log, logging.INFO)
    assert "3 succeeded" in summary


async def test_start_and_end_of_each_task_are_said_at_debug(log):
    await ParallelLLMExecutor(EchoProvider(), 1).execute(
        {"first": LLMTask("a"), "second": LLMTask("b")}
    )
    lines = at(log, logging.DEBUG)
    assert sum("first" in line for line in lines) == 2
    assert sum("second" in line for line in lines) == 2


async def test_each_failure_is_a_warning_with_its_tag_and_its_reason(log):
    await ParallelLLMExecutor(EchoProvider()).execute_mixed(
        {"good": LLMTask("a"), "bad": DeterministicTask(lambda: 1 / 0)}
    )
    [warning] = at(log, logging.WARNING)
    assert "bad" in warning
    assert "ZeroDivisionError" in warning
    assert "division by zero" in warning


async def test_an_untagged_task_is_named_by_its_place(log):
    await ParallelLLMExecutor(Raising(RuntimeError("down"))).gather([LLMTask("a")])
    [warning] = at(log, logging.WARNING)
    assert "0" in warning


async def test_a_failure_that_was_mended_is_no_warning(log):
    retry = RetryConfig(max_attempts=2, initial_delay=0)
    await ParallelLLMExecutor(Raising(OSError("blip")), default_retry=retry).gather([LLMTask("a")])
    assert at(log, logging.WARNING) == []


@pytest.mark.parametrize(
    "error", [BadRequest(f"Bearer {KEY}", body=KEY), RuntimeError(f"401 for key {KEY}")]
)
async def test_no_line_holds_a_key(log, error):
    await ParallelLLMExecutor(Raising(error)).execute({"a": LLMTask("hello")})
    assert KEY not in log.text


@pytest.mark.parametrize("text", ["", "two\nlines", "\x1b[31mred\x1b[0m", "\r\nINFO forged: line"])
async def test_a_failure_is_one_line_whatever_its_text(log, text):
    await ParallelLLMExecutor(Raising(RuntimeError(text))).execute({"a\nb": LLMTask("hello")})
    [warning] = at(log, logging.WARNING)
    assert not any(character in warning for character in "\n\r\x1b")


async def test_prompts_and_answers_are_not_logged(log):
    await ParallelLLMExecutor(EchoProvider()).execute({"a": LLMTask("a private diagnosis")})
    assert "diagnosis" not in log.text


async def test_of_many_that_failed_alike_the_first_ten_are_told_and_their_number(caplog):
    caplog.set_level(logging.WARNING, "ingather")
    tasks = [DeterministicTask(_fails_for, ("down",), tag=f"t{i}") for i in range(250)]
    await ParallelLLMExecutor(EchoProvider(), 1).gather(tasks)
    told = at(caplog, logging.WARNING)
    assert [line.split()[1] for line in told[:11]] == [*(f"t{i}" for i in range(10)), "t99"]
    assert told[11:] == ["250 tasks failed alike: RuntimeError: down"]


async def test_what_failed_for_reasons_of_its_own_is_told_one_by_one(caplog):
    caplog.set_level(logging.WARNING, "ingather")
    tasks = [DeterministicTask(_fails_for, (i,)) for i in range(150)]
    await ParallelLLMExecutor(EchoProvider()).gather(tasks)
    assert len(at(caplog, logging.WARNING)) == 150


async def _fails_for(reason):
    raise RuntimeError(reason)


async def test_at_debug_each_of_many_that_failed_alike_is_told(log):
    await ParallelLLMExecutor(EchoProvider()).gather(
        [DeterministicTask(_fails_for, ("down",))] * 30
    )
    assert sum(line.startswith("task ") for line in at(log, logging.WARNING)) == 30
