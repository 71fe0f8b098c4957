"""An extraction is one task to whoever counts; its calls, tokens and costs are counted once, where they were made."""

import io
from collections import Counter

import pytest
from pydantic import BaseModel

from ingather import (
    DeterministicTask,
    ExtractTask,
    LLMTask,
    ParallelLLMExecutor,
    RetryConfig,
    run_sync,
)
from ingather.errors import ServerFault
from ingather.events import AttemptEnded, AttemptStarted, RunEnded, RunStarted, TaskEnded
from ingather.progress import Progress
from ingather.report import Report
from tests.extract.stand_ins import Raw, Reader, says

pytestmark = pytest.mark.looptime


class Firm(BaseModel):
    products: list[str]
    seat: str
    founded: int = 0


SAID = {"products": ["boats"], "seat": "Oslo", "founded": 1990}
QUICK = RetryConfig(max_attempts=2, initial_delay=0.1)


def one(tag="", **options):
    return ExtractTask("We build boats.", Firm, tag=tag, **{"split": "fields", **options})


async def told(tasks, scripts=(), *, bound=10, policy=None, cost=0.001):
    """The events of a run, its report and its results."""
    provider = Reader({**SAID, **dict(scripts)}, latency=1.0, cost=cost)
    events, report = [], Report()

    def listen(event):
        events.append(event)
        report(event)

    executor = ParallelLLMExecutor(provider, bound, on_event=listen, default_retry=policy)
    results = await executor.execute(tasks)
    return provider, events, report.summary(), results


async def test_each_part_is_a_task_of_a_run_that_says_whose_it_is():
    _, events, _, _ = await told({"a": one(), "b": one("mine")})
    outer, *inner = [event for event in events if isinstance(event, RunStarted)]
    assert outer.parent is None
    assert [event.parent for event in inner] == [(outer.run, 0), (outer.run, 1)]
    ended = {(event.run, event.result.tag) for event in events if isinstance(event, TaskEnded)}
    assert ended == {
        *((outer.run, tag) for tag in "ab"),
        *((inner[0].run, f"a.{name}") for name in SAID),
        *((inner[1].run, f"b.{name}") for name in SAID),
    }


async def test_whatever_begins_ends():
    scripts = {"seat": says(Raw("?"), Raw("?"), "Oslo"), "founded": ServerFault("500")}
    _, events, _, _ = await told(
        {"a": one(), "b": one(split="single"), "c": one(deadline=1.5)}, scripts, policy=QUICK
    )
    runs = Counter(type(event) for event in events)
    assert runs[RunStarted] == runs[RunEnded] == 4
    assert runs[AttemptStarted] == runs[AttemptEnded]
    assert isinstance(events[-1], RunEnded)


async def test_the_report_counts_an_extraction_once_and_its_calls_once():
    scripts = {"seat": says(Raw("?"), "Oslo"), "founded": ServerFault("500")}
    tasks = {
        "a": one(),
        "call": LLMTask("- seat", response_model=str),
        "code": DeterministicTask(max, (1, 2)),
    }
    provider, _, summary, results = await told(tasks, scripts, policy=QUICK)
    made = len(provider.calls)
    assert (summary.total, summary.done, summary.succeeded, summary.failed) == (3, 3, 3, 0)
    assert (
        summary.attempts
        == summary.calls - 1
        == made
        == sum(result.attempts for result in results.values())
    )
    assert summary.tokens == sum(
        result.usage.total_tokens for result in results.values() if result.usage
    )
    assert summary.cost_usd is None  # the answers that failed had no price
    assert summary.errors == {}
    assert summary.in_flight == 0


async def test_what_failed_on_the_way_is_no_failure_in_the_end():
    _, _, summary, results = await told({"a": one()}, {"seat": says(Raw("?"), Raw("?"), "Oslo")})
    assert results["a"].success
    assert (summary.failed, summary.errors, summary.succeeded) == (0, {}, 1)


async def test_one_that_fails_is_one_failure():
    _, _, summary, _ = await told({"a": one(), "b": one()}, {"seat": Raw("?")})
    assert (summary.total, summary.failed, list(summary.errors)) == (2, 2, ["MissingFields"])
    assert summary.errors["MissingFields"].count == 2


async def test_costs_add_up_over_parts_and_over_failed_answers():
    scripts = {"seat": says(Raw("?"), Raw("?"), "Oslo")}
    provider, _, summary, results = await told({"a": one()}, scripts)
    result = results["a"]
    assert len(provider.calls) == result.attempts == 5
    assert result.cost_usd == pytest.approx(0.005) == summary.cost_usd
    assert (result.usage.input_tokens, result.usage.output_tokens, result.usage.cached_tokens) == (
        500,
        50,
        320,
    )
    # of the calls that filled them
    assert sum(part.cost_usd for part in result.parts.values()) == pytest.approx(0.003)


@pytest.mark.parametrize("split", ["fields", "single"])
async def test_an_unknown_price_is_none_and_never_nothing(split):
    _, _, summary, results = await told({"a": one(split=split)}, cost=None)
    assert results["a"].cost_usd is None
    assert summary.cost_usd is None


async def test_times_are_those_of_the_whole():
    _, _, summary, results = await told({"a": one(), "b": one()}, bound=2)
    for result in results.values():
        assert result.queued_ms == 0
    assert max(result.duration_ms for result in results.values()) == pytest.approx(3000)
    # two at once from beginning to end: how long one takes alone was not seen
    assert summary.serial is None
    assert summary.wall == pytest.approx(3.0)
    assert summary.peak == 2


async def test_waiting_is_until_its_first_part_is_sent():
    _, _, _, results = await told(
        {"first": LLMTask("- seat", response_model=str), "it": one()}, bound=1
    )
    assert results["it"].queued_ms == pytest.approx(1000)
    assert results["it"].duration_ms == pytest.approx(3000)


async def test_backing_off_is_counted():
    _, _, summary, results = await told(
        {"a": one()},
        {"seat": says(ServerFault("500"), "Oslo")},
        policy=RetryConfig(max_attempts=2, initial_delay=2.0),
    )
    assert results["a"].backoff_ms == pytest.approx(results["a"].parts["seat"].backoff_ms)
    assert results["a"].backoff_ms > 0
    assert summary.backoffs == 1
    assert results["a"].parts["seat"].origin == "part"


def test_progress_says_how_many_extractions_there_are_and_not_how_many_parts():
    stream = io.StringIO()
    with Progress(stream=stream) as progress:
        run_sync(
            ParallelLLMExecutor(Reader(SAID), on_event=progress).execute({"a": one(), "b": one()})
        )
    assert "2/2 done" in stream.getvalue()
