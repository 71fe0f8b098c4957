"""`ingather run --store`: the same command again goes on where it ended."""

import fcntl
import gzip
import json
import shlex
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import answers, asking, write_tasks


@pytest.fixture
def run(ingather, simulator):
    """Run tasks against a simulator, with a store; more options may follow."""
    sim = simulator(model="echo")

    def again(*options, tasks="t.jsonl", output="a.jsonl"):
        return ingather("run", tasks, "-o", output, "--store", "run.db", *asking(sim), *options)

    vars(again)["sim"] = sim
    return again


def ids(path="a.jsonl"):
    return [line["id"] for line in answers(path)]


def lines(*each):
    Path("t.jsonl").write_text("".join(json.dumps(one) + "\n" for one in each))


def keep(path, count):
    """What a crash might leave: the first `count` lines."""
    text = Path(path).read_text().splitlines(keepends=True)
    Path(path).write_text("".join(text[:count]))
    return text


def test_a_run_that_is_complete_sends_nothing_again(run):
    write_tasks("t.jsonl", 20)
    assert run().code == 0
    before = Path("a.jsonl").read_bytes()
    again = run()
    assert again.code == 0
    assert "going on: 20 of 20 tasks are done, and not sent again" in again.err
    assert run.sim.stats()["calls"] == 20
    assert Path("a.jsonl").read_bytes() == before


@pytest.mark.parametrize("order", [[], ["--ordered"]])
def test_what_is_not_written_comes_from_the_store(run, order):
    write_tasks("t.jsonl", 20)
    run(*order)
    keep("a.jsonl", 7)
    outcome = run(*order)
    assert outcome.code == 0
    assert sorted(ids()) == sorted(f"t{i}" for i in range(20))
    assert run.sim.stats()["calls"] == 20
    assert "13 of 13 succeeded (13 of them remembered)" in outcome.err
    assert [line["cached"] for line in answers("a.jsonl")] == [False] * 7 + [True] * 13
    assert all(line["index"] == int(line["id"][1:]) for line in answers("a.jsonl"))


def test_what_is_not_bought_yet_is_bought(run):
    write_tasks("t.jsonl", 10)
    run()
    write_tasks("t.jsonl", 15)
    assert run().code == 0
    assert sorted(ids()) == sorted(f"t{i}" for i in range(15))
    assert run.sim.stats()["calls"] == 15


def test_a_torn_last_line_is_taken_out_and_written_again(run):
    write_tasks("t.jsonl", 5)
    run()
    whole = Path("a.jsonl").read_bytes()
    Path("a.jsonl").write_bytes(whole[:-20])
    outcome = run()
    assert (
        "going on: 4 of 5 tasks are done, and not sent again; a last line that was torn, of "
        in outcome.err
    )
    assert sorted(ids()) == sorted(f"t{i}" for i in range(5))


def test_packed_answers_too(run):
    write_tasks("t.jsonl", 5)
    run(output="a.jsonl.gz")
    whole = Path("a.jsonl.gz").read_bytes()
    Path("a.jsonl.gz").write_bytes(whole[:-3])
    assert run(output="a.jsonl.gz").code == 0
    with gzip.open("a.jsonl.gz", "rt") as file:
        assert sorted(json.loads(line)["id"] for line in file) == sorted(f"t{i}" for i in range(5))


def test_batch_lines_too(run):
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    lines(
        *(
            {"custom_id": f"c{i}", "method": "POST", "url": "/v1/chat/completions", "body": body}
            for i in range(5)
        )
    )
    run()
    keep("a.jsonl", 2)
    assert run().code == 0
    assert sorted(line["custom_id"] for line in answers("a.jsonl")) == [f"c{i}" for i in range(5)]


