"""Events added up: every figure from a scripted run, what limited it, and the closing text."""

import asyncio
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import EchoProvider, LLMTask, ParallelLLMExecutor
from ingather.errors import (
    AuthFailed,
    BadRequest,
    Cancelled,
    IngatherError,
    NotSent,
    RateLimited,
    ServerFault,
)
from ingather.events import (
    AttemptEnded,
    AttemptStarted,
    BackedOff,
    PoolPaused,
    ReAsked,
    RunEnded,
    RunStarted,
    TaskEnded,
)
from ingather.report import Report, Summary
from ingather.report.text import one_line
from ingather.response import LLMResponse, Usage
from ingather.result import TaskResult
from ingather.stats import seconds
from ingather.task import DeterministicTask


class Script:
    """A run, told event by event; `at` is the time."""

    def __init__(self, total=None):
        self.report = Report(total)
        self.at = 100.0

    def started(self, run=1, total=None):
        self.report(RunStarted(self.at, run, total))

    def ended(self, run=1):
        self.report(RunEnded(self.at, run, 0.0, 0, 0))

    def sent(self, index, *, run=1, queued=0.0, by="", attempt=1):
        self.report(
            AttemptStarted(self.at, run, index, attempt, queued, {by: queued} if by else {})
        )

    def back(self, index, duration, *, run=1, error=None, attempt=1):
        self.report(AttemptEnded(self.at, run, index, attempt, duration, error, None))

    def done(self, index, *, run=1, error=None, **more):
        options = {"attempts": 1, "response": LLMResponse("x"), "task": LLMTask("x"), **more}
        self.report(
            TaskEnded(
                self.at, run, TaskResult("t", error is None, None, error, index=index, **options)
            )
        )

    def call(self, index, duration, **more):
        self.sent(index)
        self.back(index, duration)
        self.done(index, **more)

    def summary(self) -> Summary:
        return self.report.summary(self.at)


def test_four_calls_of_one_second_two_at_a_time():
    script = Script()
    script.started(total=4)
    for first in (0, 2):
        script.sent(first)
        script.sent(first + 1)
        assert script.summary().in_flight == 2
        script.at += 1
        for index in (first, first + 1):
            script.back(index, 1.0)
            script.done(index, usage=Usage(10, 5))
    script.ended()
    found = script.summary()
    assert (found.total, found.done, found.succeeded, found.failed) == (4, 4, 4, 0)
    assert (found.wall, found.serial, found.speedup) == (2.0, None, None)  # none ran alone
    assert (found.input_tokens, found.output_tokens, found.unmetered) == (40, 20, 0)
    assert (found.attempts, found.calls, found.peak, found.in_flight) == (4, 4, 2, 0)
    assert found.limited_by == "slots"


def test_attempts_that_were_429s_are_counted_apart_and_not_as_work():
    script = Script()
    script.started(total=1)
    script.sent(0)
    script.back(0, 0.1, error=RateLimited("slow down"))
    script.report(PoolPaused(script.at, 1, 0, "pool", 2.0))
    script.at += 2
    script.sent(0, queued=2.0, by="pause")
    script.back(0, 1.0)
    script.done(0, attempts=2, rejected=1)
    found = script.summary()
    assert (found.attempts, found.rejected, found.pauses, found.paused) == (2, 1, 1, 2.0)
    assert found.serial == 1.0
    assert found.limited_by == "pause"


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0.1, 10)), max_size=20))
def test_pauses_that_overlap_are_counted_once(pauses):
    script = Script()
    covered = 0.0
    ends = 0.0
    for at, delay in sorted(pauses):
        script.report(PoolPaused(at, 1, 0, "pool", delay))
        covered += max(0.0, at + delay - max(at, ends))
        ends = max(ends, at + delay)
    assert script.summary().paused == pytest.approx(covered)


def test_backoffs_and_reasks_are_counted():
    script = Script()
    script.started()
    script.report(BackedOff(script.at, 1, 0, 1, 0.5, ServerFault("x")))
    script.report(BackedOff(script.at, 1, 0, 2, 1.0, ServerFault("x")))
    script.report(ReAsked(script.at, 1, 0, BadRequest("x")))
    found = script.summary()
    assert (found.backoffs, found.backoff, found.reasked) == (2, 1.5, 1)


def test_failures_are_grouped_by_type_with_the_first_of_each():
    script = Script()
    script.started()
    first = BadRequest("first")
    for index, error in enumerate(
        [first, BadRequest("second"), ServerFault("x"), NotSent("n"), Cancelled("c")]
    ):
        script.done(index, error=error)
    found = script.summary()
    assert {name: group.count for name, group in found.errors.items()} == {
        "BadRequest": 2,
        "ServerFault": 1,
    }
    assert found.errors["BadRequest"].first is first
    assert (found.failed, found.not_sent, found.cancelled, found.done) == (3, 1, 1, 3)


