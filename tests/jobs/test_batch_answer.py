"""OpenAI batch output lines, read back with the openai package's types."""

import json
from collections.abc import Mapping

import pytest
from openai.types.chat import ChatCompletion

from ingather import LLMTask
from ingather.errors import (
    BadBody,
    BadRequest,
    ConnectionLost,
    Filtered,
    InvalidAnswer,
    Refused,
    ServerFault,
    TooBig,
    Truncated,
)
from ingather.jobs import BadLine
from ingather.jobs.batch import CHAT
from ingather.jobs.batch_answer import batch_answer_line
from ingather.providers.openai_answer import read
from ingather.response import LLMResponse, Usage
from ingather.result import TaskResult


def written(result: TaskResult) -> dict:
    line = batch_answer_line(result, "a", CHAT)
    assert line.endswith(b"}\n")
    data: dict = json.loads(line)
    assert list(data) == ["id", "custom_id", "response", "error"]
    assert data["id"].startswith("batch_req_")
    assert data["custom_id"] == "a"
    return data


def succeeded(response: LLMResponse) -> dict:
    return written(TaskResult("a", True, response, response=response))


def failed(error: Exception, response: LLMResponse | None = None) -> dict:
    return written(TaskResult("a", False, None, error, response=response))


def completion(line: dict) -> ChatCompletion:
    return ChatCompletion.model_validate(line["response"]["body"], strict=True)


PROVIDER_S = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Paris", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 2},
    },
    "service_tier": "default",
    "system_fingerprint": "fp_1",
}


def test_a_provider_s_completion_comes_out_as_it_came_in():
    response = read(PROVIDER_S).response
    response.request_id = "req_1"
    line = succeeded(response)
    assert line["response"] == {"status_code": 200, "request_id": "req_1", "body": PROVIDER_S}
    assert line["error"] is None
    assert completion(line).choices[0].message.content == "Paris"


def test_calls_of_tools_come_out_as_they_came_in():
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}]
    message = {"role": "assistant", "content": None, "refusal": None, "tool_calls": calls}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls"}
    line = succeeded(read({**PROVIDER_S, "choices": [choice]}).response)
    assert line["response"]["body"]["choices"] == [choice]
    [call] = completion(line).choices[0].message.tool_calls or []
    assert call.id == "c"


def test_what_the_provider_did_not_say_is_not_made_up():
    line = succeeded(LLMResponse("Hi", created_at=5.5))
    body = line["response"]["body"]
    assert (body["created"], body["model"], line["response"]["request_id"]) == (5, "", "")
    assert not {"usage", "service_tier", "system_fingerprint"} & set(body)
    assert completion(line).id.startswith("chatcmpl-")


def test_the_model_that_was_asked_stands_for_one_that_the_answer_does_not_name():
    response = LLMResponse("Hi")
    task = LLMTask("x", {"model": "asked"})
    assert (
        completion(written(TaskResult("a", True, response, task=task, response=response))).model
        == "asked"
    )


@pytest.mark.parametrize(
    ("said", "becomes"),
    [
        ("stop", "stop"),
        ("end_turn", "stop"),
        ("STOP", "stop"),
        ("max_tokens", "length"),
        ("MAX_TOKENS", "length"),
        ("tool_use", "tool_calls"),
        ("SAFETY", "content_filter"),
        (None, "stop"),
    ],
)
def test_other_dialects_words_for_the_end_become_openai_s(said, becomes):
    line = succeeded(LLMResponse("Hi", "claude", said, Usage(1, 2)))
    assert completion(line).choices[0].finish_reason == becomes


@pytest.mark.parametrize(
    "said", ["something new", "error", "OTHER", "malformed_function_call", "unknown"]
)
def test_an_end_that_openai_has_no_word_for_is_never_written_as_stop(said):
    line = succeeded(LLMResponse("Hi", "claude", said, Usage(1, 2)))
    assert line["response"]["body"]["choices"][0]["finish_reason"] == said


def test_an_answer_that_was_cut_is_kept_with_its_error():
    line = failed(Truncated("the answer ends", status=200), LLMResponse("Once upon", "m", "length"))
    assert line["response"]["status_code"] == 200
    assert completion(line).choices[0].finish_reason == "length"
    assert line["error"] == {"code": "truncated", "message": "the answer ends"}


def test_a_refusal_is_the_message_s():
    answer = read(
        {
            **PROVIDER_S,
            "choices": [{"message": {"content": None, "refusal": "No."}, "finish_reason": "stop"}],
        }
    )
    line = failed(Refused(answer.why), answer.response)
    message = completion(line).choices[0].message
    assert (message.content, message.refusal) == (None, "No.")
    assert line["error"]["code"] == "refused"


def test_what_was_said_before_a_refusal_is_kept():
    message = (
        completion(failed(Refused("the model declined"), LLMResponse("Well,"))).choices[0].message
    )
    assert (message.content, message.refusal) == ("Well,", "the model declined")


def test_a_request_that_the_provider_refused_has_its_status_and_openai_s_error_object():
    line = failed(
        BadRequest(
            "400 no such parameter", status=400, code="unknown_parameter", request_id="req_9"
        )
    )
    assert line["error"] is None
    assert line["response"] == {
        "status_code": 400,
        "request_id": "req_9",
        "body": {
            "error": {
                "message": "400 no such parameter",
                "type": "invalid_request_error",
                "param": None,
                "code": "unknown_parameter",
            }
        },
    }


def test_a_fault_of_the_provider_s_is_called_so():
    assert (
        failed(ServerFault("500", status=500))["response"]["body"]["error"]["type"]
        == "server_error"
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConnectionLost("gone"), "connection_lost"),
        (TooBig("gone"), "too_big"),
        (BadBody("gone", status=200), "bad_body"),
        (BadLine("f", 3, "gone"), "bad_line"),
        (RuntimeError("gone"), "runtime_error"),
    ],
)
def test_what_no_server_answered_has_an_error_and_no_response(error, code):
    line = failed(error)
    assert line["response"] is None
    assert line["error"]["code"] == code
    assert "gone" in line["error"]["message"]


@pytest.mark.parametrize("error", [Filtered("f", status=200), InvalidAnswer("i", status=200)])
def test_every_answer_that_was_paid_for_is_kept(error):
    assert completion(failed(error, LLMResponse("text"))).choices[0].message.content == "text"


def test_calls_of_functions_in_the_old_form():
    function: Mapping[str, object] = {"name": "f", "arguments": "{}"}
    line = succeeded(LLMResponse("", finish_reason="function_call", function_call=function))
    choice = completion(line).choices[0]
    assert choice.finish_reason == "function_call"
    assert choice.message.content is None
    assert choice.message.function_call is not None
