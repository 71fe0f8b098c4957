"""How answers end, in every dialect and in the words of whoever stands behind a gateway."""

import json

import pytest
from openai.types.chat import ChatCompletion

from ingather import LLMMessage, LLMResponse, TaskResult, Usage
from ingather.errors import (
    AuthFailed,
    BadBody,
    BadRequest,
    EmptyAnswer,
    Filtered,
    ModelNotFound,
    Overloaded,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    Refused,
    ServerFault,
    TransientError,
    Truncated,
)
from ingather.jobs.batch import ENDPOINTS
from ingather.jobs.batch_answer import batch_answer_line
from ingather.providers.anthropic import AnthropicProvider
from ingather.providers.azure import AzureProvider
from ingather.providers.finish import End, end_of, in_openais_words, is_empty
from ingather.providers.gemini import GeminiProvider
from ingather.providers.openai import OpenAIProvider
from ingather.providers.responses import ResponsesProvider
from tests.providers.canned import Canned

HI = [LLMMessage("user", "Hi")]
HOME = "http://localhost/v1"

REASONS: dict[End, list[object]] = {
    End.DONE: ["stop", "STOP", "Stop", "eos", "eos_token", "end_turn", "endTurn", "stop_sequence", "Stop Sequence",
               "FinishReason.STOP", "FINISH_REASON_STOP", "REASON_STOP", "COMPLETE", "completed", "stop (eos)",
               "stop: </s>", {"type": "stop", "matched": 7}, ["stop"],
               "tool_calls", "tool-calls", "TOOL_USE", "function_call", "endoftext", "word", "end_id", "<|im_end|>",
               "<|eot_id|>", "</s>"],
    End.UNTOLD: [None, "", " ", "null", "FINISH_REASON_UNSPECIFIED", 0, False, [], {}],
    End.CUT: ["length", "LENGTH", "max_tokens", "MAX_TOKENS", "maxTokens", "FinishReason.MAX_TOKENS", "model_length",
              "max_output_tokens", "max_completion_tokens", "max_new_tokens", "maximum_tokens", "token_limit",
              "REASON_MAX_LEN", "ERROR_LIMIT", "model_context_window_exceeded", "context_length_exceeded", "pause_turn",
              "compaction", "length (max_tokens)", "length: max_tokens", "max_tokens_exceeded", "truncated",
              {"type": "length"}, ["length"], {"reason": "max_tokens"}, "loop_detected", "repetition_detected",
              "output_limit", "cutoff", "too_long", "partial"],
    End.FILTERED: ["content_filter", "content-filter", "CONTENT_FILTER", "ContentFiltered", "SAFETY", "sensitive",
                   "content_filter: RECITATION", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII",
                   "IMAGE_SAFETY", "guardrail_intervened", "ERROR_TOXIC", "content_policy_violation", "blocked",
                   "MODEL_ARMOR", "pii_detected", "HAP", "jailbreak", "flagged"],
    End.REFUSED: ["refusal", "OTHER", "LANGUAGE", "IMAGE_OTHER", "NO_IMAGE", "TOO_MANY_TOOL_CALLS", "declined"],
    End.GARBLED: ["malformed_function_call", "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE",
                  "function_call_filter: MALFORMED_FUNCTION_CALL", "malformed_tool_use", "malformed_model_output",
                  "json_schema_violation", "grammar_error"],
    End.BROKEN: ["error", "ERROR", "abort", "aborted", "network_error", "networkError", "timeout", "server_error",
                 "error: upstream disconnected", "USER_CANCEL", "cancelled", "insufficient_system_resource", "load",
                 "REASON_TIME_LIMIT", "time_limit", "not_finished", "engine_overloaded", "internal error", "failed",
                 "rate_limit_exceeded", "ratelimit",
                 "interrupted", "connection_lost", "too_many_requests", "502", "http_429", 503,
                 "out_of_memory", "oom", "evicted", "peer_closed", "kv_cache_full"],
    End.UNKNOWN: ["bored", "unknown", "something_new", "42", "…", 5, True, {"type": "bored"}, {"x": 1}],
}  # fmt: skip
EVERY = [(reason, end) for end, reasons in REASONS.items() for reason in reasons]


