"""Ctrl-C in a real process: what is in flight is cancelled and awaited, and the program goes on to its own end."""

import signal

import pytest

from tests.bridge.programs import begin, finish, wait_for

BY_RUN_SYNC = "run_sync(executor.gather(tasks))"
BY_ASYNCIO = "asyncio.run(executor.gather(tasks))"
ONE_BY_ONE = """
    async def one_by_one():
        async for result in executor.as_completed(tasks):
            print(result)
    run_sync(one_by_one())
"""
IN_A_NOTEBOOK = """
    async def cell():
        run_sync(executor.gather(tasks))
    asyncio.new_event_loop().run_until_complete(cell())
"""
NESTED_IN_THREADS = """
    def function():
        return run_sync(executor.gather(tasks))
    run_sync(executor.gather([DeterministicTask(function) for _ in range(5)]))
"""


def program(call, before=""):
    body = call if call.startswith("\n") else f"\n    {call}\n"
    return f"""
{before}
try:
{body}
except KeyboardInterrupt:
    print("interrupted", provider.in_flight, executor._slots.in_use)
    sys.exit(130)
"""


@pytest.mark.parametrize("call", [BY_RUN_SYNC, BY_ASYNCIO, ONE_BY_ONE, NESTED_IN_THREADS])
@pytest.mark.parametrize("farewell", [0.0, 0.2])
def test_what_is_in_flight_is_gone_when_the_interrupt_arrives(call, farewell):
    process = begin(program(call, f"provider.farewell = {farewell}"))
    wait_for(process, "asked", 2)
    process.send_signal(signal.SIGINT)
    code, said, complained = finish(process)
    assert (code, complained) == (130, "")
    assert said == ["going", "going", "interrupted", "0", "0"]


def test_in_a_notebook_the_interrupt_arrives_too():
    """Whose loop does not handle interrupts itself, as that of ``asyncio.run`` does."""
    process = begin(
        program(
            IN_A_NOTEBOOK.replace(
                "asyncio.run(cell())", "asyncio.new_event_loop().run_until_complete(cell())"
            )
        )
    )
    wait_for(process, "asked", 2)
    process.send_signal(signal.SIGINT)
    code, said, _ = finish(process)
    assert code == 130
    assert said == ["going", "going", "interrupted", "0", "0"]


def test_a_second_interrupt_does_not_wait_for_the_farewells():
    process = begin(program(BY_RUN_SYNC, "provider.farewell = 1000.0"))
    wait_for(process, "asked", 2)
    process.send_signal(signal.SIGINT)
    wait_for(process, "going", 2)
    process.send_signal(signal.SIGINT)
    code, said, _ = finish(process)
    assert code == 130
    assert said[0] == "interrupted"


def test_after_an_interrupt_the_program_may_go_on():
    process = begin("""
try:
    run_sync(executor.gather(tasks))
except KeyboardInterrupt:
    other = ParallelLLMExecutor(EchoProvider())
    print(run_sync(other.gather([LLMTask("still-here")]))[0].value.content.split()[-1])
""")
    wait_for(process, "asked", 2)
    process.send_signal(signal.SIGINT)
    code, said, complained = finish(process)
    assert (code, complained) == (0, "")
    assert said[-1] == "still-here"


def test_a_function_in_a_thread_does_not_hold_up_the_end():
    process = begin("""
import logging
logging.basicConfig()

def function():
    os.write(1, b"asked\\n")  # whole, where print lets the other thread's word come between
    threading.Event().wait()

try:
    run_sync(executor.gather([DeterministicTask(function)] * 2))
except KeyboardInterrupt:
    sys.exit(130)
""")
    wait_for(process, "asked", 2)
    process.send_signal(signal.SIGINT)
    code, _, complained = finish(process)
    assert code == 130
    assert "left behind" in complained


def test_without_a_handler_the_program_ends_by_the_interrupt():
    process = begin("run_sync(executor.gather(tasks))")
    wait_for(process, "asked", 2)
    process.send_signal(signal.SIGINT)
    code, _, complained = finish(process)
    assert code in {-signal.SIGINT, 130}
    assert complained.rstrip().endswith("KeyboardInterrupt")


def test_a_program_that_ends_while_calls_are_in_flight_ends_without_a_word():
    """The background loop and the threads are daemons: nobody waits for what nobody waits for."""
    process = begin("""
asked = threading.Event()

async def function():
    asked.set()
    await asyncio.sleep(1000)

call = executor.gather([DeterministicTask(function), DeterministicTask(lambda: threading.Event().wait())])
threading.Thread(target=lambda: run_sync(call), daemon=True).start()
asked.wait()
""")
    assert finish(process) == (0, [], "")