class TestInOrder:
    def test_lines_that_are_in_order_stay(self, run):
        write_tasks("t.jsonl", 10)
        run("--ordered")
        text = keep("a.jsonl", 4)
        assert run("--ordered").code == 0
        assert Path("a.jsonl").read_text().splitlines(keepends=True)[:4] == text[:4]
        assert ids() == [f"t{i}" for i in range(10)]

    def test_lines_that_are_not_are_written_anew_from_the_store(self, run):
        write_tasks("t.jsonl", 10)
        run()
        text = Path("a.jsonl").read_text().splitlines(keepends=True)
        Path("a.jsonl").write_text("".join([text[0], text[3], text[2]]))
        assert run("--ordered").code == 0
        assert ids() == [f"t{i}" for i in range(10)]
        assert run.sim.stats()["calls"] == 10

    def test_from_standard_input(self, begin, run):
        write_tasks("t.jsonl", 10)
        for count in (4, 10):
            process = begin(
                "run",
                "-",
                "-o",
                "a.jsonl",
                "--store",
                "run.db",
                "--ordered",
                *asking(run.sim),
                stdin=-1,
            )
            process.communicate(
                "".join(Path("t.jsonl").read_text().splitlines(keepends=True)[:count]), timeout=30
            )
        assert ids() == [f"t{i}" for i in range(10)]
        assert run.sim.stats()["calls"] == 10


def test_from_standard_input_rows_that_are_done_are_left_out(begin, run):
    text = Path(write_tasks("t.jsonl", 10)).read_text()
    for _ in range(2):
        process = begin(
            "run", "-", "-o", "a.jsonl", "--store", "run.db", *asking(run.sim), stdin=-1
        )
        process.communicate(text, timeout=30)
        assert process.returncode == 0
    assert sorted(ids()) == sorted(f"t{i}" for i in range(10))


class TestAnIdThatIsAskedSomethingElse:
    def test_is_an_error_that_names_it(self, run):
        write_tasks("t.jsonl", 3)
        run()
        before = Path("a.jsonl").read_bytes()
        lines(*({"id": f"t{i}", "prompt": f"Tell {i}" if i == 1 else f"Say {i}"} for i in range(3)))
        outcome = run()
        assert outcome.code == 2
        assert (
            "the id 't1' has a saved answer to a different request: --refresh asks all "
            "anew" in outcome.err
        )
        assert Path("a.jsonl").read_bytes() == before
        assert run.sim.stats()["calls"] == 3

    @pytest.mark.parametrize("options", [["--param", "temperature=1"], ["--system", "Be brief"]])
    def test_parameters_and_the_system_message_count(self, run, options):
        write_tasks("t.jsonl", 3)
        run()
        assert "the id 't0' has a saved answer to a different request" in run(*options).err

    def test_so_do_the_model_and_the_schema(self, run, ingather):
        write_tasks("t.jsonl", 3)
        run()
        other = [
            "run",
            "t.jsonl",
            "-o",
            "a.jsonl",
            "--store",
            "run.db",
            "--base-url",
            run.sim.base_url,
        ]
        assert "the id 't0'" in ingather(*other, "--model", "openai/other").err
        Path("s.json").write_text('{"type": "object", "properties": {"a": {"type": "string"}}}')
        assert "the id 't0'" in run("--schema", "s.json").err

    def test_the_same_question_at_another_address_is_the_same(self, run, ingather, simulator):
        write_tasks("t.jsonl", 3)
        run()
        outcome = ingather(
            "run", "t.jsonl", "-o", "a.jsonl", "--store", "run.db", *asking(simulator())
        )
        assert outcome.code == 0

    def test_on_standard_input_it_is_one_too(self, begin, run):
        write_tasks("t.jsonl", 3)
        run()
        process = begin(
            "run", "-", "-o", "a.jsonl", "--store", "run.db", *asking(run.sim), stdin=-1
        )
        _, err = process.communicate('{"id": "t1", "prompt": "Tell 1"}\n', timeout=30)
        assert process.returncode == 2
        assert "the id 't1' has a saved answer to a different request" in err

    def test_a_row_that_is_not_in_the_output_may_change(self, run):
        write_tasks("t.jsonl", 3)
        run()
        keep("a.jsonl", 2)
        kept = ids()
        lines(
            *(
                {"id": f"t{i}", "prompt": f"Say {i}" if f"t{i}" in kept else "Tell"}
                for i in range(3)
            )
        )
        assert run().code == 0
        assert answers("a.jsonl")[2]["value"] == "Tell"

    def test_refresh_asks_all_anew(self, run):
        write_tasks("t.jsonl", 3)
        run()
        lines(*({"id": f"t{i}", "prompt": f"Tell {i}" if i == 1 else f"Say {i}"} for i in range(3)))
        assert run("--refresh").code == 0
        assert sorted(line["value"] for line in answers("a.jsonl")) == ["Say 0", "Say 2", "Tell 1"]
        assert run.sim.stats()["calls"] == 6
        assert run().code == 0
        assert run.sim.stats()["calls"] == 6

    def test_a_refresh_that_was_cut_short_goes_on_as_one(self, run):
        write_tasks("t.jsonl", 6)
        run()
        run("--refresh", "--max-time", "0.001")
        assert run().code == 0
        assert len(ids()) == 6
        assert run.sim.stats()["calls"] == 12


