"""All that a server says is there to be read: in the answer, out of a store, in a recording and in a batch line."""

import json

import pytest

from ingather import Budget, LLMMessage, LLMTask, ParallelLLMExecutor, Store, TaskResult
from ingather.errors import AnswerError, Truncated
from ingather.jobs.batch import ENDPOINTS
from ingather.jobs.batch_answer import batch_answer_line
from ingather.providers.anthropic import AnthropicProvider
from ingather.providers.gemini import GeminiProvider
from ingather.providers.openai import OpenAIProvider
from ingather.providers.responses import ResponsesProvider
from ingather.testing import Recorder
from tests.providers.canned import Canned
from tests.servers.raw import RawServer, answer

HI = [LLMMessage("user", "Hi")]
BIG = 123456789012345678901234567890
CHANCE: dict[str, object] = {
    "content": [{"token": "Paris", "logprob": -0.5, "bytes": None, "top_logprobs": []}],
    "refusal": None,
}
CHAT = {
    "id": "x", "object": "chat.completion", "created": 1, "model": "m", "provider": "Somebody",
    "citations": ["https://a"], "big": BIG,
    "search_results": [{"title": "A", "url": "https://a"}], "system_fingerprint": "fp", "service_tier": "flex",
    "choices": [{"index": 0, "finish_reason": "stop", "native_finish_reason": "STOP", "stop_reason": 128001,
                 "logprobs": CHANCE, "message": {"role": "assistant", "content": "Paris", "annotations": [{"a": 1}]}}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 3, "cost": 0.25, "cost_details": {"x": None}},
}  # fmt: skip
PART = {"type": "output_text", "text": "Paris", "logprobs": CHANCE["content"]}
RESPONSE = {
    "id": "x", "object": "response", "status": "completed", "background": False, "new": {"field": [1]},
    "output": [{"type": "reasoning", "summary": []}, {"type": "message", "id": "msg_1", "content": [PART]}],
    "usage": {"input_tokens": 9, "output_tokens": 3, "cost": 0.25},
}  # fmt: skip
CLAUDE = {
    "id": "x", "content": [{"type": "text", "text": "Paris", "citations": [{"url": "https://a"}]}], "new": 1,
    "stop_reason": "end_turn", "usage": {"input_tokens": 9, "output_tokens": 3, "cost": 0.25},
}  # fmt: skip
GEMINI = {
    "candidates": [{"content": {"parts": [{"text": "Paris"}]}, "finishReason": "STOP", "avgLogprobs": -0.5,
                    "logprobsResult": {"chosenCandidates": []}}],
    "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 3}, "cost": 0.25,
}  # fmt: skip
ALL: dict[str, tuple] = {
    "chat": (OpenAIProvider, CHAT, CHANCE),
    "responses": (ResponsesProvider, RESPONSE, {"content": CHANCE["content"]}),
    "anthropic": (AnthropicProvider, CLAUDE, None),
    "gemini": (GeminiProvider, GEMINI, {"chosenCandidates": []}),
}


def provider_of(name, body=None):
    kind, said, _ = ALL[name]
    return kind(
        "m", base_url="http://localhost/v1", api_key="sk-12345678", transport=Canned(body or said)
    )


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "run.db") as store:
        yield store


@pytest.mark.parametrize("name", ALL)
async def test_the_whole_answer_is_there_and_its_log_probabilities_by_name(name):
    response = await provider_of(name).complete(HI)
    assert response.raw == ALL[name][1]
    assert response.logprobs == ALL[name][2]
    assert response.cost_usd == 0.25


@pytest.mark.parametrize("name", ALL)
async def test_so_they_are_from_a_store(name, store):
    executor = ParallelLLMExecutor(provider_of(name), store=store)
    (first,), (again,) = [await executor.gather([LLMTask("Hi")]) for _ in range(2)]
    assert again.cached
    assert again.value.raw == first.value.raw == ALL[name][1]
    assert again.value.logprobs == ALL[name][2]


@pytest.mark.parametrize("name", ALL)
async def test_so_they_are_from_a_recording(name, tmp_path):
    await Recorder(provider_of(name), tmp_path / "said.jsonl").complete(HI)
    response = await Recorder(provider_of(name), tmp_path / "said.jsonl", mode="replay").complete(
        HI
    )
    assert response.raw == ALL[name][1]
    assert response.logprobs == ALL[name][2]


async def test_an_answer_that_is_an_error_has_it_too():
    body = json.loads(json.dumps(CHAT))
    body["choices"][0]["finish_reason"] = "length"
    with pytest.raises(Truncated) as caught:
        await provider_of("chat", body).complete(HI)
    assert isinstance(caught.value, AnswerError)
    assert caught.value.response is not None
    assert caught.value.response.raw == body


async def test_a_key_that_the_server_echoes_is_not_in_it():
    response = await provider_of("chat", {**CHAT, "debug": "Bearer sk-12345678"}).complete(HI)
    assert "sk-12345678" not in json.dumps(response.raw)


