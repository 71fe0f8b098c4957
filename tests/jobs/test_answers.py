"""Answer lines."""

import json
from collections.abc import Mapping

import pytest

from ingather.errors import BadRequest, Truncated
from ingather.jobs import answer_line
from ingather.response import LLMResponse, Usage
from ingather.result import TaskResult


def test_an_answer_has_the_contract_s_fields():
    result = TaskResult(
        "a",
        True,
        LLMResponse("Paris"),
        None,
        12.345,
        3,
        usage=Usage(10, 5, 1, 2),
        cost_usd=0.5,
        attempts=2,
        rejected=1,
    )
    line = answer_line(result, "a", {"page": 1})
    assert line.endswith(b"}\n")
    assert json.loads(line) == {
        "id": "a",
        "index": 3,
        "success": True,
        "value": "Paris",
        "error": None,
        "usage": {
            "input_tokens": 10,
            "output_tokens": 5,
            "cached_tokens": 1,
            "reasoning_tokens": 2,
        },
        "cost_usd": 0.5,
        "attempts": 2,
        "rejected": 1,
        "duration_ms": 12.3,
        "cached": False,
        "metadata": {"page": 1},
    }


def test_an_id_keeps_its_type():
    assert json.loads(answer_line(TaskResult("5", True, LLMResponse("")), 5))["id"] == 5


def test_a_failure_says_its_type_and_message():
    line = json.loads(
        answer_line(TaskResult("a", False, None, BadRequest("no such parameter")), "a")
    )
    assert (line["success"], line["value"]) == (False, None)
    assert line["error"] == {"type": "BadRequest", "message": "no such parameter"}


def test_a_failed_answer_that_was_paid_for_is_kept():
    result = TaskResult("a", False, None, Truncated("cut"), response=LLMResponse("Once upon"))
    assert json.loads(answer_line(result, "a"))["error"]["answer"] == "Once upon"


def test_an_instance_is_dumped():
    assert json.loads(answer_line(TaskResult("a", True, 5), "a", dump=lambda value: [str(value)]))[
        "value"
    ] == ["5"]


def test_calls_of_tools_are_part_of_the_answer():
    calls: list[Mapping[str, object]] = [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]
    line = json.loads(answer_line(TaskResult("a", True, LLMResponse("", tool_calls=calls)), "a"))
    assert line["value"] == {"content": "", "tool_calls": calls}


@pytest.mark.parametrize("value", ["\ud800", 2**70, "a\0b\u2028\n"])
def test_no_value_is_lost_to_its_encoding(value):
    line = answer_line(TaskResult("a", True, value), "a")
    assert line.count(b"\n") == 1
    assert json.loads(line)["value"] == value
