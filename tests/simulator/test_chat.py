import asyncio
import json

import pytest

from tests.simulator.asking import asking, body, content

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def json_schema(schema):
    return {
        "type": "json_schema",
        "json_schema": {"name": "Person", "strict": True, "schema": schema},
    }


async def test_an_answer_is_a_sentence_of_the_prompt():
    async with asking() as (_, ask):
        status, headers, answer = await ask()
    assert (status, content(answer)) == (200, "Our office is in Oslo.")
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["usage"] == {"prompt_tokens": 15, "completion_tokens": 6, "total_tokens": 21}
    assert headers["Content-Type"] == "application/json"
    assert headers["x-request-id"].startswith("req_")


async def test_echo_gives_the_prompt_back():
    async with asking(model="echo") as (_, ask):
        assert content((await ask("héllo\nthere 😀"))[2]) == "héllo\nthere 😀"


async def test_a_schema_is_filled():
    async with asking() as (_, ask):
        _, _, answer = await ask(
            "John Smith is a 30-year-old engineer", response_format=json_schema(PERSON)
        )
    assert json.loads(content(answer)) == {"name": "John Smith", "age": 30}


async def test_json_object_mode_gives_an_object():
    async with asking() as (_, ask):
        _, _, answer = await ask("We sell boats.", response_format={"type": "json_object"})
    assert json.loads(content(answer)) == {"answer": "We sell boats."}


async def test_a_tool_that_must_be_called_is_called():
    tool = {"type": "function", "function": {"name": "save", "parameters": PERSON}}
    async with asking() as (_, ask):
        _, _, answer = await ask("Ann Lee is 30 years old", tools=[tool], tool_choice="required")
    choice = answer["choices"][0]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("tool_calls", None)
    call = choice["message"]["tool_calls"][0]["function"]
    assert (call["name"], json.loads(call["arguments"])) == ("save", {"name": "Ann Lee", "age": 30})


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
async def test_the_output_limit_cuts(limit):
    async with asking(model="echo") as (_, ask):
        _, _, answer = await ask("ééééé", **{limit: 2})
        assert (content(answer), answer["choices"][0]["finish_reason"]) == ("éééé", "length")
        assert answer["usage"]["completion_tokens"] == 2
        assert content((await ask("€€€", **{limit: 1}))[2]) == "€"
        _, _, whole = await ask("ééééé", **{limit: 3})
        assert (content(whole), whole["choices"][0]["finish_reason"]) == ("ééééé", "stop")


async def test_stop_and_n():
    async with asking(model="echo") as (_, ask):
        _, _, answer = await ask("one two three", stop=["three", "two"], n=3)
    assert [choice["message"]["content"] for choice in answer["choices"]] == ["one "] * 3
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2]


async def test_content_in_parts_and_several_turns():
    messages = [
        {"role": "system", "content": "Extract."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "We sell boats."},
                {"type": "image_url", "image_url": {"url": "x"}},
            ],
        },
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "user", "content": "What is sold?"},
    ]
    async with asking() as (_, ask):
        _, _, answer = await ask(messages=messages)
    assert content(answer) == "We sell boats."


@pytest.mark.parametrize(
    "wrong",
    [
        {"messages": []}, {"messages": "hi"}, {"messages": [{"content": "x"}]},
        {"messages": [{"role": "user", "content": 5}]}, {"model": ""}, {"model": None},
        {"max_tokens": 0}, {"max_tokens": "9"}, {"max_completion_tokens": True}, {"n": -1},
        {"response_format": {"type": "xml"}}, {"response_format": json_schema("x")}, {"response_format": 5},
        {"response_format": json_schema({"$ref": "#/nothing"})},
        {"tools": [], "tool_choice": {"function": {"name": "x"}}},
    ],
)  # fmt: skip
async def test_a_bad_request_is_a_400_in_the_providers_form(wrong):
    async with asking() as (_, ask):
        status, _, answer = await ask(**wrong)
    assert (status, answer["error"]["type"]) == (400, "invalid_request_error")
    assert answer["error"]["message"]


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff\xfe", b'{"a":' * 2000])
async def test_a_body_that_is_no_json_object_is_a_400(raw):
    async with asking() as (_, ask):
        status, _, answer = await ask(data=raw)
    assert (status, answer["error"]["type"]) == (400, "invalid_request_error")


async def test_a_chunked_body_and_a_large_one_are_read_whole():
    async def chunks():
        for part in json.dumps(body("x" * 3_000_000, max_tokens=1)).encode().split(b","):
            yield part + b"," if not part.endswith(b"}") else part
            await asyncio.sleep(0)

    async with asking(model="echo") as (_, ask):
        assert (await ask(data=chunks()))[2]["usage"]["prompt_tokens"] == 750_000


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/chat/completions", 405), ("GET", "/nothing", 404), ("POST", "/stats", 405)],
)
async def test_other_paths_are_errors_in_the_providers_form(method, path, status):
    async with asking() as (_, ask):
        got, _, answer = await ask(method=method, path=path)
    assert (got, answer["error"]["type"]) == (status, "invalid_request_error")


async def test_models_are_listed():
    async with asking(model="echo") as (_, ask):
        _, _, answer = await ask(method="GET", path="/v1/models")
    assert [model["id"] for model in answer["data"]] == ["echo"]


async def test_only_the_right_key_is_let_in_and_none_is_repeated():
    async with asking(api_key="sk-right-key") as (sim, ask):
        for headers in (
            {},
            {"Authorization": "Bearer sk-wrong-key"},
            {"Authorization": "Basic sk-right-key"},
        ):
            status, _, answer = await ask(headers=headers)
            assert (status, answer["error"]["code"]) == (401, "invalid_api_key")
            assert "sk-" not in str(answer)
        assert (await ask(headers={"Authorization": "Bearer sk-right-key"}))[0] == 200
        assert "sk-" not in repr(sim) + str(sim.ledger)
