"""Programs that run in a process of their own."""

import os
import signal
import subprocess
import sys

PREAMBLE = """
import asyncio, os, signal, sys, threading
from ingather import *

signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent in the background may have it ignored

class Slow:
    "Says that it was asked, and never answers; takes a moment to go when cancelled."
    in_flight = 0
    farewell = 0.0
    async def complete(self, messages, config_overrides=None):
        self.in_flight += 1
        try:
            print("asked", flush=True)
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            print("going", flush=True)
            await asyncio.sleep(self.farewell)
            raise
        finally:
            self.in_flight -= 1

provider = Slow()
executor = ParallelLLMExecutor(provider, 2)
tasks = [LLMTask(str(i)) for i in range(10)]
"""


def begin(program):
    """The program after the preamble, in a process of its own with pipes for what it says."""
    return subprocess.Popen(
        [
            sys.executable,
            "-X",
            "faulthandler",
            "-W",
            "ignore::DeprecationWarning",
            "-c",
            PREAMBLE + program,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def finish(process):
    """Its code, what it said, what it complained about; one that hangs is ended and fails the test."""
    try:
        said, complained = process.communicate(timeout=30)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)  # faulthandler then says where it hung
        said, complained = process.communicate()
        raise AssertionError(f"it hung\n{said}\n{complained}") from None
    return process.returncode, said.split(), complained


def run(program):
    return finish(begin(program))


def wait_for(process, word, times=1):
    """Reads what it says until the word has come so many times."""
    while times:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        times -= line.strip() == word


ENDING = """
import asyncio, atexit, gc, os, signal, sys, threading, time
from ingather import *

signal.signal(signal.SIGINT, signal.default_int_handler)
URL = sys.argv[1]

def provider_of(url):
    return connect("openai/m", base_url=f"{url}/v1", api_key="k", retry=RetryConfig(max_attempts=1))

def executor_of(url):
    return ParallelLLMExecutor(provider_of(url), max_concurrency=2)

provider = provider_of(URL)
executor = executor_of(URL)
tasks, slow, failing, losing = ([LLMTask(text)] * 3 for text in ("?", "slow", "fail", "lose"))

def arrived():
    "Waits until calls are in flight."
    while not executor._slots.in_use:
        time.sleep(0.001)
    time.sleep(0.1)

def interrupt_when_arrived():
    threading.Thread(target=lambda: (arrived(), os.kill(os.getpid(), signal.SIGINT)), daemon=True).start()
"""


def ending(program, url, folder, *flags):
    """A program's exit code, and what it printed: it has a module-level executor for the server at `url`."""
    command = [sys.executable, *flags, "-c", ENDING + program, url]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        said, complained = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        said, complained = process.communicate()
    return process.returncode, said, complained