@pytest.mark.parametrize(("reason", "end"), EVERY)
def test_reasons_are_understood_in_whichever_words(reason, end):
    assert end_of(reason) is end


@pytest.mark.parametrize(
    ("reason", "calls", "openais"),
    [
        ("STOP", False, "stop"), ("tool_use", True, "tool_calls"), ("function_call", True, "function_call"),
        (None, True, "tool_calls"), (None, False, None), ("MAX_TOKENS", False, "length"),
        ("sensitive", False, "content_filter"), ("error", False, "error"), ("bored", False, "bored"),
    ],
)  # fmt: skip
def test_reasons_in_openais_words(reason, calls, openais):
    assert in_openais_words(reason, calls=calls) == openais


# -- each dialect

CALL_ITEM = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def chat(content="Paris", reason="stop", choice=None, body=None, **message):
    message = {"role": "assistant", "content": content, **message}
    choice = {"index": 0, "message": message, "finish_reason": reason, **(choice or {})}
    usage = {"prompt_tokens": 9, "completion_tokens": 3}
    return {
        "id": "x",
        "object": "chat.completion",
        "model": "m",
        "choices": [choice],
        "usage": usage,
        **(body or {}),
    }


def claude(content="Paris", reason="end_turn"):
    blocks = [] if content is None else [{"type": "text", "text": content}]
    usage = {"input_tokens": 9, "output_tokens": 3}
    return {
        "id": "x",
        "type": "message",
        "model": "m",
        "content": blocks,
        "stop_reason": reason,
        "usage": usage,
    }


def gemini(content="Paris", reason="STOP"):
    parts = [] if content is None else [{"text": content}]
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": reason}
    return {
        "candidates": [candidate],
        "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 3},
    }


def responses(content="Paris", reason=None, *, status="completed", item="completed"):
    part = {"type": "output_text", "text": content, "annotations": []}
    output = [] if content is None else [{"type": "message", "status": item, "content": [part]}]
    usage = {"input_tokens": 9, "output_tokens": 3}
    about = {} if reason is None else {"incomplete_details": {"reason": reason}}
    return {
        "id": "x",
        "object": "response",
        "status": status,
        "output": output,
        "usage": usage,
        **about,
    }


