"""Rows keep their identity: --id, --keep, and --resume, which goes on with an output by its ids."""

import json
import random
import shlex
import signal
from pathlib import Path

import pytest

from tests.cli.conftest import answers, asking, write_tasks

PROMPT = ["--prompt", "Say {name}"]


def table(rows, path="t.csv"):
    """A table of people: key, name, age."""
    Path(path).write_text("key,name,age\n" + "".join(f"k{i},n{i},{20 + i}\n" for i in rows))
    return path


def by_id(path="a.jsonl"):
    found = {line["id"]: line["value"] for line in answers(path)}
    assert len(found) == len(answers(path)), "each id once"
    return found


@pytest.fixture
def sim(simulator):
    return simulator(model="echo")


@pytest.fixture
def run(ingather, sim):
    """Run a table, known by its column `key`."""

    def again(*options, tasks="t.csv", output="a.jsonl"):
        return ingather("run", tasks, "-o", output, "--id", "key", *PROMPT, *asking(sim), *options)

    return again


class TestId:
    def test_a_column_is_the_id(self, run):
        table(range(5))
        assert run().code == 0
        assert by_id() == {f"k{i}": f"Say n{i}" for i in range(5)}

    def test_a_field_of_lines_of_our_own_may_be_it(self, ingather, sim):
        Path("t.jsonl").write_text('{"key": 7, "prompt": "Hi"}\n')
        assert ingather("run", "t.jsonl", "-o", "a.jsonl", "--id", "key", *asking(sim)).code == 0
        assert by_id() == {7: "Hi"}

    def test_one_that_comes_twice_is_refused_before_the_first_call(self, run, sim):
        Path("t.csv").write_text("key,name\na,x\nb,y\na,z\n")
        done = run()
        assert done.code == 2
        assert "t.csv, line 4: the id 'a' is already that of line 2" in done.err
        assert sim.stats()["calls"] == 0

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("name\nx\ny\n", "--id names the field 'key'; there are: 'name'"),
            ("key,name\n,x\na,y\n", "'key' is text or a whole number, not ''"),
        ],
    )
    def test_a_row_without_one_is_refused(self, run, text, said):
        Path("t.csv").write_text(text)
        done = run()
        assert done.code == 2
        assert done.err.count(said) == 1

    def test_batch_lines_have_their_own(self, ingather, sim):
        body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
        line = {"custom_id": "c", "method": "POST", "url": "/v1/chat/completions", "body": body}
        Path("t.jsonl").write_text(json.dumps(line) + "\n")
        done = ingather("run", "t.jsonl", "-o", "a.jsonl", "--id", "key", *asking(sim))
        assert done.code == 2
        assert "known by their custom_id" in done.err


class TestKeep:
    @pytest.mark.parametrize(
        "options", [["--keep", "name,age"], ["--keep", "name", "--keep", "age"]]
    )
    def test_columns_stand_beside_the_answer(self, run, options):
        table([3])
        assert run(*options).code == 0
        assert answers("a.jsonl")[0]["metadata"] == {"name": "n3", "age": "23"}

    def test_all_of_them(self, run):
        table([3])
        assert run("--keep", "all").code == 0
        assert answers("a.jsonl")[0]["metadata"] == {"key": "k3", "name": "n3", "age": "23"}

    def test_beside_metadata_of_the_row_with_their_types(self, ingather, sim):
        Path("t.jsonl").write_text(
            '{"prompt": "Hi", "metadata": {"a": 1}, "page": 7, "big": 18446744073709551617}\n'
        )
        assert (
            ingather("run", "t.jsonl", "-o", "a.jsonl", "--keep", "page,big", *asking(sim)).code
            == 0
        )
        assert answers("a.jsonl")[0]["metadata"] == {"a": 1, "page": 7, "big": 18446744073709551617}

    def test_of_what_failed_too(self, ingather, simulator):
        table([1])
        sim = simulator(model="echo", script=["400"])
        ingather("run", "t.csv", "-o", "a.jsonl", "--keep", "key", *PROMPT, *asking(sim))
        [line] = answers("a.jsonl")
        assert (line["success"], line["metadata"]) == (False, {"key": "k1"})

    def test_a_column_that_no_row_has_is_told_once(self, run, sim):
        table(range(5))
        done = run("--keep", "name,nmae")
        assert done.code == 2
        assert done.err.count("nmae") == 1
        assert "--keep names 'nmae', which is no field of any row of t.csv" in done.err
        assert sim.stats()["calls"] == 0

    def test_a_field_that_some_rows_lack_is_left_out_there(self, ingather, sim):
        Path("t.jsonl").write_text('{"prompt": "a", "page": 1}\n{"prompt": "b"}\n')
        assert (
            ingather(
                "run", "t.jsonl", "-o", "a.jsonl", "--keep", "page", "--ordered", *asking(sim)
            ).code
            == 0
        )
        assert [line["metadata"] for line in answers("a.jsonl")] == [{"page": 1}, {}]


