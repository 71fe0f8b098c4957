"""However a program ends, nothing is printed about what was open: not by asyncio, not by aiohttp, not by us."""

import asyncio
import os
import sys
import threading

import pytest

from tests.bridge.programs import ending
from tests.servers.raw import RawServer, answer, completion

ENDS = {
    "run_sync": "run_sync(executor.gather(tasks))",
    "run_sync, answered with an error": "run_sync(executor.gather(failing))",
    "run_sync, connections lost": "run_sync(executor.gather(losing))",
    "run_sync, nobody there": "run_sync(executor_of('http://127.0.0.1:9').gather(tasks))",
    "run_sync, timeouts": "run_sync(executor.gather([LLMTask('slow', timeout=0.1)]))",
    "run_sync of a bare provider": "run_sync(provider.complete([LLMMessage('user', '?')]))",
    "run_sync with a store": "run_sync(ParallelLLMExecutor(provider, store='answers.db').gather(tasks))",
    "run_sync in threads": """
threads = [threading.Thread(target=lambda: run_sync(executor.gather(tasks))) for _ in range(4)]
for thread in threads:
    thread.start()
""",
    "run_sync in a daemon thread, in flight": """
threading.Thread(target=lambda: run_sync(executor.gather(slow)), daemon=True).start()
arrived()
""",
    "run_sync at exit": """
atexit.register(lambda: run_sync(executor.gather(tasks)))
run_sync(executor.gather(tasks))
""",
    "run_sync from a function": """
run_sync(ParallelLLMExecutor("echo").gather([DeterministicTask(lambda: run_sync(executor.gather(tasks)))]))
""",
    "sys.exit": "run_sync(executor.gather(tasks)); sys.exit()",
    "Ctrl-C in run_sync": """
interrupt_when_arrived()
try:
    run_sync(executor.gather(slow))
except KeyboardInterrupt:
    pass
""",
    "asyncio.run": "asyncio.run(executor.gather(tasks))",
    "asyncio.run, connections lost": "asyncio.run(executor.gather(losing))",
    "asyncio.run, in debug mode": "asyncio.run(executor.gather(tasks), debug=True)",
    "asyncio.run, async with": """
async def main():
    async with executor_of(URL) as mine:
        await mine.gather(tasks)
asyncio.run(main())
""",
    "asyncio.run, several": """
for _ in range(3):
    asyncio.run(executor.gather(tasks))
run_sync(executor.gather(tasks))
asyncio.run(executor.gather(tasks))
""",
    "asyncio.run, sys.exit inside": """
async def main():
    await executor.gather(tasks)
    sys.exit()
asyncio.run(main())
""",
    "asyncio.run, a task in flight": """
async def main():
    main.task = asyncio.create_task(executor.gather(slow))
    await asyncio.to_thread(arrived)
asyncio.run(main())
""",
    "asyncio.run, Ctrl-C": """
interrupt_when_arrived()
try:
    asyncio.run(executor.gather(slow))
except KeyboardInterrupt:
    pass
""",
    "asyncio.run in a daemon thread, in flight": """
threading.Thread(target=lambda: asyncio.run(executor.gather(slow)), daemon=True).start()
arrived()
""",
    "a loop that runs for ever in a daemon thread": """
loop = asyncio.new_event_loop()
threading.Thread(target=loop.run_forever, daemon=True).start()
asyncio.run_coroutine_threadsafe(executor.gather(tasks), loop).result()
""",
    "a loop that is never closed": """
loop = asyncio.new_event_loop()
loop.run_until_complete(executor.gather(tasks))
""",
    "a loop that is dropped": """
loop = asyncio.new_event_loop()
loop.run_until_complete(executor_of(URL).gather(tasks))
del loop
gc.collect()
""",
    "a loop that is closed without more ado": """
loop = asyncio.new_event_loop()
loop.run_until_complete(executor.gather(tasks))
loop.close()
""",
    "a loop that was stopped, in flight": """
loop = asyncio.new_event_loop()
task = loop.create_task(executor.gather(slow))
threading.Thread(target=lambda: (arrived(), loop.call_soon_threadsafe(loop.stop)), daemon=True).start()
loop.run_forever()
""",
    "a loop that was stopped, in flight, without a network": """
class Slow:
    async def complete(self, messages, config_overrides=None):
        await asyncio.sleep(99)
loop = asyncio.new_event_loop()
task = loop.create_task(ParallelLLMExecutor(Slow()).gather(tasks))
loop.call_later(0.1, loop.stop)
loop.run_forever()
""",
}


@pytest.fixture(scope="module")
def url():
    """Of a server that outlives the module's programs."""
    started = threading.Event()
    known: list = []

    async def serve(exchange):
        if b"slow" in exchange.body:
            await exchange.hung_up()
        elif b"fail" in exchange.body:
            await exchange.send(answer(b'{"error": {"message": "no"}}', 400))
        elif b"lose" in exchange.body:
            exchange.reset()
        else:
            await exchange.send(answer(completion()))

    async def main():
        stop = asyncio.Event()
        async with RawServer(serve) as server:
            known.extend((server.url, asyncio.get_running_loop(), stop))
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    started.wait()
    url, loop, stop = known
    yield url
    loop.call_soon_threadsafe(stop.set)
    thread.join()


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_program_that_ends_says_nothing(url, tmp_path, end):
    assert ending(end, url, tmp_path) == (0, "", "")


STRICT = [
    "run_sync",
    "run_sync, connections lost",
    "asyncio.run, several",
    "a loop that is never closed",
]


@pytest.mark.parametrize("flags", [["-W", "error"], ["-X", "dev"]], ids=" ".join)
@pytest.mark.parametrize("end", STRICT)
def test_nor_where_warnings_are_shown(url, tmp_path, end, flags):
    assert ending(ENDS[end], url, tmp_path, *flags) == (0, "", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_nor_does_a_forked_child(url, tmp_path):
    program = """
run_sync(executor.gather(tasks))
if os.fork() == 0:
    run_sync(executor_of(URL).gather(tasks))
    sys.exit()
assert os.wait()[1] == 0
assert all(result.success for result in run_sync(executor.gather(tasks)))
"""
    assert ending(program, url, tmp_path) == (0, "", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_what_a_forked_child_drops_stays_the_parents(url, tmp_path):
    program = """
own, loop = executor_of(URL), asyncio.new_event_loop()
loop.run_until_complete(own.gather(tasks))
if os.fork() == 0:
    del own
    gc.collect()
    os._exit(0)
assert os.wait()[1] == 0
assert all(result.success for result in loop.run_until_complete(asyncio.wait_for(own.gather(tasks), 20)))
"""
    assert ending(program, url, tmp_path) == (0, "", "")


def test_a_function_in_flight_does_not_hold_up_the_end(url, tmp_path):
    program = """
def function():
    started.set()
    time.sleep(1000)
started = threading.Event()
threading.Thread(target=lambda: run_sync(executor.gather([DeterministicTask(function)])), daemon=True).start()
started.wait()
"""
    assert ending(program, url, tmp_path) == (0, "", "")


if sys.platform == "win32":
    pytestmark = pytest.mark.skip(reason="other loops, other signals")
