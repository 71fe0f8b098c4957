"""What an output holds stays until something better is there: --overwrite, --refresh, --retry-failed."""

import json
import os
import shlex
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import answers, asking, write_tasks

NOBODY = ["--model", "openai/any", "--base-url", "http://127.0.0.1:1/v1", "--retries", "0"]
STORED = ["--store", "run.db"]


@pytest.fixture
def old(ingather, simulator):
    """Ten answers from an earlier run, with a store or without; gives what the file holds."""

    def make(*options, output="a.jsonl"):
        sim = simulator(model="echo")
        assert (
            ingather("run", write_tasks("t.jsonl", 10), "-o", output, *options, *asking(sim)).code
            == 0
        )
        return Path(output).read_bytes()

    return make


def tell(count=10, word="Tell"):
    """The same ids, asked something else."""
    Path("t.jsonl").write_text(
        "".join(f'{{"id": "t{i}", "prompt": "{word} {i}"}}\n' for i in range(count))
    )
    return "t.jsonl"


def values(path="a.jsonl"):
    return sorted(line["value"] for line in answers(path))


BEGIN_ANEW = [["--overwrite"], [*STORED, "--overwrite"], [*STORED, "--refresh"]]


@pytest.mark.parametrize("options", BEGIN_ANEW)
class TestTheOldAnswersStay:
    def test_where_the_server_is_down(self, old, ingather, options):
        before = old(*options[:-1])
        done = ingather("run", tell(), "-o", "a.jsonl", *options, *NOBODY)
        assert done.code == 2
        assert Path("a.jsonl").read_bytes() == before
        assert not Path("a.jsonl.part").exists()

    def test_where_the_key_is_refused(self, old, ingather, simulator, monkeypatch, options):
        before = old(*options[:-1])
        monkeypatch.setenv("KEY", "sk-wrong-1234567890")
        sim = simulator(model="echo", api_key="right")
        assert (
            ingather(
                "run", tell(), "-o", "a.jsonl", *options, "--api-key-env", "KEY", *asking(sim)
            ).code
            == 2
        )
        assert Path("a.jsonl").read_bytes() == before

    def test_where_every_call_fails(self, old, ingather, simulator, options):
        before = old(*options[:-1])
        sim = simulator(model="echo", script=["400"] * 100)
        done = ingather("run", tell(), "-o", "a.jsonl", *options, *asking(sim))
        assert done.code == 3
        assert Path("a.jsonl").read_bytes() == before
        assert "10 answers are in a.jsonl.part, and a.jsonl is as it was" in done.err

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
    def test_where_it_is_stopped_and_the_command_that_it_prints_replaces_them(
        self, old, begin, ingather, simulator, options, number
    ):
        before = old(*options[:-1])
        sim = simulator(model="echo", script=[*["ok"] * 4, *["hang"] * 2])
        arguments = [
            "run",
            tell(),
            "-o",
            "a.jsonl",
            *options,
            *asking(sim),
            "--max-concurrency",
            "2",
            "--grace",
            "0",
        ]
        process = begin(*arguments)
        while sim.stats()["in_flight"] < 2 or len(lines_of("a.jsonl.part")) < 4:
            assert process.poll() is None
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
        assert Path("a.jsonl").read_bytes() == before, "what was there is whole"
        assert len(lines_of("a.jsonl.part")) == 4
        if number != signal.SIGKILL:
            assert "4 answers are in a.jsonl.part, and a.jsonl is as it was; to go on:" in err
            command = shlex.split(err.splitlines()[-1])[1:]
        else:
            going_on = [] if "--store" in options else ["--resume"]
            command = [
                *(argument for argument in arguments if argument not in options[-1:]),
                *going_on,
            ]
        assert ingather(*command).code == 0
        assert values() == sorted(f"Tell {i}" for i in range(10))
        assert not Path("a.jsonl.part").exists()
        assert sim.stats()["calls"] == 6 + 6, "the four that had come were not asked again"

    def test_where_the_time_is_up(self, old, ingather, simulator, options):
        before = old(*options[:-1])
        sim = simulator(model="echo", script={"Tell 3": ["hang"]})
        asked = [
            "run",
            tell(),
            "-o",
            "a.jsonl",
            *options,
            *asking(sim),
            "--max-time",
            "2",
            "--grace",
            "0",
        ]
        assert ingather(*asked).code == 4
        assert Path("a.jsonl").read_bytes() == before

    def test_until_all_new_ones_are_there(self, old, ingather, simulator, options):
        old(*options[:-1])
        sim = simulator(model="echo")
        done = ingather("run", tell(), "-o", "a.jsonl", *options, *asking(sim))
        assert done.code == 0
        assert values() == sorted(f"Tell {i}" for i in range(10))
        assert "10 answers are in a.jsonl\n" in done.err
        assert not list(Path().glob("a.jsonl.*"))


