"""A timeout is called one only when what had arrived in time is taken."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from ingather import Hedge, LLMTask, ParallelLLMExecutor, connect
from ingather.transport.timeouts import Deadline, arrivals
from tests.servers.raw import answer, completion


@pytest.mark.looptime
async def test_ends_what_takes_too_long_at_its_time():
    loop = asyncio.get_running_loop()
    with pytest.raises(TimeoutError):
        async with Deadline(loop.time() + 5) as clock:
            await asyncio.sleep(9)
    assert clock.expired()
    assert loop.time() == pytest.approx(5)


@pytest.mark.looptime
async def test_lets_through_what_is_in_time_and_other_errors():
    loop = asyncio.get_running_loop()
    async with Deadline(loop.time() + 5) as clock:
        await asyncio.sleep(4)
    with pytest.raises(KeyError):
        async with Deadline(loop.time() + 5):
            raise KeyError
    await asyncio.sleep(9)
    assert not clock.expired()


@pytest.mark.looptime
async def test_one_that_is_over_before_it_begins_ends_at_the_first_wait():
    begun: list[int] = []

    async def work():
        async with Deadline(asyncio.get_running_loop().time()):
            await asyncio.sleep(0)
            begun.append(1)

    with pytest.raises(TimeoutError):
        await work()
    assert begun == []


@pytest.mark.looptime
async def test_a_cancellation_from_outside_stays_one():
    async def waiting():
        async with Deadline(asyncio.get_running_loop().time() + 5):
            await asyncio.sleep(9)

    task = asyncio.create_task(waiting())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.looptime
async def test_what_ends_in_the_same_moment_is_in_time():
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    loop.call_at(loop.time() + 5, future.set_result, "came")
    async with Deadline(loop.time() + 5):
        assert await future == "came"
    future = loop.create_future()
    async with Deadline(loop.time() + 5):
        loop.call_at(loop.time() + 5, future.set_result, "came")
        assert await future == "came"


@pytest.mark.looptime
async def test_arrivals_takes_turns_and_no_time():
    loop = asyncio.get_running_loop()
    seen: list[int] = []
    loop.call_soon(seen.append, 1)
    await arrivals(9.0)
    assert (seen, loop.time()) == ([1], 0)


BODY = completion("Hello " * 100_000)  # more than is read at once


@pytest.fixture
def prompt():
    """A server on threads: it answers at once, whatever our loop does. Gives its port, and how many requests came."""
    listening = socket.create_server(("127.0.0.1", 0))
    arrived = threading.Semaphore(0)
    count: list[int] = []

    def serve(sock):
        with sock, contextlib.suppress(OSError):
            while data := sock.recv(65536):
                while b"\r\n\r\n" not in data or not data.endswith(b"}"):
                    data += sock.recv(65536)
                count.append(1)
                sock.sendall(answer(BODY))
                arrived.release()

    def accept():
        with listening, contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=listening.accept()[:1], daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield listening.getsockname()[1], arrived, count
    with contextlib.suppress(OSError):
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


TERMS: dict[str, dict] = {
    "timeout of an attempt": {"task": {"timeout": 2.0}},
    "timeout of the connection": {"connection": {"timeout": 2.0}},
    "deadline of a task": {"task": {"deadline": 2.0}},
    "deadline of a run": {"executor": {"deadline": 2.0}},
    "hedge": {"executor": {"hedge": Hedge(after=1.0, max_extra=1.0)}},
}


@pytest.mark.blocking_ok  # that is the case
@pytest.mark.parametrize("terms", TERMS.values(), ids=TERMS)
async def test_answers_that_waited_while_the_loop_was_blocked_are_taken(prompt, terms):
    port, arrived, count = prompt
    provider = connect(
        "openai/m",
        base_url=f"http://127.0.0.1:{port}/v1",
        api_key="k",
        **terms.get("connection", {}),
    )

    async with ParallelLLMExecutor(provider, **terms.get("executor", {})) as executor:
        begun = time.monotonic()
        running = asyncio.ensure_future(executor.gather([LLMTask("?", **terms.get("task", {}))]))
        while not count and not running.done():  # noqa: ASYNC110 - the count is another thread's
            await asyncio.sleep(0)
        arrived.acquire()
        time.sleep(max(0.0, begun + 2.2 - time.monotonic()))  # noqa: ASYNC251 - it blocks
        [result] = await running
    assert result.success, result.error
    assert (result.attempts, len(count)) == (1, 1)


STOPPED = """
import asyncio, sys
from ingather import LLMTask, ParallelLLMExecutor, connect

async def main():
    provider = connect("openai/m", base_url=f"http://127.0.0.1:{sys.argv[1]}/v1", api_key="k")
    async with ParallelLLMExecutor(provider) as executor:
        [result] = await executor.gather([LLMTask("?", timeout=float(sys.argv[2]))])
    print(result.success, result.attempts, result.error)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
def test_answer_that_came_while_the_process_was_stopped_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        timeout = 3.0
        command = [sys.executable, "-c", STOPPED, str(port), str(timeout)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            sock, _ = listening.accept()
            with sock:
                sock.recv(65536)
                os.kill(process.pid, signal.SIGSTOP)
                os.waitid(os.P_PID, process.pid, os.WSTOPPED)
                threading.Thread(target=sock.sendall, args=(answer(BODY),), daemon=True).start()
                time.sleep(timeout + 0.5)
                os.kill(process.pid, signal.SIGCONT)
                told, _ = process.communicate()
    assert told == "True 1 None\n"
