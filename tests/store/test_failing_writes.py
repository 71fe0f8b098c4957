"""A disk that fails at any write: nothing more is sent, what was bought is handed out, all that was stored is there.

A run of 60 tasks is repeated with its n-th write failing, for every n until it passes.
"""

import asyncio
import errno
from pathlib import Path

import pytest
from pydantic import BaseModel

from ingather import ExtractTask, LLMMessage, LLMTask, ParallelLLMExecutor, Store
from ingather.errors import NotSent, StoreError
from ingather.store.key import Key
from tests.run.stand_ins import Wire
from tests.store.faulty_disk import failing

TASKS = [LLMTask(f"Say {number}") for number in range(60)]
FOR_EVER = 10**9
WINDOW = 2 * 5 + 16


async def run(path: Path, wire: Wire):
    """The results that were handed out, and the error that the run ended with, if any."""
    results: list = []
    async with Store(path) as store:
        executor = ParallelLLMExecutor(wire, 5, store=store)
        try:
            async with executor.as_completed(TASKS) as coming:
                async for result in coming:
                    results.append(result)  # noqa: PERF401 - what came before an error is kept
        except StoreError as error:
            return results, error
    return results, None


def stored(path: Path, wire: Wire) -> list[str]:
    """The prompts whose answers the store has."""

    async def find():
        async with Store(path) as store:
            prompts = [task.messages[0].content for task in TASKS]
            keys = [Key(wire.prepare([LLMMessage("user", prompt)])) for prompt in prompts]
            found = await asyncio.gather(*map(store.find, keys))
        return [answer.content for answer in found if answer is not None]

    return asyncio.run(find())


def check(folder: Path, fails_at: int, error: int, lasts: int) -> bool:
    """Whether the run came through without a failure; all that is promised is asserted."""
    path, wire = folder / f"{errno.errorcode[error]}-{lasts}-{fails_at}.db", Wire(latency=0.001)
    failure: StoreError | None
    with failing(fails_at, error, lasts) as disk:
        try:
            results, failure = asyncio.run(run(path, wire))
        except StoreError as unusable:  # it failed as the store was made
            results, failure = [], unusable
    bought = [result for result in results if result.success]
    unsaved = {result.value.content for result in bought if result.unsaved}
    assert len(wire.ledger) == len(bought), "all that was sent is handed out"
    assert len(unsaved) <= WINDOW, "and that is at most the open window more than is stored"
    assert all(isinstance(result.error, NotSent) for result in results if not result.success)
    there = stored(path, wire)
    assert {result.value.content for result in bought} - unsaved <= set(there), (
        "what was not marked is on file"
    )
    if failure is None:
        assert len(bought) == 60
        assert unsaved == set()
    again, failure = asyncio.run(run(path, wire))
    assert failure is None
    assert [result.success for result in again] == [True] * 60, "the next run comes through"
    assert len(wire.ledger) == len(bought) + 60 - len(there), "and buys only what is not there"
    return disk.writes < fails_at


@pytest.mark.parametrize("fails_at", [1, 5, 15, 20, 40, 80])
def test_some_write_fails(tmp_path, fails_at):
    check(tmp_path, fails_at, errno.ENOSPC, FOR_EVER)
    check(tmp_path, fails_at, errno.EIO, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "lasts"),
    [(errno.ENOSPC, FOR_EVER), (errno.ENOSPC, 1), (errno.EIO, 1)],
    ids=["full", "full once", "EIO"],
)
def test_every_write_fails_in_turn(tmp_path, error, lasts):
    fails_at = 1
    while not check(tmp_path, fails_at, error, lasts):
        fails_at += 1
    assert fails_at > 50, "there was something to fail"


async def test_whoever_asks_for_all_at_once_has_what_was_bought_on_the_error(tmp_path):
    executor = ParallelLLMExecutor(Wire(latency=0.001), 5, store=tmp_path / "run.db")
    await executor.gather([LLMTask("first")])
    with failing(3, errno.ENOSPC, FOR_EVER):
        with pytest.raises(StoreError, match="database or disk is full") as raised:
            await executor.execute({str(number): task for number, task in enumerate(TASKS)})
        results = raised.value.results
        assert len(results) == 60
        assert all(result.unsaved for result in results if result.success)
        with pytest.raises(StoreError):
            await executor.gather([LLMTask("not there")])
        (result,) = await executor.gather([LLMTask("first")])
        assert result.cached, "what is stored is found all the same"
    assert [result.success for result in await executor.gather(TASKS)] == [True] * 60
    await executor.aclose()


class Firm(BaseModel):
    name: str
    city: str


async def test_an_extraction_ends_its_run_too(tmp_path):
    wire = Wire(lambda prompt, number: '{"name": "N", "city": "C"}', latency=0.001)
    executor = ParallelLLMExecutor(wire, 5, store=tmp_path / "run.db")
    await executor.gather([LLMTask("first")])
    tasks = [ExtractTask(f"Text {number}", Firm, split="single") for number in range(50)]
    with failing(4, errno.ENOSPC, FOR_EVER):
        with pytest.raises(StoreError) as raised:
            await executor.gather(tasks)
        assert executor._store is not None
        with pytest.raises(StoreError):  # behind all that was still to be written
            await executor._store.write(lambda connection: None)
    bought = [result for result in raised.value.results if result.success]
    assert len(wire.ledger) == 1 + len(bought) < 51
    assert all(result.unsaved for result in bought)
    assert len(raised.value.results) == 50
    assert [result.success for result in await executor.gather(tasks)] == [True] * 50
    await executor.aclose()
