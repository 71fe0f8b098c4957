"""An answer that is corrupt where nobody needs it is an answer: it was paid for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import LLMMessage, LLMTask, ParallelLLMExecutor, Store, Usage
from ingather.providers.anthropic import AnthropicProvider
from ingather.providers.gemini import GeminiProvider
from ingather.providers.lenient_json import decoded
from ingather.providers.openai import OpenAIProvider
from ingather.providers.responses import ResponsesProvider
from tests.providers.canned import Canned
from tests.servers.raw import RawServer, answer, completion

HI = [LLMMessage("user", "Hi")]
NO_NUMBERS = [
    "NaN",
    "Infinity",
    "-Infinity",
    "[NaN]",
    "nan",
    "-inf",
    '{"a":-nan}',
    "1e999",
    "-1e999",
    "9" * 5000,
]
BIG = 123456789012345678901234567890

DAMAGED = {
    "a byte-order mark": (b"\xef\xbb\xbf" + completion("Paris"), "Paris"),
    "UTF-16": (completion("Paris").decode().encode("utf-16"), "Paris"),
    "half a pair": (completion("x").replace(b'"x"', b'"Par\\ud83dis"'), "Par�is"),
    "the other half": (completion("x").replace(b'"x"', b'"Par\\ude00is"'), "Par�is"),
    "half a pair beside a whole one": (completion("x").replace(b'"x"', b'"\\ud83d\\ud83d\\ude00"'), "�😀"),
    "half a pair in a name": (completion("Paris", x=1).replace(b'"x"', b'"\\ud83d"'), "Paris"),
    "bytes that are no UTF-8": (completion("x").replace(b'"x"', b'"Par\xffis"'), "Par�is"),
    "half a pair in bytes": (completion("x").replace(b'"x"', b'"\xed\xa0\xbd"'), "���"),
    "a cut character": (completion("x").replace(b'"x"', b'"Par\xc3"'), "Par�"),
    "a control character": (completion("x").replace(b'"x"', b'"Par\nis\x01"'), "Par\nis\x01"),
    **{
        f"{number} nobody reads": (completion("Paris", timing=[1]).replace(b"[1]", number.encode()), "Paris")
        for number in NO_NUMBERS
    },
    "comments before it": (b": PROCESSING\n\n: PROCESSING\n\n" + completion("Paris"), "Paris"),
    "zero bytes behind it": (completion("Paris") + b"\0\0", "Paris"),
    "words that look like none": (completion("nan, inf, NaN", timing=[1]).replace(b"[1]", b"nan"), "nan, inf, NaN"),
}  # fmt: skip


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "run.db") as store:
        yield store


@pytest.mark.parametrize("name", DAMAGED)
async def test_damage_that_nobody_needs_costs_no_answer(name):
    body, content = DAMAGED[name]
    async with RawServer(answer(body)) as server:
        provider = OpenAIProvider("m", base_url=server.base_url)
        response = await provider.complete(HI)
        await provider.aclose()
    assert response.content == content
    assert (response.finish_reason, response.usage) == ("stop", Usage(9, 3))


@pytest.mark.parametrize("name", ["half a pair", "NaN nobody reads"])
async def test_it_is_stored_and_given_again(name, store):
    body, content = DAMAGED[name]
    async with RawServer(answer(body)) as server:
        provider = OpenAIProvider("m", base_url=server.base_url)
        executor = ParallelLLMExecutor(provider, store=store)
        first, again = [(await executor.gather([LLMTask("Hi")]))[0] for _ in range(2)]
        await provider.aclose()
    assert (first.attempts, again.attempts, again.cached) == (1, 0, True)
    assert first.value.content == again.value.content == content


async def test_a_count_that_is_no_number_is_not_known():
    transport = Canned(completion("Paris").replace(b"9", b"NaN"))
    response = await OpenAIProvider(
        "m", base_url="http://localhost/v1", transport=transport
    ).complete(HI)
    assert (response.content, response.usage) == ("Paris", None)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (
            AnthropicProvider,
            {"content": [{"type": "text", "text": "X"}], "stop_reason": "end_turn"},
        ),
        (
            GeminiProvider,
            {"candidates": [{"content": {"parts": [{"text": "X"}]}, "finishReason": "STOP"}]},
        ),
        (
            ResponsesProvider,
            {
                "status": "completed",
                "output": [{"type": "message", "content": [{"type": "output_text", "text": "X"}]}],
            },
        ),
    ],
)
async def test_so_it_is_in_every_dialect(kind, body):
    damaged = (
        json.dumps({**body, "x": 1}).replace('"X"', '"Par\\ud83dis"').replace("1}", "NaN}").encode()
    )
    response = await kind("m", base_url="http://localhost", transport=Canned(damaged)).complete(HI)
    assert response.content == "Par�is"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (
            AnthropicProvider,
            {
                "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"n": BIG}}],
                "stop_reason": "tool_use",
            },
        ),
        (
            GeminiProvider,
            {
                "candidates": [
                    {"content": {"parts": [{"functionCall": {"name": "f", "args": {"n": BIG}}}]}}
                ]
            },
        ),
    ],
)
async def test_long_numbers_in_the_arguments_of_tools_keep_their_digits(kind, body):
    for damage in ({}, {"x": float("nan")}):
        data = json.dumps({**body, **damage}).encode()
        response = await kind("m", base_url="http://localhost", transport=Canned(data)).complete(HI)
        assert response.tool_calls[0]["function"]["arguments"] == f'{{"n":{BIG}}}'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"a":1',
        b'{"a":1}{"a":2}',
        b"[" * 10_000,
        b'{"a":nanny}',
        b"\xff\xff",
        b'{"a":tru}',
    ],
)
def test_what_is_no_json_is_none(body):
    with pytest.raises(ValueError, match=r"."):
        decoded(body)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON))
def test_what_is_whole_is_read_the_same_with_damage_beside_it(value):
    assert decoded(json.dumps(value)) == value
    assert decoded(json.dumps({"of it": value, "beside": [float("nan"), "\ud83d"]})) == {
        "of it": value, "beside": [None, "�"]
    }  # fmt: skip