def lines_of(path):
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def test_where_the_disk_is_full(old, simulator):
    before = old()
    sim = simulator(model="echo")
    tell(2000, "x" * 500)
    limit = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000));"
    program = f"{limit} from ingather.cli import main; main(sys.argv[1:])"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            program,
            "run",
            "t.jsonl",
            "-o",
            "a.jsonl",
            "--overwrite",
            *asking(sim),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "cannot write to a.jsonl.part: File too large" in done.stderr
    assert "; to go on:\n  ingather run t.jsonl -o a.jsonl" in done.stderr
    assert Path("a.jsonl").read_bytes() == before


def test_an_earlier_answer_to_what_fails_now_is_kept_beside(old, ingather, simulator):
    before = old()
    sim = simulator(model="echo", script={"Tell 3": ["400"]})
    done = ingather("run", tell(), "-o", "a.jsonl", "--overwrite", *asking(sim))
    assert done.code == 3
    assert len(answers("a.jsonl")) == 10
    assert Path("a.jsonl.old").read_bytes() == before
    assert "the earlier answers, also to what failed now, are in a.jsonl.old" in done.err


def test_an_unfinished_replacement_stays_until_the_first_answer_of_the_next(
    old, ingather, simulator
):
    old()
    Path("a.jsonl.part").write_text('{"id": "t0", "success": true, "value": "paid"}\n')
    assert ingather("run", tell(), "-o", "a.jsonl", "--overwrite", *NOBODY).code == 2
    assert len(answers("a.jsonl.part")) == 1
    assert (
        ingather(
            "run", tell(), "-o", "a.jsonl", "--overwrite", *asking(simulator(model="echo"))
        ).code
        == 0
    )
    assert values() == sorted(f"Tell {i}" for i in range(10))


def test_a_replacement_that_is_under_way_is_not_forgotten(old, ingather):
    old()
    Path("a.jsonl").rename("a.jsonl.part")
    done = ingather("run", "t.jsonl", "-o", "a.jsonl", "--model", "echo")
    assert done.code == 2
    assert (
        "a.jsonl.part is there, in which an earlier run began to replace a.jsonl: --resume goes on"
        in done.err
    )


def test_permissions_and_a_symbolic_link_are_kept(old, ingather, simulator):
    old()
    Path("real").mkdir()
    Path("a.jsonl").rename("real/b.jsonl")
    Path("real/b.jsonl").chmod(0o640)
    Path("a.jsonl").symlink_to("real/b.jsonl")
    assert (
        ingather(
            "run", tell(), "-o", "a.jsonl", "--overwrite", *asking(simulator(model="echo"))
        ).code
        == 0
    )
    assert Path("a.jsonl").is_symlink()
    assert stat.S_IMODE(Path("real/b.jsonl").stat().st_mode) == 0o640
    assert values("real/b.jsonl") == sorted(f"Tell {i}" for i in range(10))
    assert [path.name for path in Path("real").iterdir()] == ["b.jsonl"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_may_not_be_written_is_refused_before_the_first_call(old, ingather, simulator, what):
    Path("sub").mkdir()
    before = old(output="sub/a.jsonl")
    Path("sub" if what == "folder" else "sub/a.jsonl").chmod(0o555)
    sim = simulator(model="echo")
    done = ingather("run", tell(), "-o", "sub/a.jsonl", "--overwrite", *asking(sim))
    Path("sub").chmod(0o755)
    assert done.code == 2
    assert sim.stats()["calls"] == 0
    assert Path("sub/a.jsonl").read_bytes() == before


def test_a_pipe_and_a_device_are_not_replaced(begin, ingather):
    os.mkfifo("pipe")
    reader = subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE, text=True)
    assert (
        begin(
            "run", write_tasks("t.jsonl", 3), "-o", "pipe", "--model", "echo", "--overwrite"
        ).wait(30)
        == 0
    )
    assert len(reader.communicate(timeout=30)[0].splitlines()) == 3
    assert stat.S_ISFIFO(Path("pipe").stat().st_mode)
    assert ingather("run", "t.jsonl", "-o", os.devnull, "--model", "echo", "--overwrite").code == 0
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
    with Path("out.jsonl").open("wb") as out:
        process = begin(
            "run", "t.jsonl", "-o", "/dev/stdout", "--model", "echo", "--overwrite", stdout=out
        )
        assert process.wait(30) == 0
    assert len(answers("out.jsonl")) == 3


