"""Parameters of a call: those given as keyword arguments of its task, and the names that servers know."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from dataclasses import fields
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_OTHERWISE = {
    "api_key": "give it to connect()",
    "base_url": "give it to connect()",
    "headers": "give them to connect()",
    "max_concurrency": "give it to the executor",
    "prompt": "it goes first, without a name",
    "system_prompt": "write system=",
    "max_retries": "write retry=RetryConfig(max_attempts=…)",
    "retries": "write retry=RetryConfig(max_attempts=…)",
    "num_retries": "write retry=RetryConfig(max_attempts=…)",
    "params": "write them as keyword arguments, or as config_overrides={…}",
}
_NOT_OURS = {"samplers"}  # llama.cpp's, near as it is to `sample`

_NAMES = {
    "OpenAI, Chat Completions": """audio frequency_penalty function_call functions logit_bias logprobs
        max_completion_tokens max_tokens metadata modalities model n parallel_tool_calls prediction presence_penalty
        prompt_cache_key prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier
        stop store stream stream_options temperature tool_choice tools top_logprobs top_p user verbosity
        web_search_options moderation prompt_cache_options""",
    "OpenAI, Responses": """background conversation context_management include instructions max_output_tokens
        max_tool_calls previous_response_id prompt reasoning text truncation""",
    "OpenAI's package": "extra_body",
    "Anthropic": """cache_control container inference_geo mcp_servers output_config output_format speed stop_sequences
        system thinking top_k""",
    "Gemini": """cachedContent candidateCount candidate_count enableEnhancedCivicAnswers
        frequencyPenalty generationConfig labels
        logprobs maxOutputTokens mediaResolution presencePenalty responseJsonSchema responseLogprobs responseMimeType
        responseModalities responseSchema safetySettings seed speechConfig stopSequences systemInstruction temperature
        thinkingConfig toolConfig topK topP""",
    "vLLM, SGLang": """add_generation_prompt add_special_tokens allowed_token_ids bad_words best_of
        chat_template chat_template_kwargs continue_final_message custom_params documents ebnf echo
        guided_choice guided_decoding_backend guided_grammar guided_json guided_regex guided_whitespace_pattern
        ignore_eos include_reasoning include_stop_str_in_output json_schema kv_transfer_params length_penalty lora_path
        min_p min_tokens mm_processor_kwargs no_stop_trim priority prompt_logprobs regex repetition_penalty
        return_hidden_states return_token_ids return_tokens_as_token_ids separate_reasoning skip_special_tokens
        spaces_between_special_tokens stop_regex stop_token_ids stream_reasoning structural_tag structured_outputs
        thinking_token_budget top_k truncate_prompt_tokens use_beam_search vllm_xargs request_id cache_salt""",
    "llama.cpp": """cache_prompt dry_allowed_length dry_base dry_multiplier dry_penalty_last_n dry_sequence_breakers
        dynatemp_exponent dynatemp_range grammar id_slot lora min_keep mirostat mirostat_eta mirostat_tau n_discard
        n_indent n_keep n_predict n_probs parse_tool_calls post_sampling_probs reasoning_format repeat_last_n
        repeat_penalty return_progress return_tokens samplers t_max_predict_ms timings_per_token top_n_sigma typical_p
        typ_p xtc_probability xtc_threshold thinking_forced_open thinking_budget_tokens reasoning_budget""",
    "Ollama, LM Studio": "draft_model format keep_alive num_ctx num_predict options think ttl",
    "others of theirs": """custom_logit_processor guided_decoding logits_processors logprob_start_len media_io_kwargs
        repetition_detection return_logprob return_routed_experts rid temperature_last top_logprobs_num
        adapter_id details do_sample min_new_tokens return_full_text truncate watermark""",
    "services": """compound_custom disable_reasoning disable_search disable_tool_validation citation_options
        clear_thinking context_length_exceeded_behavior contextual_response_format deferred disable_tool_validation
        do_sample echo enable_search enable_thinking exclude_domains image_response_format include_domains
        include_reasoning language_preference last_updated_after_filter last_updated_before_filter media_response_format
        models num_search_results partial perf_metrics_in_response plugins prompt_mode prompt_truncate_len provider
        provider_options random_seed raw_output reasoning_format reasoning_history reasoning_split repetition_penalty
        request_id response_language return_images return_related_questions route safe_prompt safety_model
        search_after_date_filter search_before_date_filter search_domain_filter search_language_filter search_mode
        search_options search_parameters search_recency_filter search_settings session_id speculation
        stream_mode thinking_budget tool_stream top_a thinking_config tool_config trace transforms translation_options
        safety_mode conversation_id prompt_id typical_p usage web_search_options""",
}
"""Whose → names that its documentation gives. To be complete is not needed: other names are sent as they are."""

_SYNONYMS = {
    "max_new_tokens": "max_tokens",
    "max_length": "max_tokens",
    "temp": "temperature",
    "stop_words": "stop",
}
KNOWN = frozenset(name for names in _NAMES.values() for name in names.split())
_LIKELY = 0.85  # share of signs in common, as difflib counts it
_MAKERS = (
    "ingather.task_params", "ingather.task", "ingather.extract_task", "ingather.engine.arguments",
    "ingather.engine.executor", "ingather.providers.connect_options",
    "ingather.providers.connect", "dataclasses",
)  # fmt: skip
"""Modules between the line of the user's that gives parameters and here."""