def asked(kind, body, **headers):
    canned = Canned(
        body, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    return kind("m", base_url=HOME, transport=canned).complete(HI)


async def failure(kind, body, **headers):
    with pytest.raises(ProviderError) as caught:
        await asked(kind, body, **headers)
    return caught.value


BY_END = {
    End.CUT: Truncated, End.FILTERED: Filtered, End.REFUSED: Refused, End.GARBLED: BadBody, End.UNKNOWN: Refused
}  # fmt: skip
SPEAKERS = {"chat": (OpenAIProvider, chat), "azure": (AzureProvider, chat), "anthropic": (AnthropicProvider, claude),
            "gemini": (GeminiProvider, gemini)}  # fmt: skip


@pytest.mark.parametrize("speaker", SPEAKERS)
@pytest.mark.parametrize(("reason", "end"), EVERY)
async def test_an_end_is_an_answer_or_the_error_that_it_says(speaker, reason, end):
    kind, body = SPEAKERS[speaker]
    if end in (End.DONE, End.UNTOLD):
        assert (await asked(kind, body(reason=reason))).content == "Paris"
        return
    error = await failure(kind, body(reason=reason))
    if end is End.BROKEN:
        assert isinstance(error, TransientError | RateLimited)
    else:
        assert type(error) is BY_END[end]
    assert error.response.content == "Paris"
    assert error.response.usage == Usage(9, 3)


async def test_a_reason_nobody_knows_is_named():
    error = await failure(OpenAIProvider, chat(reason="bored"))
    assert "bored" in str(error)
    assert error.response.finish_reason == "bored"


@pytest.mark.parametrize(
    ("native", "kind"),
    [
        ("SAFETY", Filtered),
        ("MAX_TOKENS", Truncated),
        ("MALFORMED_FUNCTION_CALL", BadBody),
        ("error", TransientError),
    ],
)
async def test_a_gateway_makes_no_good_end_of_a_bad_one(native, kind):
    error = await failure(OpenAIProvider, chat(choice={"native_finish_reason": native}))
    assert isinstance(error, kind)
    assert error.response.finish_reason == native


@pytest.mark.parametrize("native", ["STOP", "completed", "end_turn", "bored", None])
async def test_a_native_reason_that_is_not_bad_changes_nothing(native):
    assert (
        await asked(OpenAIProvider, chat(choice={"native_finish_reason": native}))
    ).finish_reason == "stop"


async def test_a_choice_without_a_message_says_why():
    body = chat("x", "content_filter", {"message": None})
    assert type(await failure(OpenAIProvider, body)) is Filtered


async def test_a_reason_in_an_older_place_counts():
    body = chat(reason=None, choice={"finish_details": {"type": "max_tokens"}})
    assert type(await failure(OpenAIProvider, body)) is Truncated


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (responses(status="completed", item="incomplete"), Truncated),
        (responses(status="completed", item="failed"), TransientError),
        (responses(status="completed", reason="max_output_tokens"), Truncated),
        (responses(None) | {"output": [{**CALL_ITEM, "status": "incomplete"}]}, Truncated),
        (responses(status="incomplete", reason="max_output_tokens"), Truncated),
        (responses(status="incomplete", reason="max_tokens"), Truncated),
        (responses(status="incomplete", reason="SAFETY"), Filtered),
        (responses(status="incomplete", reason="network_error"), TransientError),
        (responses(status="incomplete", reason="bored"), Truncated),
        *[
            (responses(status=status), BadBody)
            for status in ("queued", "in_progress", "cancelled", "failed", "bored")
        ],
    ],
)
async def test_a_response_that_is_not_completed_is_none(body, kind):
    assert isinstance(await failure(ResponsesProvider, body), kind)


async def test_the_status_of_a_response_counts_in_any_case():
    assert (await asked(ResponsesProvider, responses(status="COMPLETED"))).content == "Paris"


# -- errors within an answer

ERRORS = [
    ({"code": 502, "message": "Provider returned error"}, Overloaded, None),
    ({"code": "503", "message": "x"}, Overloaded, None),
    ({"code": 429, "message": "Rate limit reached. Please try again in 20s."}, RateLimited, 20),
    ({"code": 429, "message": "x", "metadata": {"headers": {"Retry-After": "7"}}}, RateLimited, 7),
    ({"code": 500, "message": "x"}, ServerFault, None),
    ({"code": "rate_limit_exceeded", "message": "x"}, RateLimited, None),
    ({"type": "overloaded_error", "message": "x"}, Overloaded, None),
    ({"code": 400, "message": "x"}, BadRequest, None),
    ({"code": "insufficient_quota", "message": "x"}, QuotaExhausted, None),
    ({"code": 401, "message": "x"}, AuthFailed, None),
    ({"code": "model_not_found", "message": "x"}, ModelNotFound, None),
    ({"code": "content_filter", "message": "x"}, Filtered, None),
    ({"message": "the upstream hung up"}, ServerFault, None),
    ("the upstream hung up", ServerFault, None),
]
PLACES = {
    "in the choice": lambda error: chat("half", "error", {"error": error}),
    "in a choice that ended well": lambda error: chat("half", "stop", {"error": error}),
    "in a choice without a message": lambda error: {
        "choices": [{"error": error, "finish_reason": "error"}]
    },
    "in the message": lambda error: chat("half", "stop", error=error),
    "beside the choices": lambda error: chat("half", body={"error": error}),
    "in a list beside the choices": lambda error: chat("half", body={"errors": [error]}),
    "beside choices that are none": lambda error: {"error": error, "choices": [{"x": 1}]},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("error", "kind", "wait"), ERRORS)
async def test_an_error_object_is_that_error_wherever_it_stands(place, error, kind, wait):
    found = await failure(OpenAIProvider, PLACES[place](error))
    assert type(found) is kind
    assert found.retry_after == wait
    assert (error if isinstance(error, str) else error["message"]) in str(found)