def test_a_price_that_is_not_known_makes_the_cost_unknown():
    script = Script()
    script.started()
    script.done(0, cost_usd=0.25)
    assert script.summary().cost_usd == 0.25
    script.done(1, cost_usd=None)
    assert script.summary().cost_usd is None


def test_answers_without_usage_are_counted():
    script = Script()
    script.started()
    script.done(0, usage=None)
    assert script.summary().unmetered == 1


@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        ([(5.0, "requests"), (1.0, "tokens")], "requests"),
        ([(1.0, "requests"), (5.0, "tokens")], "tokens"),
        ([(5.0, "concurrency")], "concurrency"),
        ([(0.01, "requests")], "latency"),
        ([], "latency"),
    ],
)
def test_what_calls_waited_for_longest_limited_the_run(waits, expected):
    script = Script()
    script.started(total=2)
    waits = [*waits, (0.0, ""), (0.0, "")][:2]
    for index, (queued, by) in enumerate(waits):
        script.sent(index, queued=queued, by=by)
    script.at += 1
    for index in range(2):
        script.back(index, 1.0)
        script.done(index)
    assert script.summary().limited_by == expected


def test_backoffs_limit_a_run_that_mostly_sleeps():
    script = Script()
    script.started(total=1)
    script.report(BackedOff(script.at, 1, 0, 1, 10.0, ServerFault("x")))
    script.at += 10
    script.call(0, 1.0)
    assert script.summary().limited_by == "backoff"


def test_an_input_that_comes_slowly_limited_the_run():
    script = Script()
    script.started()
    for index in range(5):
        script.at += 10
        script.sent(index)
        script.at += 1
        script.back(index, 1.0)
        script.done(index)
    assert script.summary().limited_by == "input"


def test_a_few_slow_calls_limited_the_run():
    script = Script()
    script.started(total=20)
    for index in range(20):
        script.sent(index)
    for index in range(19):
        script.back(index, 1.0)
        script.done(index)
    script.at += 30
    script.back(19, 30.0)
    script.done(19)
    assert script.summary().limited_by == "stragglers"
    assert "a few slow calls: the slowest took 30.0 s" in str(script.summary())


def test_functions_count_as_work_unless_they_ran_calls_of_their_own():
    plain, nested = Script(), Script()
    function = DeterministicTask(max)
    for script in (plain, nested):
        script.started()
        script.sent(0, attempt=0)
        if script is nested:
            script.started(run=2, total=1)
            script.sent(0, run=2)
            script.back(0, 3.0, run=2)
            script.done(0, run=2)
            script.ended(run=2)
        script.back(0, 4.0, attempt=0)
        script.done(0, task=function, attempts=0, response=None)
    assert plain.summary().serial == 4.0
    assert nested.summary().serial == 3.0


def test_runs_one_after_another_add_up():
    script = Script()
    for run in (1, 2):
        script.started(run, total=2)
        script.sent(0, run=run)
        script.at += 3
        script.back(0, 3.0, run=run)
        script.done(0, run=run)
        script.done(1, run=run, attempts=0, error=NotSent("n"))
        script.ended(run)
        script.at += 100
    found = script.summary()
    assert (found.wall, found.total, found.done, found.not_sent) == (6.0, 4, 2, 2)


def test_percentiles_are_right_to_five_percent():
    script = Script()
    script.started()
    for index in range(100):
        script.call(index, (index + 1) / 100)
    found = script.summary()
    assert found.median == pytest.approx(0.5, rel=0.06)
    assert found.p95 == pytest.approx(0.95, rel=0.06)


def test_what_it_keeps_does_not_grow_with_the_tasks():
    script = Script()
    script.started()
    for index in range(2000):
        script.call(index, 1.0)
    kept = [value for value in vars(script.report).values() if hasattr(value, "__len__")]
    assert all(len(value) < 50 for value in kept)


def test_a_summary_does_not_change_afterwards():
    script = Script()
    script.started()
    script.sent(0, queued=1.0, by="slots")
    before = script.summary()
    script.sent(1, queued=1.0, by="slots")
    script.done(0, error=BadRequest("x"))
    assert (before.waited, before.errors, before.in_flight) == ({"slots": 1.0}, {}, 1)


