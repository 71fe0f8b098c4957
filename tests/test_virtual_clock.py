"""Virtual time stands still while a thread of ours is at work, however slow the machine."""

import asyncio
import threading
import time

import pytest

from ingather import Store
from ingather.process.threads import run_in_thread
from ingather.store.writer import Writer

pytestmark = [pytest.mark.looptime, pytest.mark.blocking_ok]  # what is slow here is slow on purpose


async def test_a_function_that_takes_real_time_takes_no_virtual_time():
    loop = asyncio.get_running_loop()
    other = asyncio.create_task(asyncio.sleep(1.0))
    await run_in_thread(lambda: time.sleep(0.05), "slow")
    assert loop.time() == 0.0
    await other
    assert loop.time() == 1.0


async def test_a_store_that_writes_slowly_takes_no_virtual_time(tmp_path, monkeypatch):
    write = Writer._write

    def slowly(self, jobs):
        time.sleep(0.05)
        write(self, jobs)

    monkeypatch.setattr(Writer, "_write", slowly)
    loop = asyncio.get_running_loop()
    other = asyncio.create_task(asyncio.sleep(1.0))
    async with Store(tmp_path / "run.db") as store:
        await store.write(lambda connection: None)
    assert loop.time() == 0.0
    await other


async def test_a_function_that_waits_for_the_loop_does_not_hold_the_clock():
    go_on = threading.Event()
    asyncio.get_running_loop().call_later(5.0, go_on.set)
    await run_in_thread(go_on.wait, "waiting")
    assert asyncio.get_running_loop().time() == 5.0
