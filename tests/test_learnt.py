"""What is kept of limits from one process to the next, whatever the files hold and however processes end."""

import json
import multiprocessing
import os
import stat
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather.admission.saved import cache_directory, keep, recall
from ingather.limits import Limits
from ingather.limits.controller import Controller
from ingather.limits.sent import amounts
from ingather.limits.snapshot import Learnt
from ingather.providers.base import QuotaKey
from ingather.testing import Simulator

QUOTA = QuotaKey("openai", "api.openai.com", "sk-canary-0123456789abcdef", "gpt-5-mini")
LEARNT = Learnt(requests=20.0, cap=64.0)
HOSTILE = [
    0,
    -1,
    1e-300,
    1e300,
    True,
    "20",
    None,
    [],
    {},
    [20],
    [20, -1],
    [20, 20, 20],
    ["a", 1],
    float("nan"),
]

# A whole program: ask a provider, and end as programs do.
RUN = """
import sys
from ingather import LLMTask, ParallelLLMExecutor, connect, run_sync
from ingather.admission.quotas import process_quotas

provider = connect("openai/m", base_url=sys.argv[1], api_key="sk-canary-0123456789abcdef", retry=None)
executor = ParallelLLMExecutor(provider, max_concurrency=None)
quota = provider.prepare(LLMTask("Hello").messages).quota
began = process_quotas.gate_of(quota, None).controller.ceilings.rates[0]
results = run_sync(executor.gather([LLMTask("Hello")] * int(sys.argv[2])))
assert all(result.success for result in results)
print(began)
"""


@pytest.fixture(autouse=True)
def _own_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def files():
    directory = cache_directory()
    assert directory is not None
    return sorted((directory / "limits").iterdir())


def written(entry):
    """The file of QUOTA, holding this."""
    keep({QUOTA: LEARNT})
    (path,) = files()
    path.write_bytes(entry if isinstance(entry, bytes) else json.dumps(entry).encode())
    return path


