"""Recorded once, replayed without a network: the same answers, the same errors."""

import json
import stat
from dataclasses import replace

import pytest
from pydantic import BaseModel

from ingather import (
    Budget,
    EchoProvider,
    Hedge,
    Limits,
    LLMMessage,
    LLMResponse,
    LLMTask,
    ParallelLLMExecutor,
    RetryConfig,
    Usage,
    connect,
    errors,
)
from ingather.providers.base import WireProvider
from ingather.providers.capabilities import NAMES, capabilities_of
from ingather.testing import ErrorResponse, NotRecorded, Recorder, Say, Simulator, text_response
from tests.run.stand_ins import Wire, llm_tasks

BOATS = "We sell boats. Our office is in Oslo.\n\nWhere is the office?"
GONE = "http://127.0.0.1:9/v1"  # the discard port: nobody listens


class Person(BaseModel):
    name: str
    age: int


@pytest.fixture
def path(tmp_path):
    return tmp_path / "recorded" / "answers.jsonl"


def openai(base_url, **more):
    return connect(
        "openai/any", base_url=base_url, api_key="sk-secret-key-123456", retry=None, **more
    )


async def replayed(path, *asked, **overrides):
    """What a recorder of a provider that is not there says."""
    recorder = Recorder(openai(GONE), path, mode="replay")
    return [await recorder.complete(text, overrides or None) for text in asked]


class Logged:
    """As a user may wrap a provider: what the inner one says of itself goes on whole."""

    def __init__(self, inner):
        self.inner = inner
        self.capabilities = capabilities_of(inner)

    async def complete(self, messages, config_overrides=None):
        return replace(await self.inner.complete(messages, config_overrides), cost_usd=None)


class Foreign(Exception):
    """As another client's: it carries the HTTP answer."""

    def __init__(self, status, **headers):
        super().__init__("too many")
        self.status_code = status
        self.response = type(
            "Response", (), {"status_code": status, "headers": headers, "content": b""}
        )()


async def test_an_answer_is_replayed_whole_without_a_network(path):
    async with Simulator() as sim:
        recorder = Recorder(openai(sim.base_url), path)
        said = await recorder.complete(BOATS, {"temperature": 0})
        await recorder.aclose()
    (again,) = await replayed(path, BOATS, temperature=0)
    assert again.content == said.content == "Our office is in Oslo."
    assert again.usage == said.usage == Usage(15, 6)
    assert again.request_id == said.request_id
    assert again.request_id.startswith("req_")
    assert (again.finish_reason, again.model, again.created_at) == ("stop", "any", said.created_at)


async def test_auto_asks_once_and_then_no_more(path):
    async with Simulator() as sim:
        for _ in range(3):
            recorder = Recorder(openai(sim.base_url), path)
            assert (await recorder.complete(BOATS)).content == "Our office is in Oslo."
            await recorder.aclose()
        assert sim.stats()["calls"] == 1
    assert len(path.read_text().splitlines()) == 1


async def test_record_begins_anew(path):
    await Recorder(EchoProvider(responses=["old"]), path).complete("x")
    await Recorder(EchoProvider(responses=["new"]), path, mode="record").complete("x")
    assert (await Recorder(EchoProvider(), path, mode="replay").complete("x")).content == "new"


async def test_a_recording_stays_until_the_first_new_answer(path):
    await Recorder(EchoProvider(responses=["old"]), path).complete("x")
    before = path.read_bytes()
    down = Recorder(openai("http://127.0.0.1:1/v1"), path, mode="record")
    with pytest.raises(errors.ConnectFailed):
        await down.complete("x")
    await down.aclose()
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


async def test_failures_before_the_first_new_answer_are_recorded_with_it(path):
    await Recorder(EchoProvider(responses=["old"]), path).complete("x")
    async with Simulator(model="echo", script=["400", "ok"]) as sim:
        recorder = Recorder(openai(sim.base_url), path, mode="record")
        with pytest.raises(errors.BadRequest):
            await recorder.complete("new")
        await recorder.complete("newer")
        await recorder.aclose()
    assert len(path.read_text().splitlines()) == 2
    assert "old" not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_request_that_is_not_recorded_says_how_to_record_it(path):
    await Recorder(EchoProvider(), path).complete("known")
    provider = EchoProvider()
    recorder = Recorder(provider, path, mode="replay")
    with pytest.raises(
        NotRecorded,
        match=r"does not have this request; record it by running once "
        r"with mode='auto'",
    ):
        await recorder.complete("unknown")
    await recorder.complete("known")
    with pytest.raises(NotRecorded, match="has this request 1 times, and it came once more"):
        await recorder.complete("known")
    assert provider.call_count == 0


