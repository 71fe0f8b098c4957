"""Chat Completions say that they want one piece, and read a stream that comes all the same."""

import json

import pytest

from ingather import LLMMessage, LLMTask, ParallelLLMExecutor, Store, Usage, connect
from ingather.errors import (
    BadBody,
    EmptyAnswer,
    Filtered,
    Overloaded,
    ProviderError,
    RateLimited,
    SetupError,
    TransientError,
    Truncated,
)
from ingather.providers.anthropic import AnthropicProvider
from ingather.providers.azure import AzureProvider
from ingather.providers.gemini import GeminiProvider
from ingather.providers.ollama import OllamaProvider
from ingather.providers.openai import OpenAIProvider
from ingather.providers.responses import ResponsesProvider
from ingather.store.key import Key
from ingather.testing import Recorder
from tests.providers.canned import Canned
from tests.servers.raw import RawServer, answer, completion

HI = [LLMMessage("user", "Hi")]


def asked(body, kind=OpenAIProvider, **headers):
    canned = Canned(body, headers=headers)
    return kind("m", base_url="http://localhost/v1", transport=canned).complete(HI)


# -- what is sent


@pytest.mark.parametrize("kind", [OpenAIProvider, AzureProvider, OllamaProvider])
@pytest.mark.parametrize("params", [{}, {"stream": False}, {"stream": None}, {"temperature": 0}])
def test_every_request_says_that_it_wants_one_piece(kind, params):
    request = kind("m", base_url="http://localhost/v1").prepare(HI, params)
    assert json.loads(request.body)["stream"] is False


@pytest.mark.parametrize("params", [{"stream": True}, {"stream": 1}])
def test_a_stream_cannot_be_asked_for(params):
    with pytest.raises(SetupError, match="stream"):
        OpenAIProvider("m", base_url="http://localhost/v1").prepare(HI, params)


def test_the_key_of_a_request_is_as_it_was_before_that_was_said():
    """Answers of older stores and recordings are found."""
    request = OpenAIProvider("m", base_url="http://localhost/v1").prepare(HI, {"temperature": 0})
    assert (
        request.asked
        == b'{"messages":[{"content":"Hi","role":"user"}],"model":"m","temperature":0}'
    )
    assert (
        Key(request).hash.hex()
        == "69558622e83e54f79ae6bf527d84f1730bdb0e5c45f7029649e5ce4e665f15fe"
    )
    assert b"stream" not in Key(request).asked()


def test_what_ends_so_further_in_is_left():
    request = ResponsesProvider("m", base_url="http://localhost/v1").prepare(
        HI, {"zz": {"a": 1, "stream": False}}
    )
    assert request.asked == request.body


async def test_a_recording_that_was_made_before_is_found(tmp_path):
    path = tmp_path / "said.jsonl"
    canned = Canned(completion("Paris"))
    await Recorder(
        OpenAIProvider("m", base_url="http://localhost/v1", transport=canned), path
    ).complete(HI)
    assert "stream" not in json.loads(path.read_text())["request"]["body"]


# -- what comes


def sse(*pieces, end="data: [DONE]\n\n", line="\n"):
    events = [f"data: {json.dumps(piece)}\n\n" for piece in pieces]
    return "".join([*events, end]).replace("\n", line).encode()


def lines(*pieces):
    return "".join(json.dumps(piece) + "\n" for piece in pieces).encode()


def piece(finish=None, usage=None, choice=None, **delta):
    choice = {"index": 0, "delta": delta, "finish_reason": finish, **(choice or {})}
    return {
        "id": "x",
        "object": "chat.completion.chunk",
        "model": "m-2026",
        "choices": [choice],
        "usage": usage,
    }


COUNT = {"prompt_tokens": 9, "completion_tokens": 3}
PARIS = [piece(role="assistant", content=""), piece(content="Par"), piece(content="is"), piece("stop"),
         {"id": "x", "model": "m-2026", "choices": [], "usage": {**COUNT, "cost": 0.25}}]  # fmt: skip