def program(base_url, calls=40):
    """Run it; the rate that it began with."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, base_url, str(calls)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def test_it_comes_back_and_no_key_is_in_it():
    keep({QUOTA: LEARNT})
    assert recall(QUOTA) == LEARNT
    assert recall(QUOTA._replace(model="another")) is None
    (path,) = files()
    assert "canary" not in path.name + path.read_text()


def test_it_is_for_this_user_alone():
    keep({QUOTA: LEARNT})
    (path,) = files()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("age", "known"), [(0, True), (86_000, True), (86_401, False), (-30, True), (-3600, False)]
)
def test_it_is_believed_for_a_day_and_not_from_the_future(age, known):
    keep({QUOTA: LEARNT})
    entry = json.loads(files()[0].read_text())
    written({**entry, "at": entry["at"] - age})
    assert (recall(QUOTA) == LEARNT) is known


def test_what_nobody_believes_any_more_is_removed():
    keep({QUOTA: LEARNT})
    (old,) = files()
    left = old.parent / "new-of-a-killed-process"
    left.touch()
    for path in (old, left):
        os.utime(path, (path.stat().st_mtime - 86_401,) * 2)
    keep({QUOTA._replace(model="another"): LEARNT})
    assert old not in files()
    assert left not in files()
    assert len(files()) == 1


def test_it_is_neither_read_nor_written_where_that_is_not_wanted(monkeypatch):
    keep({QUOTA: LEARNT})
    monkeypatch.setenv("INGATHER_KEEP_LIMITS", "0")
    assert recall(QUOTA) is None
    keep({QUOTA._replace(model="another"): LEARNT})
    monkeypatch.delenv("INGATHER_KEEP_LIMITS")
    assert recall(QUOTA._replace(model="another")) is None
    assert recall(QUOTA) == LEARNT


def test_a_cache_directory_that_is_no_absolute_path_is_none(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", "somewhere")
    monkeypatch.setenv("HOME", str(tmp_path))
    directory = cache_directory()
    assert directory is not None
    assert directory.is_relative_to(tmp_path)


def test_a_user_without_a_home_keeps_nothing(monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr("pathlib.Path.home", homeless)
    keep({QUOTA: LEARNT})
    assert recall(QUOTA) is None


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path):
    (tmp_path / "ingather").write_text("a file where the folder should be")
    keep({QUOTA: LEARNT})
    assert recall(QUOTA) is None


def test_a_file_that_is_a_folder_is_as_good_as_none(tmp_path):
    path = written({})
    path.unlink()
    path.mkdir()
    assert recall(QUOTA) is None
    keep({QUOTA: LEARNT})
    assert not [name for name in files() if name.name.startswith("new-")]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"x": 3}', b"\xff", b"[" * 100_000, b"3", b'{"at": "now"}']
)
def test_a_file_that_is_none_of_ours_is_as_good_as_none(content):
    written(content)
    assert recall(QUOTA) is None
    keep({QUOTA: LEARNT})
    assert recall(QUOTA) == LEARNT


@pytest.mark.parametrize("value", HOSTILE)
def test_values_that_make_no_sense_are_left_out(value):
    names = list(Learnt().__dataclass_fields__)
    assert Learnt.read({**dict.fromkeys(names, value), "more": 1}) == Learnt()
    assert Learnt.read({**dict.fromkeys(names, value), "requests": 20}) == Learnt(requests=20.0)


NUMBERS = st.floats(0.02, 1e9)
TOKENS = st.floats(1.0, 1e9)
PAIRS = st.tuples(NUMBERS, NUMBERS)
TOKEN_PAIRS = st.tuples(TOKENS, TOKENS)
LIKELY = [NUMBERS, TOKENS, NUMBERS, NUMBERS, PAIRS, TOKEN_PAIRS, TOKEN_PAIRS, TOKEN_PAIRS]


@given(st.builds(Learnt, *(st.none() | likely for likely in LIKELY)))
def test_whatever_is_likely_comes_back_as_it_was(learnt):
    assert Learnt.read(json.loads(json.dumps(learnt.written()))) == learnt


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
)


@given(
    st.fixed_dictionaries(dict.fromkeys(Learnt.__dataclass_fields__, ANYTHING | PAIRS | NUMBERS))
)
def test_no_file_makes_the_first_call_wait_for_more_than_minutes(entry):
    controller = Controller(Limits())
    controller.resume(Learnt.read(entry), 0.0)
    now = 0.0
    while (delay := controller.delay(amounts(10.0, 10.0), now)[0]) > 0:
        now += max(delay, 1e-6)
        assert now < 1_000


def test_one_run_learns_and_the_next_begins_with_it():
    with Simulator(rpm=600, burst=5, latency=0.01, headers=False) as sim:
        assert program(sim.base_url) == float("inf")
        assert sim.stats()["rejected"] > 0
        assert program(sim.base_url) < 100
    (path,) = files()
    assert "canary" not in path.name + path.read_text()
    assert json.loads(path.read_text())["of"] == "openai/m"


def test_a_run_that_is_killed_leaves_what_was_known_before():
    with Simulator(rpm=1200, burst=5, latency=0.01, headers=False) as sim:
        program(sim.base_url)
        before = [path.read_bytes() for path in files()]
        killed = RUN + "\nimport os, signal; os.kill(os.getpid(), signal.SIGKILL)"
        done = subprocess.run(
            [sys.executable, "-c", killed, sim.base_url, "25"], capture_output=True, check=False
        )
        assert done.returncode < 0
        assert [path.read_bytes() for path in files()] == before


def _keep_own(number, start):
    start.wait()
    for round_ in range(20):
        keep({QUOTA._replace(model=f"{number}-{round_}"): Learnt(requests=1.0 + number)})


def test_processes_that_end_at_once_take_nothing_from_each_other():
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(4)
    processes = [context.Process(target=_keep_own, args=(number, start)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    for number in range(4):
        for round_ in range(20):
            assert recall(QUOTA._replace(model=f"{number}-{round_}")) == Learnt(
                requests=1.0 + number
            )


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_keeps_its_own_and_nothing_of_its_parent():
    forked = """
import os, sys
from ingather import LLMTask, ParallelLLMExecutor, connect, run_sync

def ask(model):
    executor = ParallelLLMExecutor(connect(f"openai/{model}", base_url=sys.argv[1], retry=None), max_concurrency=None)
    return run_sync(executor.gather([LLMTask("Hello")] * 25))

ask("parents")
if (child := os.fork()) == 0:
    ask("childs")
    sys.exit()
os.waitpid(child, 0)
from pathlib import Path
from ingather.admission.saved import cache_directory
print([path.read_text() for path in (cache_directory() / "limits").iterdir()])
"""
    with Simulator(rpm=60_000) as sim:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", forked, sim.base_url],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "openai/childs" in done.stdout
    assert "openai/parents" not in done.stdout
    assert {json.loads(path.read_text())["of"] for path in files()} == {
        "openai/parents",
        "openai/childs",
    }
