"""Standard streams that are closed, full or no longer read: the answers count, and nothing ends in a traceback."""

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import answers, write_tasks

if sys.platform == "win32":
    pytest.skip("other streams, other signals", allow_module_level=True)

INGATHER = f"{shlex.quote(sys.executable)} -m ingather"
RUN = f"{INGATHER} run t.jsonl -o o.jsonl --model echo"
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")


def shell(line):
    """A line of a shell's: its code, and what it printed."""
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert "crashed" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@needs_full
@pytest.mark.parametrize(
    "streams",
    [
        "2>&-",
        ">&-",
        "<&-",
        "<&- >&- 2>&-",
        "<&- 2>&-",
        "2>/dev/full",
        ">/dev/full",
        ">/dev/full 2>/dev/full",
    ],
)
def test_answers_in_a_file_are_all_there_and_nothing_else(streams):
    write_tasks("t.jsonl", 20)
    code, _, _ = shell(f"{RUN} {streams}")
    assert code == 0
    assert {line["id"] for line in answers("o.jsonl")} == {f"t{number}" for number in range(20)}


@pytest.mark.parametrize("streams", ["<&-", "<&- >&- 2>&-"])
def test_tasks_from_an_input_that_is_closed_are_a_mistake(streams):
    code, _, said = shell(f"{INGATHER} run - -o o.jsonl --model echo {streams}")
    assert code == 2
    assert "2>&-" in streams or "cannot read the tasks from standard input" in said
    assert not Path("o.jsonl").exists()


def test_what_is_printed_never_lands_in_a_file_that_took_its_descriptor():
    Path("t.jsonl").write_text('{"id": "a", "prompt": "x"}\n{"id": "b", "prompt": "y"}\n')
    code, _, _ = shell(f"{RUN} --store s.db 2>&- >&- <&-")
    assert code == 0
    assert len(answers("o.jsonl")) == 2
    assert shell(f"{INGATHER} cache stats --store s.db")[0] == 0


@needs_full
@pytest.mark.parametrize(
    ("stream", "why"), [(">&-", "Bad file descriptor"), (">/dev/full", "No space left")]
)
def test_answers_that_cannot_be_printed_are_said_to_be_missing(stream, why):
    write_tasks("t.jsonl", 3)
    code, _, told = shell(f"{INGATHER} run t.jsonl -o - --model echo {stream}")
    assert code == 2
    assert f"cannot write to standard output: {why}" in told


COMMANDS = ["--help", "--version", "run --help", "cache stats --store s.db", "bench --help"]


@needs_full
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("stream", "why"), [(">&-", "it is closed"), (">/dev/full", "No space left")]
)
def test_command_whose_output_is_lost_says_so(command, stream, why):
    write_tasks("t.jsonl", 1)
    shell(f"{RUN} --store s.db")
    code, _, told = shell(f"{INGATHER} {command} {stream}")
    assert code == 2
    assert told.startswith(f"ingather: cannot write to standard output: {why}")


@pytest.mark.parametrize("command", COMMANDS)
def test_reader_that_has_seen_enough_is_no_failure(command):
    write_tasks("t.jsonl", 1)
    shell(f"{RUN} --store s.db")
    assert shell(f"{{ {INGATHER} {command}; echo $? >&2; }} | true")[2].split()[-1] == "0"


@needs_full
@pytest.mark.parametrize("stream", ["2>&-", "2>/dev/full"])
@pytest.mark.parametrize(
    ("command", "code"),
    [("run nothing.jsonl -o o.jsonl --model echo", 2), ("run --nonsense", 2), ("--help", 0)],
)
def test_code_is_right_where_nobody_can_be_told_why(command, code, stream):
    assert shell(f"{INGATHER} {command} {stream}")[:1] == (code,)


def test_summary_nobody_reads_is_no_failure():
    write_tasks("t.jsonl", 5)
    assert shell(f"{{ {RUN}; echo $?; }} 2>&1 | head -c 1")[0] == 0
    assert len(answers("o.jsonl")) == 5


