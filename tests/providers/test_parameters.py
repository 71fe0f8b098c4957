"""Which names of parameters are likely slips, and of which."""

import pytest

from ingather.providers.parameters import KNOWN, likely_typo

SLIPS = {
    "temprature": "temperature",
    "temperatur": "temperature",
    "temp": "temperature",
    "Temperature": "temperature",
    "top-p": "top_p",
    "maxTokens": "max_tokens",
    "max_token": "max_tokens",
    "max_tokns": "max_tokens",
    "max_new_tokens": "max_tokens",
    "response_fromat": "response_format",
    "resoning_effort": "reasoning_effort",
    "chat_template_kwarg": "chat_template_kwargs",
    "frequencypenalty": "frequency_penalty",
    "presence_penality": "presence_penalty",
    "stop_words": "stop",
    "modle": "model",
    "tool": "tools",
    "logprob": "logprobs",
}


@pytest.mark.parametrize(("written", "meant"), SLIPS.items())
def test_slip_has_a_name_that_was_meant(written, meant):
    assert likely_typo(written) == meant


NO_SLIPS = """chat_template_kwargs guided_json guided_regex guided_choice structured_outputs thinking logprobs
    top_logprobs seed extra_body reasoning_effort reasoning provider models route plugins transforms top_k top_a min_p
    topK topP thinkingConfig thinking_config thinking_budget enable_thinking random_seed safe_prompt search_parameters
    n_predict cache_prompt mirostat repeat_penalty repetition_penalty ignore_eos min_tokens stop_token_ids priority
    my_own x a top_n n_best google json_mode verbose lora"""


@pytest.mark.parametrize("name", NO_SLIPS.split())
def test_name_that_a_server_knows_or_nobody_is_none(name):
    assert likely_typo(name) is None


def test_no_known_name_is_a_slip_of_another():
    assert [name for name in KNOWN if likely_typo(name) is not None] == []