def with_params(
    overrides: Mapping[str, object] | None, params: Mapping[str, object]
) -> Mapping[str, object] | None:
    """`overrides` and `params` together. Raises TypeError where both give one, and for overrides of another form.

    Warns of names that are likely slips.

    >>> with_params({"seed": 1}, {"temperature": 0})
    {'seed': 1, 'temperature': 0}
    """
    if overrides is not None and not isinstance(overrides, Mapping):
        raise TypeError(f"config_overrides is a mapping of parameters, not {overrides!r:.80}")
    twice = [name for name in params if name in (overrides or {})]
    if twice:
        raise TypeError(f"{twice[0]!r} is given twice: by {twice[0]}= and in config_overrides")
    together = {**(overrides or {}), **params} if params else overrides
    warn_of_typos(together)
    return together


def refuse_unknown(params: Mapping[str, object], kind: type[DataclassInstance], *also: str) -> None:
    """Raise TypeError for a keyword argument that is a slip, and no parameter of the provider's.

    `kind`: the class of the task; `also`: its keyword arguments that are no fields.
    """
    if not params:
        return
    own = [*(item.name for item in fields(kind)), *also]
    for name in params:
        if name in _OTHERWISE:
            raise TypeError(f"{kind.__name__} takes no {name}=: {_OTHERWISE[name]}")
        close = [] if name in _NOT_OURS else get_close_matches(name, own, n=1, cutoff=0.75)
        if close:
            raise TypeError(f"{kind.__name__} takes no {name}=: did you mean {close[0]}=?")


def names_in(params: Mapping[str, object]) -> list[str]:
    """All names, those of fields in ``extra_body`` among them.

    >>> names_in({"top_p": 1, "extra_body": {"top_k": 5}})
    ['top_p', 'extra_body', 'top_k']
    """
    extra = params.get("extra_body")
    return [*params, *(extra if isinstance(extra, Mapping) else ())]


@lru_cache(maxsize=1000)
def likely_typo(name: str) -> str | None:
    """The parameter that `name` is likely a slip of; None for one that is known, or like none that is.

    >>> likely_typo("temprature"), likely_typo("temperature"), likely_typo("my_server_s_own")
    ('temperature', None, None)
    """
    if name in KNOWN:
        return None
    plain = name.strip().lower().replace("-", "_")
    if plain in KNOWN:
        return plain
    for alike in (_squeezed, _letters):
        if same := next(
            (known for known in sorted(KNOWN, reverse=True) if alike(known) == alike(plain)), None
        ):
            return same
    near = get_close_matches(plain, KNOWN, 1, cutoff=_LIKELY)
    return _SYNONYMS.get(plain) or (near[0] if near else None)


def warn_of_typos(params: Mapping[str, object] | None) -> None:
    """Warn, at the line that gives them, of names that are likely slips. They are sent all the same.

    A task that the library makes of another, or of a row that it has checked, is not looked at
    again.
    """
    names = names_in(params or {})
    slips = [
        (name, meant) for name in names if isinstance(name, str) and (meant := likely_typo(name))
    ]
    if not slips:
        return
    frame, level = sys._getframe(), 1  # noqa: SLF001 - as warnings.warn finds it
    while frame.f_back is not None and frame.f_globals.get("__name__") in _MAKERS:
        frame, level = frame.f_back, level + 1
    if str(frame.f_globals.get("__name__")).startswith("ingather."):
        return
    for name, meant in slips:
        warnings.warn(f"{name!r} is sent as it is: did you mean {meant!r}?", stacklevel=level)


def _squeezed(name: str) -> str:
    return name.lower().replace("_", "")


def _letters(name: str) -> list[str]:
    return sorted(_squeezed(name))
