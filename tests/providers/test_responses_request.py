"""What the Responses dialect posts: messages as input items, words of Chat Completions under their names there."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses.response_input_param import ResponseInputParam
from pydantic import TypeAdapter

from ingather import LLMMessage
from ingather.errors import BadRequest, SetupError
from ingather.limits.tokens import Tokens
from ingather.providers.base import QuotaKey, WireProvider
from ingather.providers.openai import OPENAI_URL, OpenAIProvider
from ingather.providers.responses import ResponsesProvider

LOCAL = "http://localhost:8000/v1"
HI = [LLMMessage("user", "Hi")]
INPUT = TypeAdapter(ResponseInputParam)


def provider(base_url=LOCAL, **options):
    return ResponsesProvider("m", base_url=base_url, **options)


def sent(messages=HI, overrides=None, **options):
    body = json.loads(provider(**options).prepare(messages, overrides).body)
    INPUT.validate_python(body["input"])
    return body


def said(role, content):
    return {"type": "message", "role": role, "content": content}


def test_it_is_a_wire_provider():
    assert isinstance(provider(), WireProvider)
    assert provider()._endpoint.url == f"{LOCAL}/responses"


def test_least_request():
    assert provider().prepare(HI).body == (
        b'{"input":[{"content":"Hi","role":"user","type":"message"}],"model":"m","store":false}'
    )


def test_same_request_is_the_same_bytes_whatever_the_order():
    one = provider().prepare(
        HI, {"temperature": 0, "max_tokens": 9, "reasoning_effort": "low", "verbosity": "low"}
    )
    two = provider().prepare(
        HI, {"verbosity": "low", "reasoning_effort": "low", "max_tokens": 9, "temperature": 0}
    )
    assert one == two


def test_quota_is_that_of_chat_completions_and_the_identity_is_not():
    one = ResponsesProvider("m", api_key="sk-12345678", name="openai").prepare(HI)
    other = OpenAIProvider("m", api_key="sk-12345678").prepare(HI)
    assert one.quota == other.quota == QuotaKey("openai", "api.openai.com", "db722c9c", "m")
    assert one.identity != other.identity


# -- parameters

FORM = {"name": "P", "schema": {"type": "object"}, "strict": True}
FUNCTION = {"name": "f", "description": "d", "parameters": {"type": "object"}}
PARAMETERS = {
    "max_tokens": ({"max_tokens": 9}, {"max_output_tokens": 9}),
    "max_completion_tokens": ({"max_completion_tokens": 9}, {"max_output_tokens": 9}),
    "max_output_tokens": ({"max_output_tokens": 9}, {"max_output_tokens": 9}),
    "a schema": (
        {"response_format": {"type": "json_schema", "json_schema": FORM}},
        {"text": {"format": {"type": "json_schema", **FORM}}},
    ),
    "any JSON": (
        {"response_format": {"type": "json_object"}},
        {"text": {"format": {"type": "json_object"}}},
    ),
    "verbosity": ({"verbosity": "low"}, {"text": {"verbosity": "low"}}),
    "verbosity and a form": (
        {"text": {"verbosity": "low"}, "response_format": {"type": "text"}},
        {"text": {"verbosity": "low", "format": {"type": "text"}}},
    ),
    "reasoning_effort": ({"reasoning_effort": "high"}, {"reasoning": {"effort": "high"}}),
    "reasoning": (
        {"reasoning_effort": "high", "reasoning": {"summary": "auto"}},
        {"reasoning": {"effort": "high", "summary": "auto"}},
    ),
    "a tool": (  # not strict unless it says so, as in Chat Completions
        {"tools": [{"type": "function", "function": FUNCTION}]},
        {"tools": [{"type": "function", "strict": False, **FUNCTION}]},
    ),
    "a strict tool": (
        {"tools": [{"type": "function", "function": {**FUNCTION, "strict": True}}]},
        {"tools": [{"type": "function", "strict": True, **FUNCTION}]},
    ),
    "tools from here": (
        {"tools": [{"type": "web_search"}, {"type": "function", **FUNCTION}]},
        {"tools": [{"type": "web_search"}, {"type": "function", **FUNCTION}]},
    ),
    "a custom tool": (
        {"tools": [{"type": "custom", "custom": {"name": "c"}}]},
        {"tools": [{"type": "custom", "name": "c"}]},
    ),
    "a tool chosen": (
        {"tool_choice": {"type": "function", "function": {"name": "f"}}},
        {"tool_choice": {"type": "function", "name": "f"}},
    ),
    "any tool": ({"tool_choice": "required"}, {"tool_choice": "required"}),
    "one answer": ({"n": 1}, {}),
    "no stream": ({"stream": False}, {}),
    "what is alike": (
        {
            "temperature": 0,
            "top_p": 1,
            "metadata": {"a": "b"},
            "include": ["x"],
            "service_tier": "flex",
            "user": "u",
        },
        {
            "temperature": 0,
            "top_p": 1,
            "metadata": {"a": "b"},
            "include": ["x"],
            "service_tier": "flex",
            "user": "u",
        },
    ),
    "None takes out": ({"temperature": None, "reasoning_effort": None}, {}),
}


@pytest.mark.parametrize(("params", "expected"), PARAMETERS.values(), ids=PARAMETERS)
def test_parameter_has_the_name_that_it_has_here(params, expected):
    least = {"input": [said("user", "Hi")], "model": "m", "store": False}
    assert sent(overrides=params) == {**least, **expected}
    assert sent(params=params) == {**least, **expected}


@pytest.mark.parametrize(
    ("params", "overrides", "limit"),
    [
        ({"max_tokens": 9}, {"max_output_tokens": 5}, 5),
        ({"max_output_tokens": 9}, {"max_tokens": 5}, 5),
        ({"max_completion_tokens": 9}, {"max_completion_tokens": 5}, 5),
        ({"max_tokens": 9}, {"max_tokens": None}, None),
    ],
)
def test_limit_of_the_task_goes_over_that_of_all(params, overrides, limit):
    assert sent(params=params, overrides=overrides).get("max_output_tokens") == limit


def test_schema_of_the_task_keeps_the_verbosity_of_all():
    text = sent(
        params={"verbosity": "low"}, overrides={"response_format": {"type": "json_object"}}
    )["text"]
    assert text == {"verbosity": "low", "format": {"type": "json_object"}}


def test_answers_are_not_stored_unless_asked():
    assert sent()["store"] is False
    assert sent(overrides={"store": True})["store"] is True


def test_what_was_given_is_left_alone():
    overrides = {"text": {"verbosity": "low"}, "response_format": {"type": "text"}, "max_tokens": 5}
    sent(overrides=overrides)
    assert overrides == {
        "text": {"verbosity": "low"},
        "response_format": {"type": "text"},
        "max_tokens": 5,
    }


CHAT_ONLY = [
    "stop",
    "seed",
    "logprobs",
    "logit_bias",
    "presence_penalty",
    "frequency_penalty",
    "functions",
    "audio",
]
REFUSED = {
    **{name: ({name: 1}, f"has no '{name}'.*api=\"chat\"") for name in CHAT_ONLY},
    "later": ({"background": True}, "fetched later"),
    "input": ({"input": "Hi"}, "the task has its own messages"),
    "messages": ({"messages": []}, "the task has its own"),
    "several": ({"n": 2}, "sample="),
    "stream": ({"stream": True}, "not in this version"),
    "key": ({"api_key": "x"}, "belongs to connect"),
}


@pytest.mark.parametrize(("params", "said"), REFUSED.values(), ids=REFUSED)
def test_parameter_that_the_api_has_not_is_refused_before(params, said):
    with pytest.raises(SetupError, match=said):
        provider().prepare(HI, params)
    with pytest.raises(SetupError, match=said):
        provider(params=params)


# -- messages

CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "age_of", "arguments": '{"name":"Ann"}'},
}
CUSTOM = {"id": "call_2", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}
FILE = {"filename": "a.pdf", "file_data": "data:…"}
CONVERSATIONS = {
    "system": (
        [LLMMessage("system", "Be brief."), *HI],
        {"instructions": "Be brief.", "input": [said("user", "Hi")]},
    ),
    "system and developer": (
        [
            LLMMessage("system", "Be brief."),
            LLMMessage("developer", [{"type": "text", "text": "Be kind."}]),
            *HI,
        ],
        {"instructions": "Be brief.\n\nBe kind.", "input": [said("user", "Hi")]},
    ),
    "a system message later": (
        [*HI, LLMMessage("system", "Be brief."), *HI],
        {"input": [said("user", "Hi"), said("system", "Be brief."), said("user", "Hi")]},
    ),
    "nothing but system": ([LLMMessage("system", "Go.")], {"input": [said("system", "Go.")]}),
    "an answer before": (
        [*HI, LLMMessage("assistant", "Yes?"), *HI],
        {"input": [said("user", "Hi"), said("assistant", "Yes?"), said("user", "Hi")]},
    ),
    "an answer in parts": (
        [
            *HI,
            LLMMessage(
                "assistant", [{"type": "text", "text": "Yes"}, {"type": "output_text", "text": "?"}]
            ),
        ],
        {"input": [said("user", "Hi"), said("assistant", "Yes?")]},
    ),
    "a refusal before": (
        [*HI, LLMMessage.of({"role": "assistant", "content": None, "refusal": "No."}), *HI],
        {"input": [said("user", "Hi"), said("assistant", "No."), said("user", "Hi")]},
    ),
    "tools": (
        [
            *HI,
            LLMMessage("assistant", None, tool_calls=[CALL, CUSTOM]),
            LLMMessage.of({"role": "tool", "tool_call_id": "call_1", "content": "34"}),
        ],
        {
            "input": [
                said("user", "Hi"),
                {
                    "type": "function_call",
                    "call_id": "call_1",
                    "name": "age_of",
                    "arguments": '{"name":"Ann"}',
                },
                {
                    "type": "custom_tool_call",
                    "call_id": "call_2",
                    "name": "sql",
                    "input": "select 1",
                },
                {"type": "function_call_output", "call_id": "call_1", "output": "34"},
            ]
        },
    ),
    "words beside a call": (
        [*HI, LLMMessage("assistant", "Let me look.", tool_calls=[CALL])],
        {
            "input": [
                said("user", "Hi"),
                said("assistant", "Let me look."),
                {
                    "type": "function_call",
                    "call_id": "call_1",
                    "name": "age_of",
                    "arguments": '{"name":"Ann"}',
                },
            ]
        },
    ),
    "pictures and files": (
        [
            LLMMessage(
                "user",
                [
                    {"type": "text", "text": "Look"},
                    {"type": "image_url", "image_url": {"url": "data:…", "detail": "low"}},
                    {"type": "image_url", "image_url": {"url": "data:…"}},
                    {"type": "file", "file": FILE},
                ],
            )
        ],
        {
            "input": [
                said(
                    "user",
                    [
                        {"type": "input_text", "text": "Look"},
                        {"type": "input_image", "image_url": "data:…", "detail": "low"},
                        {"type": "input_image", "image_url": "data:…", "detail": "auto"},
                        {"type": "input_file", **FILE},
                    ],
                )
            ]
        },
    ),
    "parts in the form of here": (
        [LLMMessage("user", [{"type": "input_text", "text": "Look"}])],
        {"input": [said("user", [{"type": "input_text", "text": "Look"}])]},
    ),
}


@pytest.mark.parametrize(("messages", "expected"), CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_conversation_becomes_input(messages, expected):
    assert sent(messages) == {"model": "m", "store": False, **expected}


def test_instructions_of_all_requests_leave_the_system_message_where_it_is():
    body = sent([LLMMessage("system", "Be kind."), *HI], params={"instructions": "Be brief."})
    assert body["instructions"] == "Be brief."
    assert body["input"] == [said("system", "Be kind."), said("user", "Hi")]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_text_arrives_as_it_was(text):
    body = sent([LLMMessage("system", text), LLMMessage("user", text)])
    assert (body["instructions"] if text else "", body["input"][-1]["content"]) == (text, text)


UNSENDABLE = {
    "nothing": ([], "no messages"),
    "a name": ([LLMMessage("user", "Hi", name="ann")], r'messages\[0\]\.name.*api="chat"'),
    "a function call of old": (
        [*HI, LLMMessage("assistant", None, function_call={"name": "f", "arguments": "{}"})],
        r"messages\[1\]\.function_call.*tool_calls",
    ),
    "a function's answer of old": ([LLMMessage("function", "34")], r"messages\[0\].*'tool'"),
    "a tool's answer to nothing": ([*HI, LLMMessage("tool", "34")], r"messages\[1\].*tool_call_id"),
    "a call of nothing": (
        [LLMMessage("assistant", None, tool_calls=[{"id": "1"}])],
        r"messages\[0\]\.tool_calls\[0\] is no call",
    ),
    "a NUL": ([*HI, LLMMessage("user", "a\0b")], r"input\[1\]\.content has a NUL character at 1"),
    "half a surrogate": (
        [LLMMessage("system", "\ud800"), *HI],
        "instructions has half a surrogate pair at 0",
    ),
    "content that is none": ([LLMMessage("user", 5)], None),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("messages", "said"), UNSENDABLE.values(), ids=UNSENDABLE)
def test_what_cannot_be_sent_fails_before_and_says_where(messages, said):
    if said is None:  # JSON that only the server can judge
        assert json.loads(provider().prepare(messages).body)["input"][0]["content"] == 5
        return
    with pytest.raises(BadRequest, match=said):
        provider().prepare(messages)


def test_estimate_knows_the_limit_by_any_of_its_names():
    for name in ("max_tokens", "max_completion_tokens", "max_output_tokens"):
        assert provider().prepare([LLMMessage("user", "abcde")], {name: 50}).estimate == Tokens(
            2, 50
        )


def test_lengths_in_a_schema_stay_away_from_openai():
    assert provider().schema_lengths
    assert not provider(OPENAI_URL, api_key="sk-12345678").schema_lengths
