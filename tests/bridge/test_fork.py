"""A forked child: what was the parent's says so, everything new works."""

import os

import pytest

from tests.bridge.programs import run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

IN_CHILD = """
def in_child(work):
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0, "the child failed"

def new_one_works():
    executor = ParallelLLMExecutor(EchoProvider(), 2)
    results = run_sync(executor.gather([LLMTask("x"), DeterministicTask(os.getpid), LLMTask("y")]))
    assert [result.success for result in results] == [True] * 3
    assert results[1].value == os.getpid()

executor = ParallelLLMExecutor(EchoProvider(), 2)
"""


def assert_fine(program):
    code, said, complained = run(IN_CHILD + program)
    assert (code, complained) == (0, "")
    return said


def test_the_parents_executor_refuses_in_the_child_and_says_what_to_do():
    assert_fine("""
def refused():
    for call in (executor.gather([LLMTask("x")]), executor.execute({"x": LLMTask("x")}), anext(executor.in_order([]))):
        async def awaited():
            return await call
        try:
            run_sync(awaited())
        except ValueError as error:
            assert "fork" in str(error) and "new one" in str(error), error
        else:
            raise AssertionError("not refused")

run_sync(executor.gather([LLMTask("x")]))
in_child(refused)
assert run_sync(executor.gather([LLMTask("x")]))[0].success
""")


def test_run_sync_and_a_new_executor_work_in_the_child():
    assert_fine("""
run_sync(executor.gather([LLMTask("x"), DeterministicTask(os.getpid)]))  # now there are threads and a loop
in_child(new_one_works)
new_one_works()
""")


def test_run_sync_works_in_the_child_of_a_function():
    """Forked inside a function that an executor runs in a thread, as multiprocessing does there."""
    assert_fine("""
results = run_sync(executor.gather([DeterministicTask(in_child, (new_one_works,))]))
results[0].unwrap()
""")


def test_run_sync_works_in_the_child_of_an_async_function():
    assert_fine("""
async def function():
    in_child(new_one_works)

run_sync(executor.gather([DeterministicTask(function)]))[0].unwrap()
""")


def test_a_process_pool_inside_a_function_works():
    assert_fine("""
import multiprocessing

def square(number):
    async def squared():
        return number * number
    return run_sync(squared())

def function():
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(square, range(5))

assert run_sync(executor.gather([DeterministicTask(function)]))[0].unwrap() == [0, 1, 4, 9, 16]
""")


def test_locks_that_were_held_at_the_fork_are_free_in_the_child():
    assert_fine("""
from contextlib import ExitStack
from ingather.engine import sync
from ingather.admission.quotas import process_quotas
from ingather.process import locks, threads

run_sync(executor.gather([LLMTask("x"), DeterministicTask(os.getpid)]))
held, forked = threading.Event(), threading.Event()

def hold():
    with ExitStack() as stack:
        for lock in (locks.lock, process_quotas._lock, threads._lock, sync._background._lock):
            stack.enter_context(lock)
        held.set()
        forked.wait()

threading.Thread(target=hold, daemon=True).start()
held.wait()
in_child(new_one_works)
forked.set()
new_one_works()
""")


def test_the_parents_calls_in_flight_take_no_room_in_the_child():
    assert_fine("""
class OneAtATime(EchoProvider):
    def __eq__(self, other):
        return isinstance(other, OneAtATime)
    def __hash__(self):
        return 1
    async def complete(self, messages, config_overrides=None):
        if messages[-1].content == "stay":
            begun.set()
            await asyncio.sleep(1000)
        return await super().complete(messages, config_overrides)

begun = threading.Event()
provider = OneAtATime(limits=Limits(max_concurrency=1))
parents = ParallelLLMExecutor(provider, 5)
threading.Thread(target=lambda: run_sync(parents.gather([LLMTask("stay")])), daemon=True).start()
begun.wait()

def child():
    executor = ParallelLLMExecutor(OneAtATime(limits=Limits(max_concurrency=1)), 5)
    assert run_sync(executor.gather([LLMTask("go")]))[0].success

in_child(child)
""")