def test_overwrite_begins_the_file_anew_and_buys_nothing(run):
    write_tasks("t.jsonl", 5)
    run()
    outcome = run("--overwrite")
    assert outcome.code == 0
    assert all(line["cached"] for line in answers("a.jsonl"))
    assert run.sim.stats()["calls"] == 5


class TestFailures:
    @pytest.fixture
    def failing(self, ingather, simulator):
        """Two of five fail, the first time."""
        sim = simulator(model="echo", script={"Say 1": ["400"], "Say 3": ["400"]})
        write_tasks("t.jsonl", 5)

        def again(*options, output="a.jsonl"):
            return ingather(
                "run", "t.jsonl", "-o", output, "--store", "run.db", *asking(sim), *options
            )

        vars(again)["sim"] = sim
        return again

    def test_stay_as_they_are(self, failing):
        first = failing()
        assert first.code == 3
        assert "2 are failures, which --retry-failed asks again" in first.err
        again = failing()
        assert again.code == 3
        assert "2 are failures, which --retry-failed asks again" in again.err
        assert failing.sim.stats()["calls"] == 5

    @pytest.mark.parametrize("output", ["a.jsonl", "a.jsonl.gz"])
    @pytest.mark.parametrize("order", [[], ["--ordered"]])
    def test_are_asked_again_alone(self, failing, order, output):
        failing(*order, output=output)
        assert failing("--retry-failed", *order, output=output).code == 0
        opened = gzip.open if output.endswith(".gz") else open
        with opened(output, "rt") as file:
            there = [json.loads(line) for line in file]
        assert sorted(line["id"] for line in there) == [f"t{i}" for i in range(5)]
        assert all(line["success"] for line in there)
        assert failing.sim.stats()["calls"] == 7
        if order:
            assert [line["id"] for line in there] == [f"t{i}" for i in range(5)]
        assert sorted(path.name for path in Path().iterdir()) == sorted(
            [output, "run.db", "t.jsonl"]
        )

    def test_may_be_asked_otherwise(self, failing):
        failing()
        lines(
            *(
                {"id": f"t{i}", "prompt": f"Tell {i}" if i in (1, 3) else f"Say {i}"}
                for i in range(5)
            )
        )
        assert failing("--retry-failed").code == 0