@needs_full
@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="no /proc to find its port in")
@pytest.mark.parametrize("streams", [">&- 2>&-", ">/dev/full 2>/dev/full"])
def test_simulator_serves_on_where_nobody_sees_it(streams):
    write_tasks("t.jsonl", 3)
    with subprocess.Popen(
        ["/bin/sh", "-c", f"exec {INGATHER} simulate --port 0 {streams}"]
    ) as process:
        port = listening(process)
        code, _, _ = shell(
            f"{RUN.replace('echo', 'openai/any')} --base-url http://127.0.0.1:{port}/v1"
        )
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
    assert code == 0


def listening(process):
    """The port on which a process listens: it can tell nobody."""
    while process.poll() is None:
        sockets = set()
        for entry in Path(f"/proc/{process.pid}/fd").glob("*"):
            try:
                sockets.add(str(entry.readlink()).removeprefix("socket:[").rstrip("]"))
            except OSError:
                continue
        for line in Path(f"/proc/{process.pid}/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                return int(fields[1].split(":")[1], 16)
        time.sleep(0.01)
    raise AssertionError(f"it ended with {process.returncode}")


BEFORE = """
import sys
there = set(sys.modules)
import {package}.cli, ingather.cli.start
print(*set(sys.modules) - there)
"""


@pytest.mark.parametrize("package", ["ingather", "tenk"])
def test_next_to_nothing_is_imported_before_an_interrupt_is_seen_to(package):
    done = subprocess.run(
        [sys.executable, "-c", BEFORE.format(package=package)],
        capture_output=True,
        text=True,
        check=True,
    )
    slow = {
        "typing",
        "enum",
        "contextlib",
        "threading",
        "importlib.metadata",
        "asyncio",
        "typer",
        "ingather.cli.streams",
    }
    assert not slow & set(done.stdout.split())


PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent in the background may have it ignored
import {package}.cli, ingather.cli.start
see_to = ingather.cli.start.end_at_once
def begun():
    see_to()
    ingather.cli.start.end_at_once = see_to
    print("begun", flush=True)
ingather.cli.start.end_at_once = begun
sys.argv[1:] = {arguments}
{package}.cli.main()
"""


@pytest.mark.parametrize("milliseconds", [0, 10, 30, 60, 100, 150, 220, 300, 400, 550])
@pytest.mark.parametrize("package", ["ingather", "tenk"])
def test_interrupt_while_it_starts_is_quiet(package, milliseconds):
    write_tasks("t.jsonl", 20_000)
    run = (
        ["run", "t.jsonl", "-o", "o.jsonl", "--model", "echo"]
        if package == "ingather"
        else ["analyze", "--help"]
    )
    program = PROGRAM.format(package=package, arguments=json.dumps(run))
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=-1, stderr=-1, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(milliseconds / 1000)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate()
    assert "Traceback" not in told
    assert "Exception ignored" not in told
    # where it had said all, and Python itself was ending, whom a signal ends in silence
    ended = (0, -signal.SIGINT)
    assert process.returncode in ((130,) if package == "ingather" else (130, *ended))


AS_JSON_IS_LOADED = """
import os, signal, sys

class Interrupts:
    sent = False
    def find_spec(self, name, path=None, target=None):
        if "orjson" in sys.modules and not name.startswith("orjson") and not self.sent:
            self.sent = True
            os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupts())
import {package}.cli
sys.argv[1:] = {arguments}
{package}.cli.main()
"""


@pytest.mark.parametrize("package", ["ingather", "tenk"])
def test_interrupt_while_json_is_loaded_crashes_nothing(package):
    run = ["run", write_tasks("t.jsonl", 3), "-o", "o.jsonl", "--model", "echo"]
    arguments = run if package == "ingather" else ["sections", "t.jsonl"]
    program = AS_JSON_IS_LOADED.format(package=package, arguments=json.dumps(arguments))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
