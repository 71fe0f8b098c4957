"""What the Anthropic dialect posts: OpenAI's words in Anthropic's own, and nothing silently dropped."""

import json

import pytest

from ingather import LLMMessage
from ingather.errors import BadRequest, SetupError
from ingather.limits.tokens import Tokens
from ingather.providers.anthropic import MAX_OUTPUT, AnthropicProvider
from ingather.providers.base import WireProvider

HI = [LLMMessage("user", "Hi")]
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
PERSON = {
    "type": "object",
    "properties": {"age": {"type": "integer", "minimum": 0}},
    "required": ["age"],
    "additionalProperties": False,
}
NARROW = {**PERSON, "properties": {"age": {"type": "integer", "description": "(minimum: 0)"}}}


def form(schema, strict=True):
    return {"type": "json_schema", "json_schema": {"name": "P", "schema": schema, "strict": strict}}


def provider(**options):
    return AnthropicProvider("m", base_url="http://localhost:1", **options)


def sent(messages=HI, overrides=None, **options):
    return json.loads(provider(**options).prepare(messages, overrides).body)


def fields(overrides, **options):
    body = sent(overrides=overrides, **options)
    return {
        name: value
        for name, value in body.items()
        if name not in ("messages", "model", "max_tokens")
    }


def test_it_is_a_wire_provider():
    assert isinstance(provider(), WireProvider)


def test_least_request():
    request = provider().prepare(HI)
    assert json.loads(request.body) == {
        "model": "m", "max_tokens": MAX_OUTPUT, "messages": [{"role": "user", "content": "Hi"}],
    }  # fmt: skip
    assert request.estimate == Tokens(1, MAX_OUTPUT)


def test_same_request_is_the_same_bytes_whatever_the_order():
    one = provider().prepare(HI, {"temperature": 0, "top_k": 5, "metadata": {"user_id": "b"}})
    assert one == provider().prepare(
        HI, {"metadata": {"user_id": "b"}, "top_k": 5, "temperature": 0}
    )


@pytest.mark.parametrize(
    "base_url", ["http://localhost:1", "http://localhost:1/", "http://localhost:1/v1"]
)
def test_path_and_headers(base_url):
    endpoint = AnthropicProvider("m", base_url=base_url, api_key="sk-ant-123456")._endpoint
    assert endpoint.url == "http://localhost:1/v1/messages"
    assert endpoint.headers["x-api-key"] == "sk-ant-123456"
    assert endpoint.headers["anthropic-version"] == "2023-06-01"
    assert "Authorization" not in endpoint.headers


def test_without_a_key_no_header_has_one():
    assert "x-api-key" not in provider()._endpoint.headers


TRANSLATED = {
    "temperature": ({"temperature": 0.5, "top_p": 0.9, "top_k": 4}, {"temperature": 0.5, "top_p": 0.9, "top_k": 4}),
    "one stop": ({"stop": "END"}, {"stop_sequences": ["END"]}),
    "several stops": ({"stop": ["a", "b"]}, {"stop_sequences": ["a", "b"]}),
    "user": ({"user": "u1"}, {"metadata": {"user_id": "u1"}}),
    "effort": ({"reasoning_effort": "high"}, {"output_config": {"effort": "high"}}),
    "least effort": ({"reasoning_effort": "minimal"}, {"output_config": {"effort": "low"}}),
    "no thinking": ({"reasoning_effort": "none"}, {"thinking": {"type": "disabled"}}),
    "one answer": ({"n": 1, "stream": False}, {}),
    "text": ({"response_format": {"type": "text"}}, {}),
    "its own": ({"thinking": {"type": "adaptive"}}, {"thinking": {"type": "adaptive"}}),
    "its own stops": ({"stop_sequences": ["x"]}, {"stop_sequences": ["x"]}),
    "schema": (
        {"response_format": form(PERSON)},
        {"output_config": {"format": {"type": "json_schema", "schema": NARROW}}},
    ),
    "schema and effort": (
        {"response_format": form(PERSON), "reasoning_effort": "low"},
        {"output_config": {"format": {"type": "json_schema", "schema": NARROW}, "effort": "low"}},
    ),
    "a function": (
        {"tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": PERSON}}]},
        {"tools": [{"name": "f", "description": "d", "input_schema": PERSON}]},
    ),
    "a tool of its own": (
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}], "tool_choice": {"type": "any"}},
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}], "tool_choice": {"type": "any"}},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), TRANSLATED.values(), ids=TRANSLATED)
def test_parameters(given, expected):
    assert fields(given) == expected


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_output_limit_of_the_call(name):
    request = provider().prepare(HI, {name: 7})
    assert (json.loads(request.body)["max_tokens"], request.estimate.max_output) == (7, 7)


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        ({"type": "function", "function": {"name": "f"}}, {"type": "tool", "name": "f"}),
    ],
)
def test_tool_choice(choice, expected):
    tools = [{"type": "function", "function": {"name": "f"}}]
    assert fields({"tools": tools, "tool_choice": choice})["tool_choice"] == expected