class TestWhatIsRefused:
    def test_answers_that_the_store_does_not_know(self, run, ingather):
        write_tasks("t.jsonl", 3)
        ingather("run", "t.jsonl", "-o", "a.jsonl", *asking(run.sim))
        before = Path("a.jsonl").read_bytes()
        outcome = run()
        assert outcome.code == 2
        assert (
            "a.jsonl already exists, and the store run.db does not know it: --resume goes on"
            in outcome.err
        )
        assert Path("a.jsonl").read_bytes() == before

    def test_without_a_store_answers_are_not_gone_on_with(self, run, ingather):
        write_tasks("t.jsonl", 3)
        run()
        outcome = ingather("run", "t.jsonl", "-o", "a.jsonl", *asking(run.sim))
        assert outcome.code == 2
        assert "--resume goes on with it" in outcome.err

    def test_a_refresh_without_a_store(self, ingather):
        outcome = ingather(
            "run", write_tasks("t.jsonl", 1), "-o", "a.jsonl", "--model", "echo", "--refresh"
        )
        assert outcome.code == 2
        assert (
            "--refresh goes with a --store; without one, --overwrite asks all anew" in outcome.err
        )

    @pytest.mark.parametrize("path", ["./t.jsonl", "a.jsonl"])
    def test_a_store_in_the_place_of_the_tasks_or_the_answers(self, ingather, path):
        write_tasks("t.jsonl", 1)
        outcome = ingather("run", "t.jsonl", "-o", "a.jsonl", "--model", "echo", "--store", path)
        assert outcome.code == 2
        assert "the store would replace the tasks or the answers" in outcome.err
        assert [file.name for file in Path().iterdir()] == ["t.jsonl"]

    def test_a_store_that_is_none(self, run):
        write_tasks("t.jsonl", 1)
        Path("run.db").write_text("hello" * 1000)
        outcome = run()
        assert outcome.code == 2
        assert "cannot open the store run.db: file is not a database" in outcome.err
        assert not Path("a.jsonl").exists()

    @pytest.mark.parametrize("store", [["--store", "run.db"], []])
    def test_an_output_that_another_process_writes(self, run, ingather, store):
        write_tasks("t.jsonl", 3)
        with Path("a.jsonl").open("a") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            outcome = ingather("run", "t.jsonl", "-o", "a.jsonl", *store, *asking(run.sim))
            assert outcome.code == 2
            assert "a.jsonl is being written by another process" in outcome.err
        assert run().code == 0


def test_the_second_process_on_a_run_is_told_who_has_it(begin, simulator, ingather):
    sim = simulator(model="echo", latency=0.2)
    arguments = [
        "run",
        write_tasks("t.jsonl", 200),
        "-o",
        "a.jsonl",
        "--store",
        "run.db",
        *asking(sim),
    ]
    first = begin(*arguments, "--max-concurrency", "2")
    while not sim.stats()["calls"]:
        assert first.poll() is None
    outcome = ingather(*arguments)
    assert outcome.code == 2
    assert f"a.jsonl is being written by process {first.pid} on " in outcome.err
    first.kill()
    first.wait()
    assert ingather(*arguments, "--max-time", "0.5").code == 4, "a dead owner's lock is taken over"


def test_two_runs_share_a_store(begin, simulator):
    sim = simulator(model="echo", latency=0.01)
    write_tasks("t.jsonl", 100)
    both = [
        begin("run", "t.jsonl", "-o", f"{name}.jsonl", "--store", "run.db", *asking(sim))
        for name in "ab"
    ]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    assert sorted(ids("a.jsonl")) == sorted(ids("b.jsonl")) == sorted(f"t{i}" for i in range(100))


def test_the_folder_may_be_moved(run, monkeypatch, tmp_path):
    Path("one").mkdir()
    write_tasks("one/t.jsonl", 3)
    monkeypatch.chdir(tmp_path / "one")
    run()
    monkeypatch.chdir(tmp_path)
    Path("one").rename("two")
    monkeypatch.chdir(tmp_path / "two")
    assert "going on: 3 of 3" in run().err


def test_answers_to_standard_output_come_from_the_store_too(run):
    write_tasks("t.jsonl", 3)
    first, again = run(output="-"), run(output="-")
    assert [json.loads(line)["cached"] for line in again.out.splitlines()] == [True] * 3
    assert len(first.out.splitlines()) == 3


def test_echo_is_gone_on_with_though_never_stored(ingather):
    write_tasks("t.jsonl", 10)
    arguments = ["run", "t.jsonl", "-o", "a.jsonl", "--store", "run.db", "--model", "echo"]
    ingather(*arguments)
    text = keep("a.jsonl", 4)
    assert ingather(*arguments).code == 0
    assert Path("a.jsonl").read_text().splitlines(keepends=True)[:4] == text[:4]
    assert sorted(ids()) == sorted(f"t{i}" for i in range(10))