def test_the_engine_s_own_events_add_up():
    report = Report()
    provider = EchoProvider()
    tasks = [LLMTask(f"{i}") for i in range(30)] + [DeterministicTask(divmod, (1, 0))]
    asyncio.run(ParallelLLMExecutor(provider, max_concurrency=4, on_event=report).gather(tasks))
    found = report.summary()
    assert (found.total, found.succeeded, found.failed, found.attempts) == (31, 30, 1, 30)
    assert (found.in_flight, found.calls) == (0, 31)
    assert 1 <= found.peak <= 4
    assert list(found.errors) == ["ZeroDivisionError"]
    assert found.wall > 0


# -- the closing text


def text(**figures) -> str:
    return str(Summary(**figures))


def test_the_text_says_what_came_of_it():
    assert text(total=5, succeeded=5, wall=2.0).splitlines()[0] == "5 of 5 succeeded, in 2.0 s"
    assert text(succeeded=5, wall=2.0).splitlines()[0] == "5 succeeded, in 2.0 s"
    assert (
        text(total=9, succeeded=5, failed=1, wall=2.0).splitlines()[0]
        == "5 of 9 succeeded, 1 failed, 3 not done, in 2.0 s"
    )
    cut = text(total=9, succeeded=5, cancelled=2, not_sent=1, wall=2.0).splitlines()[0]
    assert (
        cut
        == "5 of 9 succeeded, 4 not done (2 cancelled while they ran, which may have been billed), "
        "in 2.0 s"
    )


def test_each_kind_of_failure_has_its_first_message_and_advice():
    script = Script()
    script.started(total=3)
    script.done(0, error=ServerFault("down"))
    script.done(1, error=BadRequest("no such\nparameter \x1b[31m"))
    script.done(2, error=BadRequest("other"))
    lines = str(script.summary()).splitlines()
    assert lines[1] == "  2 × BadRequest: no such parameter [31m"
    assert "refuses these requests" in lines[2]
    assert lines[3] == "  1 × ServerFault: down"


@pytest.mark.parametrize(
    "kind", [kind for kind in IngatherError.__subclasses__() if kind.__name__ != "BadLine"]
)
def test_advice_covers_the_tree_of_errors(kind):
    from ingather.report.text import _ADVICE

    def leaves(error):
        return [leaf for child in error.__subclasses__() for leaf in leaves(child)] or [error]

    ours = [leaf for leaf in leaves(kind) if leaf.__module__ == "ingather.errors"]
    without = {leaf for leaf in ours if not any(parent in _ADVICE for parent in leaf.__mro__)}
    assert without <= {RateLimited, Cancelled, NotSent}


@pytest.mark.parametrize("answered", [True, False])
def test_a_refusal_beside_answers_is_not_laid_to_the_key(answered):
    script = Script()
    refused = AuthFailed("403 from host: blocked", status=403)
    refused.alone = True
    script.call(0, 1.0, error=refused)
    if answered:
        script.call(1, 1.0)
    text = str(script.summary())
    assert ("look at the request itself" in text) == answered
    assert ("the key is missing" in text) != answered


def test_the_text_of_a_whole_run_names_the_limit():
    script = Script()
    script.started(total=2)
    script.at += 1
    for index in range(2):
        script.sent(index, queued=5.0, by="requests")
        script.back(index, 1.0)
        script.done(index, usage=Usage(1000, 10), cost_usd=0.5)
    script.ended()
    shown = str(script.summary())
    assert (
        "speed       about 2.0 × one after another (2.0 s of calls in 1.0 s; an estimate)" in shown
    )
    assert "tokens      2,000 in, 20 out" in shown
    assert "cost        1.0000 USD" in shown
    assert "limited by  the limit of requests a minute" in shown


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.00012, "0.1 ms"),
        (0.0123, "12 ms"),
        (0.9996, "1.0 s"),
        (3.21, "3.2 s"),
        (99.96, "1:40"),
        (312, "5:12"),
        (3600, "1:00:00"),
    ],
)
def test_durations_as_people_say_them(value, said):
    assert seconds(value) == said


@given(st.text(), st.integers(2, 50))
def test_one_line_is_one_line(message, width):
    shown = one_line(message, width)
    assert len(shown) <= width
    assert shown.isprintable()


def test_unknown_events_are_no_fault():
    Report()(SimpleNamespace(at=0.0))  # type: ignore[arg-type]


def test_a_summary_is_short_in_a_list_and_whole_in_a_notebook():
    summary = Summary(total=3, succeeded=2, failed=1, wall=2.0)
    assert repr(summary) == "Summary(2 of 3 succeeded, 1 failed, in 2.0 s)"
    assert summary._repr_html_() == f"<pre>{summary}</pre>"


def test_runs_side_by_side_add_up_to_one_total():
    report = Report()
    for run, total in ((1, 5), (2, 3)):
        report(RunStarted(0.0, run, total))
    assert report.summary().total == 8