def test_one_tool_at_a_time():
    tools = [{"type": "function", "function": {"name": "f"}}]
    choice = fields({"tools": tools, "parallel_tool_calls": False})["tool_choice"]
    assert choice == {"type": "auto", "disable_parallel_tool_use": True}


# -- a schema as a tool


def test_schema_is_a_strict_tool_where_asked():
    body = fields({"response_format": form(PERSON)}, schema_mode="tool")
    (tool,) = body["tools"]
    assert (tool["input_schema"], tool["strict"]) == (NARROW, True)
    assert body["tool_choice"] == {
        "type": "tool",
        "name": tool["name"],
        "disable_parallel_tool_use": True,
    }
    assert "output_config" not in body


OPEN = {"type": "object", "additionalProperties": {"type": "string"}}


@pytest.mark.parametrize(("schema", "strict"), [(OPEN, True), (PERSON, False)])
def test_schema_that_strict_mode_refuses_is_a_plain_tool(schema, strict):
    body = fields({"response_format": form(schema, strict)})
    (tool,) = body["tools"]
    assert tool["input_schema"] == schema
    assert "strict" not in tool
    assert body["tool_choice"]["name"] == tool["name"]


def test_tools_of_the_call_stay_beside_that_of_the_answer():
    tools = [{"type": "function", "function": {"name": "f"}}]
    body = fields({"tools": tools, "response_format": form(OPEN)})
    assert [tool["name"] for tool in body["tools"]] == ["f", body["tool_choice"]["name"]]


# -- messages


def test_system_prompts_are_apart():
    messages = [LLMMessage("system", "A"), LLMMessage("user", "Hi"), LLMMessage("developer", "B")]
    assert sent([LLMMessage("system", "A"), *HI])["system"] == "A"
    assert sent(messages)["system"] == [
        {"type": "text", "text": "A"},
        {"type": "text", "text": "B"},
    ]
    assert sent(messages)["messages"] == [{"role": "user", "content": "Hi"}]


def test_system_prompt_of_connect_holds_where_the_task_has_none():
    assert sent(params={"system": "A"})["system"] == "A"
    assert sent([LLMMessage("system", "B"), *HI], params={"system": "A"})["system"] == "B"


def test_turns_of_one_role_are_one():
    messages = [
        LLMMessage("user", "A"),
        LLMMessage("user", "B"),
        LLMMessage("assistant", "C"),
        LLMMessage("user", "D"),
    ]
    assert sent(messages)["messages"] == [
        {"role": "user", "content": [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]},
        {"role": "assistant", "content": "C"},
        {"role": "user", "content": "D"},
    ]


def test_tool_calls_and_their_results():
    result = LLMMessage.of({"role": "tool", "tool_call_id": "c1", "content": "34"})
    messages = [
        *HI,
        LLMMessage("assistant", "", tool_calls=[CALL]),
        result,
        LLMMessage("user", "And?"),
    ]
    assert sent(messages)["messages"][1:] == [
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}}],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": "34"},
                {"type": "text", "text": "And?"},
            ],
        },
    ]


