"""What the Gemini dialect posts: OpenAI's words in Gemini's own, and nothing silently dropped."""

import json

import pytest

from ingather import LLMMessage
from ingather.errors import BadRequest, SetupError
from ingather.limits.tokens import Tokens
from ingather.providers.base import WireProvider
from ingather.providers.gemini import GEMINI_URL, GeminiProvider

HI = [LLMMessage("user", "Hi")]
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
PERSON = {
    "type": "object",
    "properties": {"age": {"type": "integer", "minimum": 0}},
    "required": ["age"],
}
FORM = {"type": "json_schema", "json_schema": {"name": "P", "schema": PERSON, "strict": True}}


def provider(model="gemini-3-flash", **options):
    return GeminiProvider(model, base_url="http://localhost:1", **options)


def sent(messages=HI, overrides=None, **options):
    return json.loads(provider(**options).prepare(messages, overrides).body)


def url_of(base_url=GEMINI_URL, model="gemini-3-flash"):
    return GeminiProvider(model, base_url=base_url)._endpoint.url


def test_it_is_a_wire_provider():
    assert isinstance(provider(), WireProvider)


def test_least_request():
    assert sent() == {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}


# -- the path and the key


@pytest.mark.parametrize("base_url", [GEMINI_URL, f"{GEMINI_URL}/", f"{GEMINI_URL}/v1beta"])
def test_path_holds_the_model(base_url):
    assert url_of(base_url) == f"{GEMINI_URL}/v1beta/models/gemini-3-flash:generateContent"


def test_version_of_the_base_url_stays():
    assert url_of(f"{GEMINI_URL}/v1") == f"{GEMINI_URL}/v1/models/gemini-3-flash:generateContent"


def test_tuned_models_have_a_path_of_their_own():
    assert (
        url_of(model="tunedModels/mine-1")
        == f"{GEMINI_URL}/v1beta/tunedModels/mine-1:generateContent"
    )


@pytest.mark.parametrize(
    "model", ["../files", "a?key=b", "m:streamGenerateContent", "a/b/c", "m#x", "m\n", "..", "a b"]
)
def test_model_that_would_lead_elsewhere_is_refused(model):
    with pytest.raises(SetupError, match="no name of a Gemini model"):
        url_of(model=model)
    with pytest.raises(SetupError, match="no name of a Gemini model"):
        provider().prepare(HI, {"model": model})


def test_key_is_in_a_header_and_not_in_the_url():
    endpoint = provider(api_key="AIza-12345678")._endpoint
    assert endpoint.headers["x-goog-api-key"] == "AIza-12345678"
    assert "AIza" not in endpoint.url


def test_model_of_the_call_changes_path_identity_and_quota_but_not_the_body():
    used = provider()
    one, two = used.prepare(HI), used.prepare(HI, {"model": "gemini-3-pro"})
    assert one.body == two.body
    assert one.identity != two.identity
    assert two.quota == one.quota._replace(model="gemini-3-pro")


# -- parameters

TRANSLATED = {
    "OpenAI's words": (
        {"temperature": 0, "top_p": 0.9, "top_k": 4, "max_tokens": 9, "seed": 7, "presence_penalty": 1},
        {"temperature": 0, "topP": 0.9, "topK": 4, "maxOutputTokens": 9, "seed": 7, "presencePenalty": 1},
    ),
    "one stop": ({"stop": "END"}, {"stopSequences": ["END"]}),
    "several stops": ({"stop": ["a", "b"]}, {"stopSequences": ["a", "b"]}),
    "probabilities": ({"logprobs": True, "top_logprobs": 3}, {"responseLogprobs": True, "logprobs": 3}),
    "effort": ({"reasoning_effort": "high"}, {"thinkingConfig": {"thinkingLevel": "high"}}),
    "no thinking": ({"reasoning_effort": "none"}, {"thinkingConfig": {"thinkingBudget": 0}}),
    "its own": ({"thinkingConfig": {"thinkingBudget": 5}}, {"thinkingConfig": {"thinkingBudget": 5}}),
    "its own, nested": ({"generationConfig": {"topK": 4}, "seed": 1}, {"topK": 4, "seed": 1}),
    "schema": ({"response_format": FORM}, {"responseMimeType": "application/json", "responseJsonSchema": PERSON}),
    "any JSON": ({"response_format": {"type": "json_object"}}, {"responseMimeType": "application/json"}),
}  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), TRANSLATED.values(), ids=TRANSLATED)
def test_parameters_of_generation(given, expected):
    assert sent(overrides=given)["generationConfig"] == expected


def test_effort_of_older_models_is_a_budget():
    body = sent(overrides={"reasoning_effort": "low"}, model="gemini-2.5-flash")
    assert body["generationConfig"] == {"thinkingConfig": {"thinkingBudget": 1024}}


def test_other_parameters_of_its_own_pass():
    safety = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
    assert sent(overrides={"safetySettings": safety})["safetySettings"] == safety