class TestResume:
    def test_begins_where_there_is_nothing(self, run):
        table(range(3))
        assert run("--resume").code == 0
        assert len(by_id()) == 3

    def test_asks_nothing_that_is_there(self, run, sim):
        table(range(6))
        run()
        whole = Path("a.jsonl").read_bytes()
        done = run("--resume")
        assert done.code == 0
        assert "going on: 6 of 6 tasks are done, and not sent again" in done.err
        assert sim.stats()["calls"] == 6
        assert Path("a.jsonl").read_bytes() == whole

    @pytest.mark.parametrize("torn", [1, 30, None])
    def test_a_cut_last_line(self, run, sim, torn):
        """`torn`: bytes that are missing; None: half of the file."""
        table(range(6))
        run()
        whole = Path("a.jsonl").read_bytes()
        Path("a.jsonl").write_bytes(whole[: -torn if torn else len(whole) // 2])
        there = sum(
            line.endswith(b"}") and b'"asked"' in line
            for line in Path("a.jsonl").read_bytes().splitlines()
        )
        assert run("--resume").code == 0
        assert by_id() == {f"k{i}": f"Say n{i}" for i in range(6)}
        assert sim.stats()["calls"] == 6 + 6 - there, (
            "a line that lacks only its end is not asked again"
        )

    def test_a_table_in_another_order(self, run, sim):
        table(range(20))
        run()
        lines = Path("a.jsonl").read_text().splitlines(keepends=True)
        Path("a.jsonl").write_text("".join(lines[:8]))
        shuffled = list(range(20))
        random.Random(1).shuffle(shuffled)
        table(shuffled)
        assert run("--resume").code == 0
        assert by_id() == {f"k{i}": f"Say n{i}" for i in range(20)}
        assert sim.stats()["calls"] == 20 + 12
        assert run("--resume", "--ordered").code == 0
        assert list(by_id()) == [f"k{i}" for i in shuffled]
        assert sim.stats()["calls"] == 32

    def test_more_rows(self, run, sim):
        table(range(5))
        run()
        table(range(9))
        assert run("--resume").code == 0
        assert len(by_id()) == 9
        assert sim.stats()["calls"] == 9

    @pytest.mark.parametrize("order", [[], ["--ordered"]])
    def test_fewer_rows_and_their_answers_stay(self, run, sim, order):
        table(range(9))
        run()
        table(range(5))
        assert run("--resume", *order).code == 0
        assert len(by_id()) == 9
        assert sim.stats()["calls"] == 9

    def test_an_id_that_is_asked_something_else_is_said(self, run, sim):
        table(range(5))
        run()
        Path("t.csv").write_text(Path("t.csv").read_text().replace("n3", "other"))
        done = run("--resume")
        assert done.code == 2
        assert (
            "the id 'k3' has a saved answer to a different request: --overwrite asks "
            "all anew" in done.err
        )
        assert sim.stats()["calls"] == 5

    @pytest.mark.parametrize("options", [["--system", "Be brief"], ["--param", "temperature=1"]])
    def test_so_is_any_other_request(self, run, options):
        table(range(5))
        run()
        assert (
            "the id 'k0' has a saved answer to a different request" in run("--resume", *options).err
        )

    def test_rows_without_an_id_are_told_of_it(self, ingather, sim):
        table(range(5))
        arguments = ["run", "t.csv", "-o", "a.jsonl", *PROMPT, *asking(sim)]
        ingather(*arguments)
        table([4, 3, 2, 1, 0])
        assert (
            "rows without an id are known by their line: --id COLUMN"
            in ingather(*arguments, "--resume").err
        )

    def test_lines_that_do_not_say_what_was_asked_are_taken(self, run, sim):
        table(range(2))
        Path("a.jsonl").write_text(
            '{"id": "k0", "success": true, "value": "from an earlier version"}\n'
        )
        assert run("--resume").code == 0
        assert by_id() == {"k0": "from an earlier version", "k1": "Say n1"}

    def test_packed(self, run, sim):
        table(range(6))
        run(output="a.jsonl.gz")
        whole = Path("a.jsonl.gz").read_bytes()
        Path("a.jsonl.gz").write_bytes(whole[:-3])
        assert run("--resume", output="a.jsonl.gz").code == 0
        assert sim.stats()["calls"] == 7

    def test_batch_lines(self, ingather, sim):
        body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
        line = {"method": "POST", "url": "/v1/chat/completions", "body": body}
        Path("t.jsonl").write_text(
            "".join(json.dumps({"custom_id": f"c{i}", **line}) + "\n" for i in range(5))
        )
        arguments = ["run", "t.jsonl", "-o", "a.jsonl", *asking(sim), "--resume"]
        ingather(*arguments)
        lines = Path("a.jsonl").read_text().splitlines(keepends=True)
        Path("a.jsonl").write_text("".join(lines[:2]))
        assert ingather(*arguments).code == 0
        assert sorted(line["custom_id"] for line in answers("a.jsonl")) == [
            f"c{i}" for i in range(5)
        ]
        assert sim.stats()["calls"] == 8
        Path("t.jsonl").write_text(Path("t.jsonl").read_text().replace("Hi", "Ho", 1))
        assert "the id 'c0' has a saved answer to a different request" in ingather(*arguments).err

    def test_a_file_of_something_else_is_left_alone(self, run):
        table(range(2))
        Path("a.jsonl").write_text("precious\nwords\n")
        done = run("--resume")
        assert done.code == 2
        assert "a.jsonl, line 1: not an answer line" in done.err
        assert Path("a.jsonl").read_text() == "precious\nwords\n"

    def test_a_store_that_does_not_know_the_output_takes_it_in(self, run, sim):
        table(range(4))
        run()
        assert run("--store", "run.db").code == 2
        assert run("--store", "run.db", "--resume").code == 0
        assert run("--store", "run.db").code == 0
        assert sim.stats()["calls"] == 4

    @pytest.mark.parametrize("option", ["--resume", "--retry-failed"])
    @pytest.mark.parametrize("anew", [["--overwrite"], ["--refresh", "--store", "run.db"]])
    def test_does_not_begin_anew(self, run, option, anew):
        table(range(2))
        done = run(option, *anew)
        assert done.code == 2
        assert f"{anew[0]} begins anew, and {option} goes on: give one of them" in done.err

    def test_needs_a_file(self, run):
        table(range(2))
        done = run("--resume", output="-")
        assert done.code == 2
        assert "--resume goes on with a file of answers, which standard output is not" in done.err


@pytest.mark.parametrize(
    "options", [[], ["--store", "run 1.db"], ["--ordered"], ["--overwrite"], ["--quiet"]]
)
def test_the_command_that_goes_on_works_as_it_is_printed(begin, ingather, simulator, options):
    sim = simulator(model="echo", script=[*["ok"] * 5, "hang"])
    table(range(12), "my people.csv")
    prompt = "Say 'it', \"{name}\" & $HOME"
    process = begin(
        "run", "my people.csv", "-o", "my answers.jsonl", "--id", "key", "--keep", "all", "--prompt", prompt,
        "--max-concurrency", "1", "--grace", "0", *asking(sim), *options,
    )  # fmt: skip
    while sim.stats()["calls"] < 6 or len(Path("my answers.jsonl").read_text().splitlines()) < 5:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    command = shlex.split(err.splitlines()[-1])
    assert command[0] == "ingather"
    assert ingather(*command[1:]).code == 0
    assert by_id("my answers.jsonl") == {f"k{i}": f"Say 'it', \"n{i}\" & $HOME" for i in range(12)}
    assert sim.stats()["calls"] == 13


def test_the_command_that_asks_failures_again_works_as_it_is_printed(ingather, simulator):
    sim = simulator(model="echo", script={"Say 1": ["400"]})
    done = ingather("run", write_tasks("t.jsonl", 3), "-o", "a b.jsonl", *asking(sim))
    assert done.code == 3
    assert (
        "3 answers are in a b.jsonl; 1 is a failure, which --retry-failed asks again:\n" in done.err
    )
    assert ingather(*shlex.split(done.err.splitlines()[-1])[1:]).code == 0
    assert len(answers("a b.jsonl")) == 3


def test_a_run_to_standard_output_says_that_it_cannot_be_gone_on_with(ingather, simulator):
    sim = simulator(model="echo", script={"Say 1": ["hang"]})
    asked = [
        "run",
        write_tasks("t.jsonl", 2),
        "-o",
        "-",
        *asking(sim),
        "--max-time",
        "1",
        "--grace",
        "0",
    ]
    done = ingather(*asked)
    assert done.code == 4
    assert "a run with -o FILE can be gone on with" in done.err