async def test_damage_is_mended_in_it():
    damaged = json.dumps({**CHAT, "x": 1}).replace('"x": 1', '"x": NaN, "y": "\\ud83d"').encode()
    assert (await provider_of("chat", damaged).complete(HI)).raw == {**CHAT, "x": None, "y": "�"}


def line_of(response, path):
    result = TaskResult("a", True, response, response=response)
    return json.loads(batch_answer_line(result, "a", ENDPOINTS[path]))["response"]["body"]


@pytest.mark.parametrize(
    ("name", "path"), [("chat", "/v1/chat/completions"), ("responses", "/v1/responses")]
)
async def test_a_batch_line_holds_the_answer_as_the_server_gave_it(name, path, store):
    executor = ParallelLLMExecutor(provider_of(name), store=store)
    for _ in range(2):  # from the server, then from the store
        (result,) = await executor.gather([LLMTask("Hi")])
        body = line_of(result.value, path)
        assert ALL[name][1].items() <= body.items()
        assert body["usage"]["cost"] == 0.25


async def test_an_answer_that_spans_lines_is_one_line():
    response = await provider_of("chat", json.dumps(CHAT, indent=2).encode()).complete(HI)
    line = batch_answer_line(
        TaskResult("a", True, response, response=response), "a", ENDPOINTS["/v1/chat/completions"]
    )
    assert line.count(b"\n") == 1
    assert str(BIG).encode() in line


@pytest.mark.parametrize("name", ["anthropic", "responses"])
async def test_in_the_form_of_another_api_it_is_translated(name):
    body = line_of(await provider_of(name).complete(HI), "/v1/chat/completions")
    assert body["object"] == "chat.completion"
    assert body["choices"][0]["message"]["content"] == "Paris"
    assert body["choices"][0]["logprobs"] == ALL[name][2]


# -- what it cost


def costing(usage=None, **beside):
    return {
        **CHAT,
        "usage": {"prompt_tokens": 9, "completion_tokens": 3, **(usage or {})},
        **beside,
    }


BAD: list[object] = [None, -1, True, "free", [], {}, "nan", "inf", "1e999"]
COSTS = {
    "a number": (costing({"cost": 0.002}), 0.002),
    "nothing": (costing({"cost": 0}), 0.0),
    "a string": (costing({"cost": "0.002"}), 0.002),
    "dollars": (costing({"cost": "$0.002"}), 0.002),
    "an object": (costing({"cost": {"input_tokens_cost": 0.001, "total_cost": 0.002}}), 0.002),
    "an object in dollars": (costing({"cost": {"total": 0.002, "currency": "USD"}}), 0.002),
    "another currency": (costing({"cost": 0.002, "currency": "CNY"}), None),
    "an object in another currency": (costing({"cost": {"total": 0.002, "currency": "EUR"}}), None),
    "ticks": (costing({"cost_in_usd_ticks": 37_756_000}), 0.0037756),
    "an estimate": (costing({"estimated_cost": 0.002}), 0.002),
    "beside the usage": (costing(cost=0.002), 0.002),
    "by its own name": (costing(cost_usd="0.002"), 0.002),
    "what was charged upstream is no second cost": (
        costing(
            {"cost": 0.002, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.0019}}
        ),
        0.002,
    ),
    "a key of one's own": (
        costing(
            {"cost": 0.0001, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.002}}
        ),
        0.0021,
    ),
    "a key of one's own, the bill not told": (costing({"cost": 0.0001, "is_byok": True}), None),
    **{f"{bad!r}": (costing({"cost": bad}), None) for bad in BAD},
}


@pytest.mark.parametrize("name", COSTS)
async def test_a_cost_that_the_server_tells_is_the_cost(name):
    body, cost = COSTS[name]
    found = (await provider_of("chat", body).complete(HI)).cost_usd
    assert found == (None if cost is None else pytest.approx(cost))


@pytest.mark.parametrize(("header", "cost"), [("0.002", 0.002), ("0.0", None), ("x", None)])
async def test_a_gateway_may_tell_it_in_a_header(header, cost):
    canned = Canned(costing(), headers={"x-litellm-response-cost": header})
    provider = OpenAIProvider("m", base_url="http://localhost/v1", transport=canned)
    assert (await provider.complete(HI)).cost_usd == cost


async def test_results_sums_and_the_budget_have_the_cost_that_was_told():
    async with RawServer(answer(json.dumps(costing({"cost": 0.25})))) as server:
        provider = OpenAIProvider("m", base_url=server.base_url)
        budget = Budget(max_cost_usd=1.0, prices={"*": (1.0, 1.0)})
        executor = ParallelLLMExecutor(
            provider, budget=budget, default_config_overrides={"max_tokens": 5}
        )
        results = await executor.gather([LLMTask("Hi"), LLMTask("Ho")])
        await provider.aclose()
    assert [result.cost_usd for result in results] == [0.25, 0.25]
    assert executor.stats().cost_usd == 0.5
    assert budget.spent.usd == 0.5


async def test_a_cost_that_was_told_needs_no_price():
    executor = ParallelLLMExecutor(provider_of("chat"))
    (result,) = await executor.gather([LLMTask("Hi")])
    assert result.cost_usd == 0.25