@pytest.mark.parametrize(
    "harmless", [{"n": 1}, {"stream": False}, {"response_format": {"type": "text"}}]
)
def test_harmless_words_are_left_out(harmless):
    assert sent(overrides=harmless) == sent()


def test_estimate_knows_the_cap():
    assert provider().prepare(HI, {"max_completion_tokens": 7}).estimate == Tokens(1, 7)
    assert provider().prepare(HI).estimate == Tokens(1)


def test_tools():
    tool = {
        "type": "function",
        "function": {"name": "f", "description": "d", "parameters": PERSON, "strict": True},
    }
    search: dict = {"googleSearch": {}}
    assert sent(overrides={"tools": [tool, search]})["tools"] == [
        search,
        {
            "functionDeclarations": [
                {"name": "f", "description": "d", "parametersJsonSchema": PERSON}
            ]
        },
    ]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        (
            {"type": "function", "function": {"name": "f"}},
            {"mode": "ANY", "allowedFunctionNames": ["f"]},
        ),
    ],
)
def test_tool_choice(choice, expected):
    assert sent(overrides={"tool_choice": choice})["toolConfig"] == {
        "functionCallingConfig": expected
    }


# -- messages


def test_system_prompts_are_apart():
    body = sent([LLMMessage("system", "A"), *HI, LLMMessage("developer", "B")])
    assert body["systemInstruction"] == {"parts": [{"text": "A"}, {"text": "B"}]}
    assert body["contents"] == [{"role": "user", "parts": [{"text": "Hi"}]}]


def test_turns_of_one_role_are_one():
    messages = [
        LLMMessage("user", "A"),
        LLMMessage("user", "B"),
        LLMMessage("assistant", "C"),
        LLMMessage("user", "D"),
    ]
    assert sent(messages)["contents"] == [
        {"role": "user", "parts": [{"text": "A"}, {"text": "B"}]},
        {"role": "model", "parts": [{"text": "C"}]},
        {"role": "user", "parts": [{"text": "D"}]},
    ]


def test_tool_calls_and_their_results():
    signed = {**CALL, "extra_content": {"google": {"thought_signature": "s"}}}
    result = LLMMessage.of({"role": "tool", "tool_call_id": "c1", "content": "34"})
    messages = [*HI, LLMMessage("assistant", "", tool_calls=[signed]), result]
    assert sent(messages)["contents"][1:] == [
        {
            "role": "model",
            "parts": [
                {
                    "functionCall": {"id": "c1", "name": "f", "args": {"a": 1}},
                    "thoughtSignature": "s",
                }
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "c1", "name": "f", "response": {"output": "34"}}}
            ],
        },
    ]


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("data:image/png;base64,AAAA", {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}),
        ("https://x.example/a.png", {"fileData": {"fileUri": "https://x.example/a.png"}}),
    ],
)
def test_pictures(url, part):
    parts: list[dict] = [
        {"type": "text", "text": "Look"},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    assert sent([LLMMessage("user", parts)])["contents"][0]["parts"] == [{"text": "Look"}, part]


def test_parts_in_geminis_own_form_pass():
    part: dict = {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}}
    assert sent([LLMMessage("user", [part])])["contents"][0]["parts"] == [part]


UNSENDABLE = {
    "no messages": ([], "no messages"),
    "a system prompt alone": ([LLMMessage("system", "A")], "no message to answer"),
    "a strange role": ([LLMMessage("critic", "A")], "role is system, user"),
    "a strange part": (
        [LLMMessage("user", [{"type": "input_audio"}])],
        "'input_audio' has no equivalent",
    ),
    "half a surrogate": (
        [LLMMessage("user", "ab\ud800")],
        r"contents\[0\]\.parts\[0\]\.text has half a surrogate",
    ),
    "OpenAI's old form": (
        [*HI, LLMMessage("assistant", None, function_call={"name": "f"})],
        "use tool_calls",
    ),
}


@pytest.mark.parametrize(("messages", "said"), UNSENDABLE.values(), ids=UNSENDABLE)
def test_what_cannot_be_sent_fails_before(messages, said):
    with pytest.raises(BadRequest, match=said):
        provider().prepare(messages)


REFUSED = {
    **{
        name: ({name: "x"}, f"has no equivalent of {name!r}")
        for name in ("logit_bias", "user", "verbosity")
    },
    **{
        name: ({name: "x"}, f"{name!r} is not a parameter")
        for name in ("base_url", "api_key", "headers")
    },
    "several candidates": ({"candidateCount": 2}, "sample="),
    "one tool at a time": ({"parallel_tool_calls": False}, "has no equivalent"),
    "a strange choice": ({"tool_choice": "f"}, "toolConfig"),
    "no tools": ({"tools": "f"}, "tools is a list"),
    "no config": ({"generationConfig": 5}, "generationConfig is a mapping"),
}


@pytest.mark.parametrize(("params", "said"), REFUSED.values(), ids=REFUSED)
def test_parameter_without_an_equal_is_refused(params, said):
    with pytest.raises(SetupError, match=said):
        provider().prepare(HI, params)