@pytest.mark.parametrize("what", ["t.jsonl", "prompt.jsonl", "schema.py", "link.jsonl"])
def test_nothing_that_is_read_is_replaced(ingather, what):
    write_tasks("t.jsonl", 1)
    Path("prompt.jsonl").write_text("{prompt}")
    Path("schema.py").write_text("import pydantic\nclass A(pydantic.BaseModel):\n    a: str\n")
    Path("link.jsonl").symlink_to("t.jsonl")
    before = {path.name: path.read_bytes() for path in Path().iterdir()}
    reads = ["--prompt", "@prompt.jsonl", "--schema", "schema.py:A"]
    done = ingather("run", "t.jsonl", "-o", what, "--model", "echo", "--overwrite", *reads)
    assert done.code == 2
    assert "the answers would replace the" in done.err
    assert {path.name: path.read_bytes() for path in Path().iterdir() if path.is_file()} == before


@pytest.mark.parametrize("options", [[], STORED])
class TestRetryFailed:
    @pytest.fixture
    def failed(self, ingather, simulator, options):
        sim = simulator(model="echo", script={"Say 1": ["400"], "Say 3": ["400"]})
        assert (
            ingather("run", write_tasks("t.jsonl", 5), "-o", "a.jsonl", *options, *asking(sim)).code
            == 3
        )
        return Path("a.jsonl").read_bytes()

    def test_takes_no_line_out_before_its_answer_is_there(self, failed, ingather, options):
        assert (
            ingather("run", "t.jsonl", "-o", "a.jsonl", *options, "--retry-failed", *NOBODY).code
            == 2
        )
        assert Path("a.jsonl").read_bytes() == failed

    def test_asks_only_what_failed(self, failed, ingather, simulator, options):
        sim = simulator(model="echo")
        done = ingather("run", "t.jsonl", "-o", "a.jsonl", *options, "--retry-failed", *asking(sim))
        assert done.code == 0
        assert sim.stats()["calls"] == 2
        assert sorted(json.loads(line)["id"] for line in lines_of("a.jsonl")) == [
            f"t{i}" for i in range(5)
        ]
        assert all(line["success"] for line in answers("a.jsonl"))
        assert "5 answers are in a.jsonl\n" in done.err

    def test_that_fails_again_has_one_line_for_each(self, failed, ingather, simulator, options):
        sim = simulator(model="echo", script={"Say 1": ["400"]})
        done = ingather("run", "t.jsonl", "-o", "a.jsonl", *options, "--retry-failed", *asking(sim))
        assert done.code == 3
        assert sorted(line["id"] for line in answers("a.jsonl")) == [f"t{i}" for i in range(5)]
        assert (
            "5 answers are in a.jsonl; 1 is a failure, which --retry-failed asks again:\n  "
            "ingather run" in done.err
        )

    def test_that_was_killed_is_gone_on_with(self, failed, begin, ingather, simulator, options):
        sim = simulator(model="echo", script={"Say 3": ["hang"]})
        asked = ["run", "t.jsonl", "-o", "a.jsonl", *options, "--retry-failed", *asking(sim)]
        process = begin(*asked)
        while len(lines_of("a.jsonl")) < 6:
            assert process.poll() is None
        process.kill()
        process.wait()
        assert Path("a.jsonl").read_bytes().startswith(failed)
        assert ingather(*asked).code == 0
        assert sorted(line["id"] for line in answers("a.jsonl")) == [f"t{i}" for i in range(5)]
        assert sim.stats()["calls"] == 3, "what had come was not asked again"