STREAMS = {
    "events": sse(*PARIS),
    "with other line ends": sse(*PARIS, line="\r\n"),
    "with comments": b": OPENROUTER PROCESSING\n\n" + sse(*PARIS).replace(b"data: {", b": more\n\ndata: {"),
    "with names": sse(*PARIS).replace(b"data:", b"event: chunk\nid: 1\ndata:"),
    "without a space": sse(*PARIS).replace(b"data: ", b"data:"),
    "without DONE": sse(*PARIS, end=""),
    "without its last line end": sse(*PARIS, end="").rstrip(),
    "with DONE and no reason": sse(*[each for each in PARIS if each != piece("stop")]),
    "lines": lines(*PARIS),
    "a reason with the last text": sse(piece(content="Par"), piece("stop", COUNT | {"cost": 0.25}, content="is")),
    "usage with every piece": sse(*[{**each, "usage": {**COUNT, "cost": 0.25}} for each in PARIS]),
    "without empty lines": sse(*PARIS).replace(b"\n\n", b"\n"),
    "with DONE, no reason, and no empty lines": sse(*PARIS[:3], PARIS[4]).replace(b"\n\n", b"\n"),
    "with words between": sse(*PARIS).replace(b"data: {", b"event: ping\ndata: ping\n\ndata: {"),
    "with a word at its end": sse(*PARIS, end="data: [END]\n\n"),
    "data in two lines": sse(*PARIS).replace(b', "choices"', b'\ndata: , "choices"'),
    "a whole message at the end": sse(piece(content="Par"), piece("stop", choice={"message": {"content": "Paris"}}),
                                      PARIS[-1]),
}  # fmt: skip


@pytest.mark.parametrize(
    ("halves", "content"),
    [
        (["\\ud83d", "\\ude00"], "😀"),
        (["a\\ud83d", "b"], "a\ufffdb"),
        (["\\ude00", "c"], "\ufffdc"),
    ],
)
@pytest.mark.parametrize("form", [sse, lines])
async def test_a_character_in_two_pieces_is_one(halves, content, form):
    body = form(*(piece(content=f"<{number}>") for number in range(2)), piece("stop"))
    for number, half in enumerate(halves):
        body = body.replace(f"<{number}>".encode(), half.encode())
    assert (await asked(body)).content == content


@pytest.mark.parametrize("name", STREAMS)
async def test_a_stream_is_read_as_one_answer(name):
    response = await asked(STREAMS[name], content_type="text/event-stream")
    assert response.content == "Paris"
    assert response.usage == Usage(9, 3)
    assert (response.model or "m-2026", response.cost_usd) == ("m-2026", 0.25)
    assert response.finish_reason == (None if "no reason" in name else "stop")
    assert response.raw["choices"][0]["message"]["content"] == "Paris"


async def test_over_a_real_connection_and_into_a_store(store):
    async with (
        RawServer(answer(STREAMS["events"], content_type="text/event-stream")) as server,
        ParallelLLMExecutor(connect("openai/m", base_url=server.base_url), store=store) as executor,
    ):
        (first,), (again,) = [await executor.gather([LLMTask("Hi")]) for _ in range(2)]
    assert (first.value.content, first.attempts, again.cached) == ("Paris", 1, True)
    assert again.value.raw == first.value.raw


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "run.db") as store:
        yield store


def call(index, arguments, **more):
    return {
        "index": index,
        **more,
        "function": {"arguments": arguments, **({"name": "f"} if more else {})},
    }


async def test_calls_of_tools_are_put_together():
    pieces = [
        piece(content=None, tool_calls=[call(0, "", id="a", type="function")]),
        piece(tool_calls=[call(0, '{"n"')]),
        piece(tool_calls=[call(0, ":1}"), call(1, '{"n":', id="b", type="function")]),
        piece(tool_calls=[call(1, "2}")]),
        piece("tool_calls"),
    ]
    response = await asked(sse(*pieces))
    said = [
        (each["id"], each["function"]["name"], each["function"]["arguments"])
        for each in response.tool_calls
    ]
    assert said == [("a", "f", '{"n":1}'), ("b", "f", '{"n":2}')]
    assert response.finish_reason == "tool_calls"


@pytest.mark.parametrize("index", [{}, {"index": 0}])
async def test_calls_with_ids_of_their_own_are_apart_whatever_their_index(index):
    calls = [
        {**index, "id": name, "type": "function", "function": {"name": "f", "arguments": "{}"}}
        for name in "ab"
    ]
    response = await asked(sse(piece(tool_calls=calls[:1]), piece("stop", tool_calls=calls[1:])))
    assert [each["id"] for each in response.tool_calls] == ["a", "b"]


async def test_reasoning_refusals_and_log_probabilities_too():
    first = piece(choice={"logprobs": {"content": [1]}}, content="Par", reasoning_content="H")
    second = piece(
        "stop", choice={"logprobs": {"content": [2]}}, content="is", reasoning_content="m."
    )
    response = await asked(sse(first, second))
    assert response.metadata["reasoning_content"] == "Hm."
    assert response.logprobs == {"content": [1, 2]}
    with pytest.raises(ProviderError, match="declined: I cannot"):
        await asked(sse(piece(refusal="I "), piece("stop", refusal="cannot")))
    older = [
        piece(function_call={"name": "f", "arguments": "{"}),
        piece("function_call", function_call={"arguments": "}"}),
    ]
    assert (await asked(sse(*older))).function_call == {"name": "f", "arguments": "{}"}