def test_what_has_no_effect_on_echo_is_said_and_not_by_python(begin):
    write_tasks("t.jsonl", 1)
    process = begin(
        "run",
        "t.jsonl",
        "-o",
        "a.jsonl",
        "--store",
        "run.db",
        "--hedge",
        "p95",
        "--model",
        "echo",
        "-q",
    )
    assert (
        process.communicate()[1] == "warning: --hedge has no effect: nothing is sent to a server\n"
    )
    assert process.returncode == 0


def test_a_disk_that_is_full_ends_it_and_the_answers_say_which_are_not_stored(begin, simulator):
    sim = simulator(model="echo", latency=0.005)
    write_tasks("t.jsonl", 2000)
    limit = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000));"
    program = f"{limit} from ingather.cli import main; main(sys.argv[1:])"
    arguments = [
        "run",
        "t.jsonl",
        "-o",
        "a.jsonl",
        "--store",
        "run.db",
        "--max-concurrency",
        "10",
        *asking(sim),
    ]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "stopped: StoreError: cannot write to the store run.db: disk I/O error" in done.stderr
    assert "; to go on:\n  ingather run t.jsonl" in done.stderr
    there = answers("a.jsonl")
    assert len(there) == sim.stats()["calls"] < 2000, "all that was bought is handed out"
    unsaved = [line for line in there if "unsaved" in line]
    assert 0 < len(unsaved) <= 36
    with sqlite3.connect("run.db") as connection:
        (stored,) = connection.execute("SELECT count(*) FROM answers").fetchone()
    connection.close()
    assert stored >= len(there) - len(unsaved)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("order", [[], ["--ordered"]])
def test_a_signal_ends_it_in_order_and_the_command_that_it_prints_goes_on(
    begin, simulator, ingather, number, code, order
):
    sim = simulator(model="echo", latency=0.02)
    arguments = [
        "run",
        write_tasks("t.jsonl", 300),
        "-o",
        "a b.jsonl",
        "--store",
        "run.db",
        *asking(sim),
        *order,
    ]
    process = begin(*arguments, "--max-concurrency", "5", "--refresh")
    while sim.stats()["answered"] < 30:
        assert process.poll() is None
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code
    bought = sim.stats()["calls"]
    assert len(ids("a b.jsonl")) == bought < 300
    command = shlex.split(err.splitlines()[-1])
    assert command[0] == "ingather"
    assert "--refresh" not in command
    assert ingather(*command[1:]).code == 0
    assert sorted(ids("a b.jsonl")) == sorted(f"t{i}" for i in range(300))
    if order:
        assert ids("a b.jsonl") == [f"t{i}" for i in range(300)]
    assert sim.stats()["calls"] == 300, "nothing is paid twice"


def test_ordered_answers_that_waited_for_an_earlier_one_come_in_their_order_later(
    begin, simulator, ingather
):
    sim = simulator(model="echo", script={"Say 0": ["hang"]}, latency=0.01)
    arguments = [
        "run",
        write_tasks("t.jsonl", 50),
        "-o",
        "a.jsonl",
        "--store",
        "run.db",
        *asking(sim),
        "--ordered",
    ]
    process = begin(*arguments, "--max-concurrency", "3", "--grace", "0")
    while sim.stats()["answered"] < 20:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert ids() == [], "the first is missing"
    bought = sim.stats()["answered"]
    assert ingather(*arguments).code == 0
    assert ids() == [f"t{i}" for i in range(50)]
    assert sum(line["cached"] for line in answers("a.jsonl")) >= bought - 3


def test_the_second_signal_leaves_at_once_and_loses_nothing(begin, simulator, ingather):
    sim = simulator(model="echo", script=[*["ok"] * 20, *["hang"] * 3])
    arguments = [
        "run",
        write_tasks("t.jsonl", 30),
        "-o",
        "a.jsonl",
        "--store",
        "run.db",
        *asking(sim),
    ]
    process = begin(*arguments, "--max-concurrency", "3", "--grace", "600")
    while sim.stats()["in_flight"] < 3 or len(ids()) < 20:
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert "stopping" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 143
    assert ingather(*arguments).code == 0
    assert sorted(ids()) == sorted(f"t{i}" for i in range(30))
    assert sim.stats()["calls"] == 33
