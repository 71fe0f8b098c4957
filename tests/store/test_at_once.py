"""A store that several use at once, and one that is closed meanwhile: who waits is always answered."""

import asyncio
import gc
import subprocess
import sys
import threading
import time

import pytest

from ingather import LLMTask, ParallelLLMExecutor, Store, run_sync
from ingather.errors import StoreError
from ingather.store.writer import Job
from tests.run.stand_ins import Wire
from tests.store.asking import key

OPENER = """
import sys
from ingather import Store

for line in sys.stdin:
    try:
        with Store(line.strip()) as store:
            print(store.stats().answers, flush=True)
    except Exception as error:
        print(repr(error), flush=True)
"""


def test_processes_that_begin_at_once_share_a_fresh_store(tmp_path):
    command = [sys.executable, "-c", OPENER]
    openers = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        for _ in range(4)
    ]
    said = []
    for number in range(80):
        for opener in openers:
            assert opener.stdin is not None
            opener.stdin.write(f"{tmp_path}/{number}.db\n")
        said += [
            opener.stdout.readline().strip() for opener in openers if opener.stdout is not None
        ]
    for opener in openers:
        opener.communicate(timeout=60)
    assert said == ["0"] * len(said)
    assert len(said) == 320


def test_a_store_that_is_closed_by_another_thread_leaves_nobody_waiting(tmp_path):
    """Closed in the very moment in which somebody is handing in what is to be done."""
    store = Store(tmp_path / "run.db")
    store.stats()
    jobs = store._writer._jobs
    closer = threading.Thread(target=store.close)

    class Slow:
        empty, get, qsize = jobs.empty, jobs.get, jobs.qsize

        def put(self, job):
            if job is not None and closer.ident is None:
                closer.start()
                closer.join(0.3)  # for ever, where it waits for us
            jobs.put(job)

    store._writer._jobs = Slow()  # type: ignore[assignment]

    async def find():
        async with asyncio.timeout(20):
            return await store.find(key("x"))

    assert asyncio.run(find()) is None
    closer.join()
    with pytest.raises(StoreError, match="closed"):
        asyncio.run(find())


def test_work_that_fails_is_told_and_the_store_goes_on(tmp_path):
    def work(connection):
        raise LookupError("mine")

    with Store(tmp_path / "run.db") as store:
        with pytest.raises(StoreError, match="mine"):
            store.ask(work)
        assert store.stats().answers == 0


def test_a_store_whose_thread_could_not_begin_says_so_each_time(tmp_path, monkeypatch):
    store = Store(tmp_path / "run.db")
    with monkeypatch.context() as patch:
        patch.setattr(
            threading.Thread,
            "start",
            lambda self: (_ for _ in ()).throw(RuntimeError("can't start")),
        )
        for _ in range(2):
            with pytest.raises(RuntimeError, match="can't start"):
                store.stats()
    assert store.stats().answers == 0
    store.close()


@pytest.mark.parametrize("gone", ["deleted", "moved", "replaced"])
def test_nothing_is_bought_for_a_file_that_is_not_there_any_more(tmp_path, gone):
    path, wire = tmp_path / "run.db", Wire(latency=0.001)
    executor = ParallelLLMExecutor(wire, 2, store=Store(path))
    assert run_sync(executor.gather([LLMTask("0")]))[0].success
    if gone == "moved":
        path.rename(tmp_path / "elsewhere.db")
    else:
        path.unlink()
    if gone == "replaced":
        Store(path).close()
    with pytest.raises(
        StoreError, match="deleted, moved or replaced while it was open; open it anew"
    ):
        run_sync(executor.gather([LLMTask(str(number)) for number in range(1, 200)]))
    assert len(wire.ledger) < 50


def test_a_process_may_go_to_another_folder_while_a_store_is_open(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    executor = ParallelLLMExecutor(Wire(latency=0.001), 2, store=Store("run.db"))
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir("sub")
    assert run_sync(executor.gather([LLMTask("0")]))[0].success


def test_a_folder_that_is_not_there_is_told_once(tmp_path):
    with pytest.raises(StoreError) as caught:
        Store(tmp_path / "no" / "run.db")
    assert str(caught.value).count("cannot open") == 1


async def test_a_store_that_is_dropped_on_a_loop_does_not_hold_it_up(tmp_path):
    store = Store(tmp_path / "run.db")
    await store.write(lambda connection: time.sleep(0.2))
    store._writer.put(Job(None, work=lambda connection: time.sleep(0.2)))
    writer = store._writer
    del store
    gc.collect()  # which fails where it waits for a lock: see blockbuster
    assert writer._closed
    assert writer._thread is not None
    await asyncio.to_thread(writer._thread.join)
