"""What the OpenAI dialect posts: encoded once, the same bytes for the same request, nothing that cannot be sent."""

import json
import math
import threading

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import LLMMessage
from ingather.errors import BadRequest, SetupError
from ingather.limits.tokens import Tokens
from ingather.providers.base import QuotaKey, WireProvider
from ingather.providers.openai import OPENAI_URL, OpenAIProvider

LOCAL = "http://localhost:8000/v1"
HI = [LLMMessage("user", "Hi")]


def provider(base_url=LOCAL, **options):
    return OpenAIProvider("m", base_url=base_url, **options)


def sent(messages=HI, overrides=None, **options):
    return json.loads(provider(**options).prepare(messages, overrides).body)


def test_it_is_a_wire_provider():
    assert isinstance(provider(), WireProvider)


def test_least_request():
    assert (
        provider().prepare(HI).body
        == b'{"messages":[{"content":"Hi","role":"user"}],"model":"m","stream":false}'
    )


def test_same_request_is_the_same_bytes_whatever_the_order():
    one = provider().prepare(HI, {"temperature": 0, "seed": 1, "metadata": {"b": 1, "a": 2}})
    two = provider().prepare(HI, {"metadata": {"a": 2, "b": 1}, "seed": 1, "temperature": 0})
    assert one == two


def test_overrides_go_over_the_parameters_of_all_requests():
    body = sent(overrides={"temperature": 1}, params={"temperature": 0, "seed": 7})
    assert (body["temperature"], body["seed"]) == (1, 7)


def test_none_takes_a_parameter_out():
    assert "temperature" not in sent(overrides={"temperature": None}, params={"temperature": 0})


def test_overrides_leave_what_was_given_alone():
    overrides = {"max_tokens": 5, "stream": False}
    params = {"temperature": 0, "top_p": None}
    used = provider(base_url=OPENAI_URL, params=params)
    used.prepare(HI, overrides)
    assert overrides == {"max_tokens": 5, "stream": False}
    assert params == {"temperature": 0, "top_p": None}
    assert "max_completion_tokens" not in json.loads(used.prepare(HI).body)


@pytest.mark.parametrize(
    ("base_url", "params", "overrides", "expected"),
    [
        (LOCAL, {"max_tokens": 9}, None, {"max_tokens": 9}),
        (LOCAL, {}, {"max_completion_tokens": 9}, {"max_completion_tokens": 9}),
        (OPENAI_URL, {"max_tokens": 9}, None, {"max_completion_tokens": 9}),
        (OPENAI_URL, {"max_tokens": 9}, {"max_tokens": 5}, {"max_completion_tokens": 5}),
        (OPENAI_URL, {"max_tokens": 9}, {"max_tokens": None}, {}),
        (OPENAI_URL, {"max_tokens": 9}, {"max_completion_tokens": 5}, {"max_completion_tokens": 5}),
    ],
)
def test_output_limit_has_the_name_that_the_server_knows(base_url, params, overrides, expected):
    body = sent(overrides=overrides, params=params, base_url=base_url, api_key="sk-12345678")
    assert {name: value for name, value in body.items() if name.startswith("max_")} == expected


def test_model_of_the_call_is_sent_and_changes_the_quota():
    used = provider(api_key="sk-12345678")
    one, two = used.prepare(HI), used.prepare(HI, {"model": "other"})
    assert json.loads(two.body)["model"] == "other"
    assert one.quota == QuotaKey("openai", "localhost:8000", "db722c9c", "m")
    assert two.quota == one.quota._replace(model="other")


def test_quota_is_that_of_the_key():
    assert (
        provider(api_key="sk-12345678").prepare(HI).quota
        != provider(api_key="sk-87654321").prepare(HI).quota
    )
    assert (
        provider(api_key="sk-12345678").prepare(HI).quota
        == provider(api_key="sk-12345678").prepare(HI).quota
    )


def test_identity_is_that_of_the_server():
    assert (
        provider().prepare(HI).identity != provider("http://localhost:8001/v1").prepare(HI).identity
    )
    assert (
        provider().prepare(HI).identity
        == provider("http://localhost:8000/v1/").prepare(HI, {"seed": 1}).identity
    )


def test_messages_travel_with_all_they_have():
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    parts: list[dict] = [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": "data:…"}},
    ]
    messages = [
        LLMMessage("user", parts, name="ann"),
        LLMMessage(
            "assistant", None, tool_calls=[call], function_call={"name": "f", "arguments": "{}"}
        ),
        LLMMessage.of({"role": "tool", "tool_call_id": "c1", "content": "3", "private": "note"}),
    ]
    assert sent(messages)["messages"] == [
        {"role": "user", "content": parts, "name": "ann"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [call],
            "function_call": {"name": "f", "arguments": "{}"},
        },
        {"role": "tool", "content": "3", "tool_call_id": "c1"},
    ]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_text_arrives_as_it_was(text):
    assert sent([LLMMessage("user", text)])["messages"][0]["content"] == text


def test_prompt_of_five_megabytes_arrives_as_it_was():
    text = 'א "quoted" \\ 🙂\n' * 300_000
    assert sent([LLMMessage("user", text)])["messages"][0]["content"] == text


def test_what_only_looks_like_a_nul_is_sent():
    assert sent([LLMMessage("user", r"\u0000")])["messages"][0]["content"] == r"\u0000"