@pytest.mark.parametrize("nothing", [None, {}, "", False, {"code": 0, "message": ""}, {"code": None, "message": "",
                                     "type": ""}, {"code": 200}, {"code": "200", "message": "success"}])  # fmt: skip
async def test_an_error_object_that_says_nothing_is_none(nothing):
    assert (
        await asked(OpenAIProvider, chat(body={"error": nothing}, choice={"error": nothing}))
    ).content == "Paris"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"object": "error", "message": "x", "code": 429}, RateLimited),
        ({"type": "error", "error": {"type": "overloaded_error", "message": "x"}}, Overloaded),
        ({"message": "x", "code": "insufficient_quota"}, QuotaExhausted),
        ({"detail": "x", "status": "unavailable"}, Overloaded),
        ({"choices": None, "error": {"code": 502, "message": "x"}}, Overloaded),
    ],
)
async def test_an_error_in_place_of_an_answer_is_that_error(body, kind):
    assert type(await failure(OpenAIProvider, body)) is kind


# -- nothing in it

THOUGHTS = ["<think>Hm.</think>", "<think>Hm.</think>\n\n", " <thinking>a</thinking><think>b</think>", "<think>Hm.",
            "[THINK]Hm.[/THINK]", "<thought>x</thought>", "<seed:think>x</seed:think>", "◁think▷x◁/think▷",
            "Hm.\n</think>\n", "<|channel|>analysis<|message|>Hm.<|end|>",
            "<|begin_of_thought|>x<|end_of_thought|>", "<THINK>x</THINK>", '<think a="b">x</think>',
            "<|channel>thought\nHm.<channel|>", "<reasoning>x</reasoning>", "<think>x</think><|im_end|>", "</s>",
            '<details type="reasoning" done="true"><summary>Thought</summary>x</details>']  # fmt: skip
BLANK = ["", " ", "\n\n\t", "\u200b", "\ufeff", "\xa0", *THOUGHTS]
EMPTY = {
    **{f"chat {text!r}": (OpenAIProvider, chat(text)) for text in BLANK},
    **{f"anthropic {text!r}": (AnthropicProvider, claude(text)) for text in BLANK},
    **{f"gemini {text!r}": (GeminiProvider, gemini(text)) for text in BLANK},
    **{f"responses {text!r}": (ResponsesProvider, responses(text)) for text in BLANK},
    "no content": (OpenAIProvider, chat(None)),
    "no content and no reason": (OpenAIProvider, chat(None, None)),
    "calls that are none": (OpenAIProvider, chat(None, "tool_calls", tool_calls=[])),
    "reasoning": (OpenAIProvider, chat(None, reasoning_content="Hm.", reasoning="Hm.")),
    "a part that thinks": (
        OpenAIProvider,
        chat([{"type": "thinking", "thinking": [{"text": "Hm."}]}]),
    ),
    "no blocks": (AnthropicProvider, claude(None)),
    "a block that thinks": (
        AnthropicProvider,
        claude(None) | {"content": [{"type": "thinking", "thinking": "Hm."}]},
    ),
    "no parts": (GeminiProvider, gemini(None)),
    "a part with a thought": (
        GeminiProvider,
        {
            "candidates": [
                {"content": {"parts": [{"text": "Hm.", "thought": True}]}, "finishReason": "STOP"}
            ]
        },
    ),
    "no output": (ResponsesProvider, responses(None)),
    "an item that thinks": (
        ResponsesProvider,
        responses(None) | {"output": [{"type": "reasoning", "summary": []}]},
    ),
    "a search": (
        ResponsesProvider,
        responses(None) | {"output": [{"type": "web_search_call", "id": "ws"}]},
    ),
}


@pytest.mark.parametrize("name", EMPTY)
async def test_an_answer_without_anything_in_it_is_an_error_that_holds_it(name):
    kind, body = EMPTY[name]
    error = await failure(kind, body)
    assert type(error) is EmptyAnswer
    assert error.response is not None


