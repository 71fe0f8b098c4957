"""Whole numbers keep their digits, wherever JSON goes in or out."""

import json
import math
from types import SimpleNamespace
from typing import Any, ClassVar

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from ingather import (
    EchoProvider,
    ExtractTask,
    LLMMessage,
    LLMResponse,
    LLMTask,
    ParallelLLMExecutor,
    exact_json,
    run_sync,
)
from ingather.errors import BadRequest
from ingather.jobs import Template
from ingather.jobs.encoding import encoded
from ingather.jobs.params import parsed_param
from ingather.jobs.rows import read_jsonl
from ingather.limits.tokens import Tokens
from ingather.providers.base import QuotaKey, Request
from ingather.providers.classify import classify_exception
from ingather.providers.openai import ChatCompletions
from ingather.providers.openai_parts import call_to, called
from ingather.schema import Schema
from ingather.store.answer_table import written
from ingather.testing import Recorder

BIG = 123456789012345678901234567890
EDGES = (2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**308, 10**400, -(10**4299))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
@example({"a": [*EDGES], "b": {"c": BIG}})
def test_what_is_written_is_read_again(value):
    assert exact_json.loads(exact_json.dumps(value)) == value
    assert json.loads(exact_json.dumps(value)) == value


@given(VALUES)
def test_without_long_numbers_the_bytes_are_orjson_s(value):
    try:
        expected = orjson.dumps(value)
    except TypeError:
        return
    assert exact_json.dumps(value) == expected


@pytest.mark.parametrize("number", EDGES)
@pytest.mark.parametrize("form", ["{}", "[{}]", ' {{"a": {}, "b": "{}"}} '])
def test_numbers_of_any_length_are_whole(number, form):
    assert exact_json.loads(form.format(number, number)) == json.loads(form.format(number, number))


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 12345678901234567890123, "b": "\\ud83d"}',
        "[12345678901234567890123,]",
        "[12345678901234567890123, NaN]",
        "[012345678901234567890123]",
        "[12345678901234567890123, 1e999]",
        "[" + "1" * 400 + ", -Infinity]",
        "1" * 4301,
        "[" * 2000 + "1" * 30 + "]" * 2000,
        b'[12345678901234567890123, "\xff"]',
    ],
)
def test_what_is_no_json_is_refused_beside_long_numbers_too(text):
    with pytest.raises(exact_json.JSONDecodeError):
        exact_json.loads(text)


def test_what_cannot_be_written_is_refused_beside_long_numbers_too():
    for value in ([BIG, object()], [BIG, "\ud83d"], {"a": {BIG}}):
        with pytest.raises(TypeError):
            exact_json.dumps(value)
    assert exact_json.dumps([BIG, object], default=lambda _: "x") == b'[%d,"x"]' % BIG
    assert exact_json.dumps({BIG: BIG}, option=orjson.OPT_NON_STR_KEYS) == b'{"%d":%d}' % (BIG, BIG)


def test_a_row_s_numbers_stand_in_its_prompt_as_they_were():
    row: Any
    (row,) = read_jsonl([b'{"id": %d, "more": {"list": [%d]}}' % (BIG, -BIG)], "rows")
    assert Template("{id} {more}").render(row.fields) == f'{BIG} {{"list":[{-BIG}]}}'


def test_a_parameter_of_the_command_line_is_exact():
    assert parsed_param(f"seed={BIG}") == ("seed", BIG)


def test_a_line_of_output_is_exact_and_otherwise_as_without():
    assert encoded({"id": BIG, "text": "é"}) == f'{{"id":{BIG},"text":"é"}}\n'.encode()


def test_a_request_is_sent_with_its_numbers():
    body = ChatCompletions().encode(
        [LLMMessage("user", "Hi")], {"metadata": {"row": BIG}, "seed": BIG}
    )
    assert json.loads(body)["metadata"] == {"row": BIG}
    assert json.loads(body)["seed"] == BIG


def test_a_tool_s_arguments_come_and_go_with_their_numbers():
    written_out: Any = call_to("1", "pay", {"account": BIG})
    assert json.loads(written_out["function"]["arguments"]) == {"account": BIG}
    assert called(written_out)[2] == {"account": BIG}


def test_a_store_gives_back_what_was_said():
    response = LLMResponse("", tool_calls=[{"id": BIG}], metadata={"number": BIG})
    assert json.loads(written(response))["metadata"] == {"number": BIG}


def test_a_store_keeps_answers_to_requests_with_long_numbers(tmp_path):
    class Wire(EchoProvider):
        def prepare(self, messages, config_overrides=None):
            body = ChatCompletions().encode(messages, {"seed": BIG, "model": "m"})
            return Request(
                body, b"x\0http://localhost", QuotaKey("x", "localhost", "", "m"), Tokens(1)
            )

        async def send(self, request):
            return LLMResponse("Hi", "m", "stop", tool_calls=[{"row": BIG}])

    async def scenario(path):
        async with ParallelLLMExecutor(Wire(), store=path) as executor:
            return (await executor.gather([LLMTask("?")]))[0]

    path = tmp_path / "run.db"
    run_sync(scenario(path))
    again = run_sync(scenario(path))
    assert again.cached
    assert again.value.tool_calls == [{"row": BIG}]


def test_a_recording_gives_back_what_was_said(tmp_path):
    provider = EchoProvider(response_fn=lambda _: LLMResponse("", metadata={"number": BIG}))
    for mode in ("record", "replay"):
        recorder = Recorder(provider, tmp_path / "tape.jsonl", mode=mode)
        (result,) = run_sync(ParallelLLMExecutor(recorder).gather([LLMTask("?", {"seed": BIG})]))
        assert result.value.metadata == {"number": BIG}


class Account(BaseModel):
    number: int
    others: list[int] = []
    exact: float | None = None


@pytest.mark.parametrize("form", ["{}", "Sure: {}.", "```json\n{}\n```"])
def test_structured_answers_hold_whole_numbers(form):
    text = form.format(
        f'{{"number": {BIG}, "others": [{2**64}, null], "exact": null}}'.replace(", null]", "]")
    )
    parsed: Any = Schema.of(Account).parse(text).value
    document: Any = Schema.of(Account).document(text)
    assert (parsed.number, parsed.others, parsed.exact) == (BIG, [2**64], None)
    assert document["number"] == BIG


@pytest.mark.parametrize("split", ["fields", "single"])
def test_an_extraction_holds_whole_numbers(split):
    def answer(messages):
        prompt = messages[-1].content
        if split == "single":
            return f'{{"number": {BIG}, "others": [{BIG}], "exact": 1.5}}'
        name = prompt.rpartition("- ")[2].split()[0]
        return {
            "number": f'{{"value": {BIG}}}', "others": f'{{"items": [{BIG}]}}', "exact": '{"value": 1.5}'
        }[name]  # fmt: skip

    executor = ParallelLLMExecutor(EchoProvider(response_fn=answer))
    result: Any
    (result,) = run_sync(executor.gather([ExtractTask("…", Account, split=split)]))
    assert result.value == Account(number=BIG, others=[BIG], exact=1.5)
    assert math.isclose(result.parts["exact"].value, 1.5)


def test_the_error_of_a_client_of_one_s_own_may_hold_one():
    class Failed(Exception):
        status_code = 400
        body: ClassVar = {"message": "no", "account": BIG}

    failed = Failed("no")
    failed.response = SimpleNamespace(headers={}, status_code=400)  # type: ignore[attr-defined]
    assert isinstance(classify_exception(failed), BadRequest)
