"""An answer that ends at the output limit, and is complete all the same, is an answer."""

import json
from typing import Any

import pytest
from pydantic import BaseModel

from ingather import ExtractTask, LLMResponse, LLMTask, ParallelLLMExecutor, run_sync
from ingather.errors import Truncated
from ingather.providers.anthropic import AnthropicProvider
from ingather.providers.gemini import GeminiProvider
from ingather.providers.openai import OpenAIProvider
from ingather.providers.responses import ResponsesProvider
from tests.providers.canned import Canned


class Point(BaseModel):
    x: int
    y: int = 0


WHOLE = '{"x": 1, "y": 2}'


def chat(text):
    body = {"choices": [{"message": {"content": text}, "finish_reason": "length"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 9}}  # fmt: skip
    return OpenAIProvider("m", base_url="http://localhost/v1", transport=Canned(body))


def messages(text):
    body = {"content": [{"type": "text", "text": text}], "stop_reason": "max_tokens", "model": "m"}
    return AnthropicProvider("m", base_url="http://localhost", transport=Canned(body))


def gemini(text):
    body = {"candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": "MAX_TOKENS"}]}
    return GeminiProvider("m", base_url="http://localhost", transport=Canned(body))


def responses(text):
    said = {
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text}],
    }
    body = {
        "status": "incomplete",
        "incomplete_details": {"reason": "max_output_tokens"},
        "output": [said],
    }
    return ResponsesProvider("m", base_url="http://localhost/v1", transport=Canned(body))


class Bare:
    def __init__(self, text):
        self.text = text

    async def complete(self, messages, config_overrides=None):
        return LLMResponse(self.text, finish_reason="length")


DIALECTS = [chat, messages, gemini, responses, Bare]


def asked(provider: Any, task: Any = None, **options: Any) -> Any:
    async def scenario():
        async with ParallelLLMExecutor(provider, **options) as executor:
            return (await executor.gather([task or LLMTask("?", response_model=Point)]))[0]

    return run_sync(scenario())


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "text",
    [
        WHOLE,
        f"{WHOLE}\n\n  ",
        f"<think>{{}}</think>\n{WHOLE}",
        f"```json\n{WHOLE}\n```",
        f"```json\n{WHOLE}```",
    ],
)
def test_complete_json_that_ends_at_the_limit_is_the_answer(dialect, text):
    result = asked(dialect(text))
    assert (result.value, result.attempts) == (Point(x=1, y=2), 1)
    assert result.response.finish_reason == "length"


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "text",
    ['{"x": 1, "y"', '{"x": 1', "", f"Draft: {WHOLE}", f"Draft:\n{WHOLE}\nFinal:", f"<think>{WHOLE}", '{"y": 1}', "[1]",
     f"{WHOLE} {WHOLE}"],
)  # fmt: skip
def test_what_is_cut_does_not_fit_or_may_be_a_draft_is_none(dialect, text):
    result = asked(dialect(text))
    assert isinstance(result.error, Truncated)
    assert result.response.content == text.strip() or result.response.content == text


def test_a_number_that_may_go_on_is_no_answer():
    assert isinstance(asked(chat("12"), LLMTask("?", response_model=int)).error, Truncated)
    assert asked(chat('{"value": 12}'), LLMTask("?", response_model=int)).value == 12


def test_without_a_response_model_an_answer_at_the_limit_is_cut():
    assert isinstance(asked(chat(WHOLE), LLMTask("?")).error, Truncated)


def test_it_is_stored_and_served_again_to_who_asks_for_the_same_type(tmp_path):
    provider = chat(WHOLE)
    for times, cached in ((1, False), (1, True)):
        result = asked(provider, store=tmp_path / "run.db")
        assert (result.value, result.cached) == (Point(x=1, y=2), cached)
        assert len(provider._transport.asked) == times

    asked_by_hand = LLMTask(
        [
            {"role": message["role"], "content": message["content"]}
            for message in provider._transport.asked[0][1]["messages"]
        ],
        {"response_format": provider._transport.asked[0][1]["response_format"]},
    )
    result = asked(provider, asked_by_hand, store=tmp_path / "run.db")
    assert isinstance(result.error, Truncated)
    assert len(provider._transport.asked) == 2


@pytest.mark.parametrize("split", ["single", "fields"])
def test_the_parts_of_an_extraction_too(split):
    text = WHOLE if split == "single" else json.dumps({"value": 1})
    result = asked(chat(text), ExtractTask("…", Point, split=split))
    assert result.success
    assert result.attempts == (1 if split == "single" else 2)