AUDIO = {"id": "audio_1", "data": "UklGRg==", "transcript": ""}
FULL = {
    "a zero": (OpenAIProvider, chat("0")),
    "a thought and an answer": (OpenAIProvider, chat("<think>Hm.</think>Paris")),
    "a thought and an answer, the first tag dropped": (OpenAIProvider, chat("Hm.</think>Paris")),
    "a tag that is an answer": (OpenAIProvider, chat("<answer></answer>")),
    "an analysis": (OpenAIProvider, chat("<analysis>All is well.</analysis>")),
    "channels": (
        OpenAIProvider,
        chat(
            "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Paris"
        ),
    ),
    "a call": (OpenAIProvider, chat(None, "tool_calls", tool_calls=[CALL])),
    "a call that ends with stop": (OpenAIProvider, chat("", "stop", tool_calls=[CALL])),
    "the older call": (
        OpenAIProvider,
        chat(None, "function_call", function_call={"name": "f", "arguments": "{}"}),
    ),
    "sound": (OpenAIProvider, chat(None, audio=AUDIO)),
    "a picture": (
        OpenAIProvider,
        chat("", images=[{"type": "image_url", "image_url": {"url": "data:"}}]),
    ),
    "a picture among the parts": (
        OpenAIProvider,
        chat([{"type": "image_url", "image_url": {"url": "data:"}}]),
    ),
    "a tool of Anthropic's": (
        AnthropicProvider,
        claude(None, "tool_use")
        | {"content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}]},
    ),
    "code of Gemini's": (
        GeminiProvider,
        {
            "candidates": [
                {"content": {"parts": [{"inlineData": {"data": "x"}}]}, "finishReason": "STOP"}
            ]
        },
    ),
    "a call in a response": (
        ResponsesProvider,
        responses(None)
        | {"output": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}]},
    ),
    "a picture in a response": (
        ResponsesProvider,
        responses(None) | {"output": [{"type": "image_generation_call", "result": "x"}]},
    ),
}


@pytest.mark.parametrize("name", FULL)
async def test_calls_sounds_and_pictures_are_something(name):
    kind, body = FULL[name]
    assert not is_empty(await asked(kind, body))


async def test_what_was_cut_refused_or_filtered_is_that_even_if_empty():
    assert type(await failure(OpenAIProvider, chat("", "length"))) is Truncated
    assert type(await failure(OpenAIProvider, chat(None, "SAFETY"))) is Filtered
    assert type(await failure(OpenAIProvider, chat(None, refusal="no"))) is Refused


# -- batch lines


@pytest.mark.parametrize("path", ENDPOINTS)
@pytest.mark.parametrize(("reason", "end"), EVERY)
def test_only_a_good_end_is_written_as_one(path, reason, end):
    response = LLMResponse("Paris", "m", reason)
    line = json.loads(
        batch_answer_line(TaskResult("a", True, response, response=response), "a", ENDPOINTS[path])
    )
    body = line["response"]["body"]
    is_good = end in (End.DONE, End.UNTOLD)
    if path.endswith("responses"):
        assert (body["status"] == "completed") == is_good
    elif is_good:
        assert ChatCompletion.model_validate(body, strict=True).choices[0].finish_reason != "length"
    else:
        assert body["choices"][0]["finish_reason"] not in ("stop", "tool_calls", "function_call")


THOUGHTS = ["<think>{}</think>", "<seed:think>{}</seed:think>", "<longcat_think>{}</longcat_think>",
            "<unused94>thought\n{}<unused95>", "<|START_THINKING|>{}<|END_THINKING|>",
            "<|inner_prefix|>{}<|inner_suffix|>", "‹｜think｜>{}‹｜/think｜>", "◁think▷{}◁/think▷"]  # fmt: skip


@pytest.mark.parametrize("form", THOUGHTS)
def test_an_answer_of_thoughts_alone_is_empty_in_every_form(form):
    assert is_empty(LLMResponse(form.format("It may be Paris.")))
    assert is_empty(LLMResponse(form.partition("{}")[0] + "It may be"))
    assert not is_empty(LLMResponse(form.format("It may be Paris.") + "Paris."))
