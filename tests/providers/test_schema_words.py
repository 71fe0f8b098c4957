"""A server of one's own makes a grammar of a schema; its model reads what the schema says only in the prompt."""

from typing import Any

import pytest
from pydantic import BaseModel, Field

from ingather import ExtractTask, LLMTask, ParallelLLMExecutor, connect, run_sync
from ingather.testing import Recorder
from tests.providers.canned import Canned


class Verdict(BaseModel):
    """A judge's."""

    mood: str = Field(description="One word for the tone.", examples=["calm"])


OWN = [
    ("openai/m", {"base_url": "http://localhost:8000/v1"}),
    ("openai/m", {"base_url": "http://localhost:8000/v1", "api": "responses"}),
    ("ollama/m", {}),
    ("anthropic/m", {"base_url": "http://localhost:8000"}),
]
HOSTED = [
    ("openai/m", {"api_key": "k"}),
    ("openai/m", {"api_key": "k", "api": "responses"}),
    ("azure/m", {"base_url": "https://me.openai.azure.com", "api_key": "k"}),
    ("azure/m", {"base_url": "https://me.openai.azure.com/openai/v1", "api_key": "k"}),
    ("anthropic/m", {"api_key": "k"}),
    ("anthropic/m", {"base_url": "http://localhost:8000", "schema_mode": "tool"}),
    ("gemini/m", {"api_key": "k"}),
]


def body_of(
    model: str, options: dict[str, Any], task: Any, change: Any = lambda provider: provider
) -> Any:
    transport = Canned({}, status=400)
    provider: Any = connect(model, **options)
    provider._transport = transport
    run_sync(ParallelLLMExecutor(change(provider)).gather([task]))
    return transport.asked[0][1]


@pytest.mark.parametrize(("model", "options"), OWN)
def test_a_server_of_one_s_own_gets_it_in_its_own_form_and_in_words(model, options):
    body = body_of(model, options, LLMTask("Well?", response_model=Verdict))
    words = (
        str(body.get("messages") or body.get("input"))
        + str(body.get("instructions"))
        + str(body.get("system"))
    )
    assert "One word for the tone." in words
    assert "calm" in words
    assert {"response_format", "text", "output_config"} & body.keys()


@pytest.mark.parametrize(("model", "options"), HOSTED)
def test_a_provider_that_shows_it_to_its_model_gets_it_once(model, options):
    body = body_of(model, options, LLMTask("Well?", response_model=Verdict))
    words = body.get("messages") or body.get("input") or body.get("contents")
    assert "One word for the tone." not in str(words) + str(body.get("instructions")) + str(
        body.get("system")
    )
    assert "One word for the tone." in str(body)


def test_the_text_of_an_extraction_stays_at_the_beginning():
    body = body_of(*OWN[0], ExtractTask("A long text.", Verdict))
    (message,) = body["messages"]
    text, question = message["content"].partition("A long text.")[::2]
    assert "tone" not in text
    assert "tone" in question


def test_it_can_be_switched_off():
    def without(provider):
        provider.schema_words = False
        return provider

    body = body_of(*OWN[0], LLMTask("Well?", response_model=Verdict), without)
    assert len(body["messages"]) == 1
    assert "response_format" in body


def test_a_recorder_passes_it_on(tmp_path):
    body = body_of(
        *OWN[0],
        LLMTask("Well?", response_model=Verdict),
        lambda it: Recorder(it, tmp_path / "tape.jsonl"),
    )
    assert "One word for the tone." in str(body["messages"])