OLLAMA = {"model": "m-2026", "created_at": "x"}
OLLAMA_END = {**OLLAMA, "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": "stop",
              "prompt_eval_count": 9, "eval_count": 3}  # fmt: skip


def ollama(**message):
    return {**OLLAMA, "message": {"role": "assistant", **message}, "done": False}


async def test_lines_of_ollamas_own_api_are_read():
    response = await asked(
        lines(ollama(content="Par", thinking="Hm."), ollama(content="is"), OLLAMA_END)
    )
    assert (response.content, response.finish_reason, response.usage) == (
        "Paris",
        "stop",
        Usage(9, 3),
    )
    assert (await asked(lines({**OLLAMA, "response": "Paris", "done": True}))).content == "Paris"
    called = ollama(content="", tool_calls=[{"function": {"name": "f", "arguments": {"n": 2**70}}}])
    (found,) = (await asked(lines(called, OLLAMA_END))).tool_calls
    assert found["function"] == {"name": "f", "arguments": f'{{"n":{2**70}}}'}


BROKEN = {
    "cut": (sse(*PARIS[:3], end=""), BadBody),
    "cut within a piece": (sse(*PARIS, end="")[:300], BadBody),
    "lines that are cut": (lines(*PARIS[:3]), BadBody),
    "a line that is cut": (lines(*PARIS[:3], PARIS[3])[:-30], BadBody),
    "Ollama's that are cut": (lines(ollama(content="Par")), BadBody),
    "nothing but its end": (sse(), BadBody),
    "cut, without empty lines": (sse(*PARIS, end="").replace(b"\n\n", b"\n")[:300], BadBody),
    "what is no JSON": (b"data: hello\n\n", BadBody),
    "an error": (sse({"error": {"code": 429, "message": "Try again in 20s."}}), RateLimited),
    "an error after a piece": (
        sse(*PARIS[:3], {"error": {"code": 502, "message": "x"}}),
        Overloaded,
    ),
    "an error beside a piece": (
        sse(PARIS[1], {**PARIS[2], "error": {"code": 502, "message": "x"}}),
        Overloaded,
    ),
    "an event that is an error": (
        b'event: error\ndata: {"code": 503, "message": "x"}\n\n',
        Overloaded,
    ),
    "an error in words": (b"event: error\ndata: upstream hung up\n\n", TransientError),
    "an error in a line": (lines(ollama(content="Par"), {"error": "x"}), TransientError),
    "a reason that is one": (sse(piece("error", content="Par")), TransientError),
    "too long": (sse(piece("length", content="Par")), Truncated),
    "filtered": (sse(piece("content_filter", content="Par")), Filtered),
    "empty": (sse(piece("stop")), EmptyAnswer),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_stream_that_breaks_off_is_no_answer(name):
    body, kind = BROKEN[name]
    with pytest.raises(ProviderError) as caught:
        await asked(body)
    assert isinstance(caught.value, kind)


async def test_one_that_is_cut_says_that_the_server_streams():
    with pytest.raises(BadBody, match="the server streams it"):
        await asked(BROKEN["cut"][0])


PART = {"type": "output_text", "text": "Paris"}
RESPONSE = {"id": "x", "status": "completed", "output": [{"type": "message", "content": [PART]}]}


async def test_a_stream_of_a_response_is_read_by_its_last_event():
    events = [{"type": "response.created", "response": {"status": "in_progress"}},
              {"type": "response.output_text.delta", "delta": "Par"}]  # fmt: skip
    whole = sse(*events, {"type": "response.completed", "response": RESPONSE}, end="")
    assert (await asked(whole, ResponsesProvider)).content == "Paris"
    with pytest.raises(BadBody):
        await asked(sse(*events, end=""), ResponsesProvider)
    with pytest.raises(RateLimited):
        await asked(
            sse(*events, {"type": "error", "code": "rate_limit_exceeded", "message": "x"}),
            ResponsesProvider,
        )


@pytest.mark.parametrize("kind", [AnthropicProvider, GeminiProvider])
async def test_elsewhere_the_error_says_that_the_server_streams(kind):
    with pytest.raises(BadBody, match="the server streams it"):
        await asked(sse({"type": "message_start"}), kind)
    with pytest.raises(Overloaded):
        await asked(
            sse({"type": "error", "error": {"type": "overloaded_error", "message": "x"}}), kind
        )