async def test_a_file_that_is_not_there_records_nothing_in_replay(path):
    with pytest.raises(NotRecorded):
        await Recorder(EchoProvider(), path, mode="replay").complete("x")
    assert not path.exists()


async def test_a_request_that_comes_again_has_an_answer_for_each_time(path):
    recorder = Recorder(EchoProvider(responses=["one", "two", "three"]), path)
    said = [(await recorder.complete("x")).content for _ in range(3)]
    again = Recorder(EchoProvider(), path, mode="replay")
    assert (
        [(await again.complete("x")).content for _ in range(3)] == said == ["one", "two", "three"]
    )


@pytest.mark.parametrize(
    "other",
    [
        ("x", {"temperature": 1}),
        ("x", {"temperature": 0, "seed": 1}),
        ("y", {"temperature": 0}),
        ([LLMMessage("system", "x")], {"temperature": 0}),
    ],
)
async def test_messages_and_parameters_tell_requests_apart(path, other):
    await Recorder(EchoProvider(), path).complete("x", {"temperature": 0})
    with pytest.raises(NotRecorded):
        await Recorder(EchoProvider(), path, mode="replay").complete(*other)


async def test_the_order_of_parameters_does_not_tell_requests_apart(path):
    await Recorder(EchoProvider(), path).complete("x", {"temperature": 0, "seed": 1})
    again = await Recorder(EchoProvider(), path, mode="replay").complete(
        "x", {"seed": 1, "temperature": 0}
    )
    assert again.content == "Echo: x"


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ("500", errors.ServerFault),
        ("529", errors.Overloaded),
        ("429:7", errors.RateLimited),
        ("401", errors.AuthFailed),
        ("404", errors.ModelNotFound),
        ("quota", errors.QuotaExhausted),
        ("context_length", errors.TooLong),
        ("filtered", errors.Filtered),
        ("drop", errors.ConnectionLost),
        ("malformed", errors.BadBody),
        ("length", errors.Truncated),
        ("refusal", errors.Refused),
    ],
)
async def test_an_error_is_replayed_as_the_same_type(path, step, kind):
    async with Simulator(script=[step]) as sim:
        recorder = Recorder(openai(sim.base_url), path)
        with pytest.raises(kind) as failure:
            await recorder.complete(BOATS)
        await recorder.aclose()
    with pytest.raises(kind) as again:
        await replayed(path, BOATS)
    first, second = failure.value, again.value
    assert type(second) is type(first)
    for name in ("args", "status", "code", "request_id", "body", "provider", "model"):
        assert getattr(second, name) == getattr(first, name)
    if isinstance(first, errors.AnswerError) and first.response is not None:
        assert (second.response.content, second.response.usage) == (
            first.response.content,
            first.response.usage,
        )


async def test_an_answer_error_keeps_its_answer(path):
    async with Simulator(script=[Say("Our off", finish_reason="length")]) as sim:
        recorder = Recorder(openai(sim.base_url), path)
        with pytest.raises(errors.Truncated):
            await recorder.complete(BOATS)
        await recorder.aclose()
    with pytest.raises(errors.Truncated) as again:
        await replayed(path, BOATS)
    assert again.value.response is not None
    assert again.value.response.content == "Our off"


async def test_a_replayed_429_asks_for_no_wait(path):
    async with Simulator(script=["429:100", "ok"]) as sim:
        recorder = Recorder(openai(sim.base_url), path)
        with pytest.raises(errors.RateLimited) as failure:
            await recorder.complete(BOATS)
        await recorder.complete(BOATS)
        await recorder.aclose()
    assert failure.value.retry_after == 100
    async with ParallelLLMExecutor(Recorder(openai(GONE), path, mode="replay")) as executor:
        result = (await executor.execute({"a": LLMTask(BOATS)}))["a"]
    assert (result.unwrap().content, result.attempts, result.rejected) == (
        "Our office is in Oslo.",
        2,
        1,
    )


