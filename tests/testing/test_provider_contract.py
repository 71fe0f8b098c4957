"""The suite for providers of others is what ours keep to as well, and what a careless one fails."""

from typing import Any

import pytest

from ingather import LLMResponse, connect
from ingather.testing.contract_server import Scripted
from ingather.testing.provider_contract import ProviderContract


class TestChatCompletions(ProviderContract):
    def connect(self, base_url, **options):
        return connect("openai/m", base_url=base_url, **options)

    def answer(self, text, finish_reason="stop"):
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": finish_reason}
        usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
        return {"id": "1", "model": "m", "choices": [choice], "usage": usage}

    def cut(self, text):
        return self.answer(text, "length")


class TestResponses(ProviderContract):
    def connect(self, base_url, **options):
        return connect("openai/m", base_url=base_url, api="responses", **options)

    def answer(self, text, **more):
        content = [{"type": "output_text", "text": text, "annotations": []}]
        message = {
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": content,
        }
        usage = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
        return {
            "id": "1",
            "model": "m",
            "status": "completed",
            "output": [message],
            "usage": usage,
            **more,
        }

    def cut(self, text):
        why = {"reason": "max_output_tokens"}
        return self.answer(text, status="incomplete", incomplete_details=why)


class TestAnthropic(ProviderContract):
    def connect(self, base_url, **options):
        return connect("anthropic/m", base_url=base_url, **options)

    def answer(self, text, stop_reason="end_turn"):
        content = [{"type": "text", "text": text}]
        usage = {"input_tokens": 7, "output_tokens": 3}
        return {
            "id": "1", "type": "message", "role": "assistant", "model": "m", "content": content,
            "stop_reason": stop_reason, "usage": usage,
        }  # fmt: skip

    def cut(self, text):
        return self.answer(text, "max_tokens")

    def error(self, message):
        return {"type": "error", "error": {"type": "api_error", "message": message}}


class TestGemini(ProviderContract):
    def connect(self, base_url, **options):
        return connect("gemini/m", base_url=base_url, **options)

    def answer(self, text, finish="STOP"):
        candidate = {
            "content": {"role": "model", "parts": [{"text": text}]},
            "finishReason": finish,
        }
        usage = {"promptTokenCount": 7, "candidatesTokenCount": 3, "totalTokenCount": 10}
        return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "m"}

    def cut(self, text):
        return self.answer(text, "MAX_TOKENS")


# -- it is no formality


class Careless:
    """Answers whatever comes, with whatever it likes."""

    def __init__(self, base_url, api_key, **_):
        self.base_url, self.api_key = base_url, api_key

    async def complete(self, messages, config_overrides=None):
        return LLMResponse("I do not care")

    def __repr__(self):
        return f"Careless({self.api_key})"


class Contract(ProviderContract):
    def connect(self, base_url, **options):
        return Careless(base_url, **options)

    def answer(self, text):
        return {"text": text}


TESTS = [name for name in vars(ProviderContract) if name.startswith("test_")]


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in TESTS
        if "no_answer" not in name
        and "cut" not in name
        and "equal" not in name
        and "stored" not in name
    ],
)
def test_a_careless_provider_fails_it(name):
    from ingather.testing.contract_server import ContractServer

    contract = Contract()
    test: Any = getattr(contract, name)
    with ContractServer() as server:
        server.script = [Scripted(200, {})]
        provider = contract.connect(server.base_url, api_key="contract-key-0123456789")
        given = {"status": 503} if "status" in test.__code__.co_varnames else {}
        if "cancelled" in name:
            pytest.skip("it never asks, and the test waits for it to")
        with pytest.raises(AssertionError):
            test(server, provider, **given)


def test_the_names_of_its_tests_are_kept():
    """Third parties deselect by them."""
    assert len(TESTS) >= 17