class Strange:
    pass


UNSENDABLE = {
    "half a surrogate": (
        [LLMMessage("user", "ab\ud800")],
        {},
        r"messages\[0\]\.content has half a surrogate pair at 2",
    ),
    "a NUL": (
        [*HI, LLMMessage("user", "a\0b")],
        {},
        r"messages\[1\]\.content has a NUL character at 1",
    ),
    "a NUL in a part": (
        [LLMMessage("user", [{"type": "text", "text": "\0"}])],
        {},
        r"messages\[0\]\.content\[0\]\.text",
    ),
    "an object": (HI, {"stop": ["a", Strange()]}, r"stop\[1\] is a Strange"),
    "a set": (HI, {"stop": {"a"}}, "stop is a set"),
    "a class": (HI, {"response_format": Strange}, "response_format is a type"),
    "a key that is no text": (HI, {"metadata": {1: "a"}}, "metadata has the key 1"),
    "bytes": (HI, {"user": b"me"}, "user is a bytes"),
    "content that is no text": ([LLMMessage("user", Strange())], {}, "content is a Strange"),  # type: ignore[arg-type]
    "no messages": ([], {}, "no messages"),
}


@pytest.mark.parametrize(("messages", "overrides", "said"), UNSENDABLE.values(), ids=UNSENDABLE)
def test_what_cannot_be_sent_fails_before_and_says_where(messages, overrides, said):
    with pytest.raises(BadRequest, match=said):
        provider().prepare(messages, overrides)


def test_what_is_too_deep_fails_before():
    deep: list = []
    for _ in range(5000):
        deep = [deep]
    round_and_round: dict = {}
    round_and_round["a"] = round_and_round
    for bottomless in (deep, round_and_round):
        with pytest.raises(BadRequest, match="nested more than"):
            provider().prepare(HI, {"metadata": bottomless})


ELSEWHERE = [
    "base_url",
    "api_key",
    "headers",
    "extra_headers",
    "host",
    "url",
    "messages",
    "timeout",
    "max_retries",
]
REFUSED = {
    "stream": ({"stream": True}, "not in this version"),
    "several answers": ({"n": 2}, "sample="),
    "a number that JSON has not": ({"temperature": math.nan}, "temperature is nan"),
    "infinity": ({"top_p": -math.inf}, "top_p is -inf"),
    "a model that is none": ({"model": 5}, "name of a model"),
    "no model": ({"model": ""}, "name of a model"),
    "a name that is none": ({1: 2}, "1 is not a parameter"),
    **{name: ({name: "x"}, f"{name!r} is not a parameter") for name in ELSEWHERE},
}


@pytest.mark.parametrize(("params", "said"), REFUSED.values(), ids=REFUSED)
def test_parameter_that_is_not_the_requests_to_set_is_refused(params, said):
    with pytest.raises(SetupError, match=said):
        provider().prepare(HI, params)


@pytest.mark.parametrize(
    ("params", "said"), [REFUSED["stream"], REFUSED["headers"], REFUSED["several answers"]]
)
def test_it_is_refused_for_all_requests_just_so(params, said):
    with pytest.raises(SetupError, match=said):
        provider(params=params)


@pytest.mark.parametrize("overrides", [["temperature"], "temperature=0", 5, {"a"}])
def test_overrides_that_are_no_mapping_are_refused(overrides):
    with pytest.raises(SetupError, match="mapping"):
        provider().prepare(HI, overrides)


def test_harmless_forms_of_what_is_refused():
    assert sent(overrides={"stream": False, "n": 1}) == {
        "messages": [{"content": "Hi", "role": "user"}],
        "model": "m",
        "n": 1,
        "stream": False,
    }


@pytest.mark.parametrize(
    ("content", "params", "tokens"),
    [
        ("", {}, Tokens(0)),
        ("abcd", {}, Tokens(1)),
        ("abcde", {"max_tokens": 50}, Tokens(2, 50)),
        ("äöü", {"max_completion_tokens": 7}, Tokens(2, 7)),
        (
            [{"type": "text", "text": "abcdefgh"}, {"type": "image_url", "image_url": {}}],
            {},
            Tokens(2),
        ),
        (None, {"max_tokens": "many"}, Tokens(0)),
    ],
)
def test_estimate(content, params, tokens):
    assert provider().prepare([LLMMessage("user", content)], params).estimate == tokens


def test_schema_passes_through():
    form = {
        "type": "json_schema",
        "json_schema": {"name": "P", "schema": {"type": "object"}, "strict": True},
    }
    assert sent(overrides={"response_format": form})["response_format"] == form


def test_prepare_is_safe_in_threads():
    used = provider()
    bodies: set[bytes] = set()

    def prepare():
        bodies.update(used.prepare(HI, {"seed": n, "model": f"m{n}"}).body for n in range(200))

    threads = [threading.Thread(target=prepare) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {orjson.loads(body)["seed"] for body in bodies} == set(range(200))
    assert len(bodies) == 200


def test_a_schema_keeps_its_order_in_which_a_model_answers():
    schema = {
        "type": "object",
        "properties": {"why": {"type": "string"}, "answer": {"type": "string"}},
    }
    form = {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": schema}}
    body = provider().prepare(HI, {"response_format": form}).body
    assert body.index(b'"why"') < body.index(b'"answer"')
