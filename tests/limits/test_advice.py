"""What is said of a run at a server that was full: nothing that would gain nothing."""

import pytest

from ingather import ParallelLLMExecutor
from ingather.stats import Stats
from ingather.stats.bottleneck import in_words
from tests.run.stand_ins import Wire, gate_of, llm_tasks


@pytest.mark.parametrize("limited_by", ["slots", "start", "concurrency"])
def test_nobody_is_told_to_raise_what_gained_nothing(limited_by):
    assert "Nothing to do" in in_words(limited_by, Stats(full=("wire/m",)))
    assert "raise" not in in_words(limited_by, Stats(full=("wire/m",))).lower()


@pytest.mark.looptime
async def test_a_bound_above_what_the_server_answers_at_once_is_found_out():
    wire = Wire()
    wire.latency = lambda prompt: max(1.0, wire.in_flight / 4)
    executor = ParallelLLMExecutor(wire, 64)
    await executor.gather(llm_tasks(300))
    assert executor.stats().full == (gate_of(executor).name,)


@pytest.mark.looptime
async def test_a_server_that_answers_all_at_once_is_not_full():
    executor = ParallelLLMExecutor(Wire(latency=1.0), 64)
    await executor.gather(llm_tasks(300))
    assert executor.stats().full == ()


@pytest.mark.parametrize(
    ("peak", "said"),
    [(None, "all were in use"), (1, "1 call was in flight"), (1200, "1,200 calls were in flight")],
)
def test_a_run_that_its_slots_limited_is_told_so_in_a_whole_sentence(peak, said):
    assert in_words("slots", None, peak).startswith(f"the slots: {said}")