@pytest.mark.parametrize(
    ("raised", "kind", "words"),
    [
        (ValueError("no"), ValueError, "no"),
        (TimeoutError("late"), TimeoutError, "late"),
        (errors.DeadlineExceeded("over"), errors.DeadlineExceeded, "over"),
        (json.JSONDecodeError("bad", "{", 1), RuntimeError, "json.decoder.JSONDecodeError: bad"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no"), RuntimeError, "UnicodeDecodeError"),
        (Foreign(429), errors.RateLimited, "rate limited"),
        (Foreign(503), errors.Overloaded, "overloaded"),
    ],
)
async def test_a_foreign_error_is_raised_as_it_is_and_replayed_as_what_it_means(
    path, raised, kind, words
):
    with pytest.raises(type(raised)) as failure:
        await Recorder(EchoProvider(responses=[ErrorResponse(raised)]), path).complete("x")
    assert failure.value is raised
    with pytest.raises(kind, match=words) as again:
        await Recorder(EchoProvider(), path, mode="replay").complete("x")
    assert type(again.value) is kind


async def test_the_file_is_the_users_alone(path):
    await Recorder(EchoProvider(), path).complete("x")
    path.chmod(0o644)
    await Recorder(EchoProvider(), path).complete("y")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_no_key_is_in_the_file_nor_in_what_it_says(path):
    secret = "sk-secret-key-123456"
    async with Simulator(model="echo", script=["ok", "401"]) as sim:
        recorder = Recorder(openai(sim.base_url), path)
        said = await recorder.complete(f"my key is {secret}", {"user": secret})
        with pytest.raises(errors.AuthFailed):
            await recorder.complete(f"and {secret}")
        await recorder.aclose()
    assert secret in said.content
    assert "secret" not in path.read_text()
    assert "my key is ***" in path.read_text()
    with pytest.raises(NotRecorded) as failure:
        await replayed(path, f"other {secret}")
    assert secret not in str(failure.value)


async def test_names_that_look_like_keys_stay_where_an_answer_is_json(path):
    content = '{"key_findings": ["Bearer abc123"], "age": 3}'
    await Recorder(EchoProvider(responses=[content]), path).complete("x")
    again = await Recorder(EchoProvider(), path, mode="replay").complete("x")
    assert json.loads(again.content) == {"key_findings": ["Bearer ***"], "age": 3}


async def test_what_else_an_answer_holds_is_replayed(path):
    call = {"id": "c", "type": "function", "function": {"name": "save", "arguments": "{}"}}
    said = LLMResponse(
        "",
        "m",
        "tool_calls",
        Usage(1, 2, 3, 4),
        tool_calls=[call],
        metadata={"id": "r"},
        cost_usd=0.5,
        created_at=9.0,
    )
    await Recorder(EchoProvider(responses=[said]), path).complete("x")
    assert await Recorder(EchoProvider(), path, mode="replay").complete("x") == said


@pytest.mark.parametrize("line", ["{", "[]", '{"key": "x"}', "null"])
async def test_a_file_that_is_no_recording_is_told(path, line):
    await Recorder(EchoProvider(), path).complete("x")
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(errors.SetupError, match="line 2: no recorded exchange"):
        await Recorder(EchoProvider(), path).complete("x")


def test_a_mode_that_there_is_not():
    with pytest.raises(errors.SetupError, match="auto, replay, record"):
        Recorder(EchoProvider(), "x", mode="rewind")  # type: ignore[arg-type]


def test_what_the_provider_brings_is_kept():
    limits, retry = Limits(max_concurrency=3), RetryConfig(max_attempts=5)
    wire = Recorder(connect("openai/any", base_url=GONE, limits=limits, retry=retry), "x")
    assert (wire.limits, wire.retry, wire.schema_mode) == (limits, retry, "native")
    assert isinstance(wire, WireProvider)
    bare = Recorder(EchoProvider(limits=limits), "x")
    assert (bare.limits, bare.schema_mode) == (limits, None)
    assert not isinstance(bare, WireProvider)


def test_whatever_a_provider_says_of_itself_its_recorder_says_too():
    said = {"model": "m", "retry": RetryConfig(2), "limits": Limits(max_concurrency=3), "schema_mode": "tool",
            "schema_lengths": True, "schema_words": True, "schema_ceiling": 500, "max_output": 70,
            "is_free": True}  # fmt: skip
    assert said.keys() == NAMES
    provider = EchoProvider()
    vars(provider).update(said)
    recorder = Recorder(Recorder(provider, "x"), "y")
    assert capabilities_of(recorder) == capabilities_of(provider)
    assert all(
        getattr(recorder, name) == value for name, value in said.items() if name != "schema_ceiling"
    )
    with pytest.raises(AttributeError, match="'Recorder' object has no attribute 'anything'"):
        recorder.anything  # noqa: B018


@pytest.mark.parametrize(
    "wrapped", [Recorder, lambda provider, path: Logged(provider)], ids=["ours", "users"]
)
async def test_a_provider_that_is_free_is_so_within_another(path, wrapped):
    executor = ParallelLLMExecutor(wrapped(EchoProvider(), path), budget=Budget(max_cost_usd=0.01))
    (result,) = await executor.gather([LLMTask("Hi")])
    assert (result.unwrap().content, result.cost_usd) == ("Echo: Hi", 0.0)


async def test_an_executor_replays_a_run_with_a_response_model_and_retries(path):
    tasks = {
        f"t{i}": LLMTask(f"Ann Lee is {20 + i} years old", response_model=Person) for i in range(20)
    }
    retry = RetryConfig(max_attempts=3, initial_delay=0.001)

    async def run(provider, mode):
        recorder = Recorder(provider, path, mode=mode)
        async with ParallelLLMExecutor(recorder, 8, retry) as executor:
            results = await executor.execute(tasks)
        await recorder.aclose()
        return {
            tag: (result.value, result.attempts, result.usage) for tag, result in results.items()
        }

    async with Simulator(error_rate=0.3, faults="500,drop") as sim:
        first = await run(openai(sim.base_url), "auto")
        calls = sim.stats()["calls"]
        assert calls > 20
        assert await run(openai(sim.base_url), "auto") == first
        assert sim.stats()["calls"] == calls
    assert await run(openai(GONE), "replay") == first
    assert first["t3"][0] == Person(name="Ann Lee", age=23)


async def test_faults_that_are_replayed_spend_nothing_of_the_quotas_retries(path):
    retry = RetryConfig(max_attempts=3, initial_delay=0.001)
    tasks = [LLMTask(f"Hello {i}") for i in range(6)]

    async def run():
        recorder = Recorder(openai(sim.base_url), path)
        async with ParallelLLMExecutor(recorder, 8, retry) as executor:
            results = await executor.gather(tasks)
        await recorder.aclose()
        return [result.success for result in results]

    async with Simulator(script=["500"] * 3 + ["529"] * 2 + ["429"] + ["ok"] * 20) as sim:
        assert all(await run())
        calls = sim.stats()["calls"]
        for _ in range(10):  # as the tests of a suite do in one process
            assert all(await run())
        assert sim.stats()["calls"] == calls


@pytest.mark.parametrize("model", ["openai/any", "anthropic/any", "gemini/any"])
async def test_every_dialect_is_recorded_and_replayed(path, model):
    async def ask(base_url, mode):
        recorder = Recorder(
            connect(model, base_url=base_url, api_key="a-key-of-123456", retry=None),
            path,
            mode=mode,
        )
        async with ParallelLLMExecutor(recorder) as executor:
            results = await executor.gather(
                [LLMTask("Ann Lee is 30 years old", response_model=Person)] * 3
            )
        await recorder.aclose()
        return [
            (r.value, r.usage, type(r.error), r.response and r.response.request_id) for r in results
        ]

    async with Simulator(script=["length", "filtered", "ok"]) as sim:
        said = await ask(sim.base_url if model.startswith("openai") else sim.origin, "auto")
    assert {kind for _, _, kind, _ in said} >= {errors.Truncated, type(None)}
    again = await ask(GONE if model.startswith("openai") else GONE.removesuffix("/v1"), "replay")
    assert again == said


async def test_an_executor_replays_a_bare_provider(path):
    def answer(messages):
        return text_response(messages[-1].content.upper())

    tasks = [LLMTask(text) for text in "abcabc"]
    async with ParallelLLMExecutor(Recorder(EchoProvider(response_fn=answer), path)) as executor:
        said = [result.unwrap().content for result in await executor.gather(tasks)]
    async with ParallelLLMExecutor(Recorder(EchoProvider(), path, mode="replay")) as executor:
        assert (
            [result.unwrap().content for result in await executor.gather(tasks)]
            == said
            == list("ABCABC")
        )


def test_it_shows_its_state(path):
    assert repr(Recorder(EchoProvider(), "a.jsonl")).endswith(
        "Recording('a.jsonl', not read yet), auto)"
    )


@pytest.mark.looptime
async def test_a_hedged_request_is_replayed_though_one_of_its_copies_left_no_line(tmp_path):
    latencies = iter([1.0] * 9 + [100.0, 1.0])
    wire = Wire(latency=lambda prompt: next(latencies))
    path = tmp_path / "answers.jsonl"
    executor = ParallelLLMExecutor(Recorder(wire, path), 2, hedge=Hedge(after=5.0, max_extra=0.2))
    results = await executor.gather(llm_tasks(10))
    assert results[9].attempts == 2
    again = await ParallelLLMExecutor(Recorder(wire, path, mode="replay"), 2).gather(llm_tasks(10))
    assert [result.value.content for result in again] == [str(number) for number in range(10)]