def test_thoughts_that_came_with_an_answer_go_back_with_it():
    thought = {"type": "thinking", "thinking": "Hm", "signature": "s"}
    other = {"type": "web_search_tool_result", "content": []}
    answered = LLMMessage(
        "assistant", "Wait", tool_calls=[CALL], metadata={"blocks": [thought, other], "id": "m"}
    )
    assert [block["type"] for block in sent([*HI, answered])["messages"][1]["content"]] == [
        "thinking",
        "text",
        "tool_use",
    ]


@pytest.mark.parametrize(
    ("url", "source"),
    [
        (
            "data:image/png;base64,AAAA",
            {"type": "base64", "media_type": "image/png", "data": "AAAA"},
        ),
        ("https://x.example/a.png", {"type": "url", "url": "https://x.example/a.png"}),
    ],
)
def test_pictures(url, source):
    parts: list[dict] = [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    (message,) = sent([LLMMessage("user", parts)])["messages"]
    assert message["content"] == [
        {"type": "text", "text": "Look"},
        {"type": "image", "source": source},
    ]


def test_parts_in_anthropics_own_form_pass():
    part: dict = {
        "type": "document",
        "source": {"type": "text", "media_type": "text/plain", "data": "x"},
    }
    assert sent([LLMMessage("user", [part])])["messages"] == [{"role": "user", "content": [part]}]


UNSENDABLE = {
    "no messages": ([], "no messages"),
    "a system prompt alone": ([LLMMessage("system", "A")], "no message to answer"),
    "a strange role": ([LLMMessage("critic", "A")], "role is system, user"),
    "half a surrogate": (
        [LLMMessage("user", "ab\ud800")],
        r"messages\[0\]\.content has half a surrogate",
    ),
    "OpenAI's old form": (
        [*HI, LLMMessage("assistant", None, function_call={"name": "f"})],
        "use tool_calls",
    ),
    "arguments that are none": (
        [
            *HI,
            LLMMessage(
                "assistant", None, tool_calls=[{"function": {"name": "f", "arguments": "{"}}]
            ),
        ],
        "no JSON",
    ),
    "a call that is none": (
        [*HI, LLMMessage("assistant", None, tool_calls=[{"name": "f"}])],
        "a tool call is",
    ),
}


@pytest.mark.parametrize(("messages", "said"), UNSENDABLE.values(), ids=UNSENDABLE)
def test_what_cannot_be_sent_fails_before(messages, said):
    with pytest.raises(BadRequest, match=said):
        provider().prepare(messages)


NO_EQUAL = ["seed", "logit_bias", "presence_penalty", "frequency_penalty", "logprobs", "verbosity"]
REFUSED = {
    **{name: ({name: 1}, f"has no equivalent of {name!r}") for name in NO_EQUAL},
    **{
        name: ({name: "x"}, f"{name!r} is not a parameter")
        for name in ("base_url", "api_key", "headers")
    },
    "json_object": ({"response_format": {"type": "json_object"}}, "no json_object mode"),
    "no form": ({"response_format": {"type": "xml"}}, "response_format is"),
    "no schema": ({"response_format": {"type": "json_schema"}}, "response_format is"),
    "no tools": ({"tools": "f"}, "tools is a list"),
    "no tool": ({"tools": ["f"]}, "a tool is a mapping"),
    "no metadata": ({"metadata": 5, "user": "u"}, "metadata is a mapping"),
    "no output_config": (
        {"output_config": 5, "reasoning_effort": "low"},
        "output_config is a mapping",
    ),
    "several answers": ({"n": 2}, "sample="),
}


@pytest.mark.parametrize(("params", "said"), REFUSED.values(), ids=REFUSED)
def test_parameter_without_an_equal_is_refused(params, said):
    with pytest.raises(SetupError, match=said):
        provider().prepare(HI, params)


def test_schema_mode_that_is_none():
    with pytest.raises(SetupError, match="schema_mode"):
        provider(schema_mode="xml")
