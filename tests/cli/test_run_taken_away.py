"""An output that others delete, move, cut or replace while it is written: noticed, told, and made good."""

import shlex
import shutil
import time
from pathlib import Path

import pytest

from tests.cli.conftest import answers, asking, write_tasks


def all_ids(path):
    return sorted(line["id"] for line in answers(path))


EVERY = sorted(f"t{i}" for i in range(20))


@pytest.fixture
def under_way(begin, simulator):
    """A run of 20 tasks of which 10 are answered and on file; the others come when it is let go on."""

    def start(*options, output="a.jsonl"):
        Path(output).parent.mkdir(exist_ok=True)
        sim = simulator(model="echo")
        process = begin("run", "-", "-o", output, *options, *asking(sim), stdin=-1)
        lines = Path(write_tasks("t.jsonl", 20)).read_text().splitlines(keepends=True)
        process.stdin.write("".join(lines[:10]))
        process.stdin.flush()
        while not Path(output).exists() or len(Path(output).read_text().splitlines()) < 10:
            assert process.poll() is None
            time.sleep(0.01)
        process.rest = "".join(lines[10:])
        return process

    return start


def ended(process):
    _, err = process.communicate(process.rest, timeout=60)
    return process.returncode, err


@pytest.mark.parametrize("options", [[], ["--store", "run.db"]])
def test_a_deleted_output_is_written_again_whole(under_way, options):
    process = under_way(*options)
    Path("a.jsonl").unlink()
    code, err = ended(process)
    assert (code, all_ids("a.jsonl")) == (2, EVERY)
    assert (
        "a.jsonl was deleted or moved while it was written; all of it has been written again" in err
    )


def test_so_is_one_that_was_moved(under_way):
    process = under_way()
    Path("a.jsonl").rename("elsewhere.jsonl")
    code, err = ended(process)
    assert (code, all_ids("a.jsonl")) == (2, EVERY)
    assert "a.jsonl was deleted or moved while it was written" in err
    assert len(answers("elsewhere.jsonl")) >= 10


def test_so_is_one_whose_folder_was_removed(under_way):
    process = under_way(output="sub/a.jsonl")
    shutil.rmtree("sub")
    code, _ = ended(process)
    assert (code, all_ids("sub/a.jsonl")) == (2, EVERY)


def test_where_it_cannot_be_made_again_it_says_where_the_answers_are(under_way):
    process = under_way(output="sub/a.jsonl")
    shutil.rmtree("sub")
    Path("sub").write_text("a file in the place of the folder")
    code, err = ended(process)
    assert code == 2
    said = next(line for line in err.splitlines() if "20 answers are in " in line)
    path = Path(said.removeprefix("20 answers are in ").split(";")[0])
    assert all_ids(path) == EVERY
    path.unlink()


def test_a_file_that_another_program_put_there_is_left_as_it_is(under_way):
    process = under_way()
    Path("other").write_text("theirs\n")
    Path("other").replace("a.jsonl")
    code, err = ended(process)
    assert code == 2
    assert Path("a.jsonl").read_text() == "theirs\n"
    assert all_ids("a.jsonl.rescued") == EVERY
    assert "another program has put a file of its own at a.jsonl, which is left as it is" in err
    assert "a.jsonl.rescued" in err


def test_the_command_that_goes_on_names_the_file_that_the_answers_had_to_be_put_in(
    under_way, begin
):
    process = under_way()
    Path("other").write_text("theirs\n")
    Path("other").replace("a.jsonl")
    _, err = ended(process)
    command = shlex.split(err.rpartition("to go on, with the same input:")[2])
    assert Path(command[command.index("-o") + 1]).name == "a.jsonl.rescued"
    again = begin(*command[1:], stdin=-1)
    _, err = again.communicate(Path("t.jsonl").read_text(), timeout=60)
    assert (again.returncode, "20 answers are in" in err) == (0, True)
    assert all_ids("a.jsonl.rescued") == EVERY
    assert Path("a.jsonl").read_text() == "theirs\n"


def test_a_link_that_another_program_put_there_is_not_called_ours(under_way):
    process = under_way()
    Path("theirs").write_text("theirs\n")
    Path("link").symlink_to("theirs")
    Path("link").replace("a.jsonl")
    _, err = ended(process)
    assert "another program has put a file of its own at a.jsonl" in err
    assert "it was a link" not in err
    assert Path("theirs").read_text() == "theirs\n"


def test_what_was_cut_out_of_it_is_written_again(under_way):
    process = under_way()
    with Path("a.jsonl").open("r+") as file:
        file.truncate(100)
    code, err = ended(process)
    assert (code, all_ids("a.jsonl")) == (2, EVERY)
    assert (
        "a.jsonl was cut by another program while it was written; what was missing has been "
        "written again" in err
    )


def test_what_another_program_wrote_to_it_is_left_and_the_answers_are_whole_beside_it(under_way):
    process = under_way()
    Path("a.jsonl").write_text("theirs\n")
    code, err = ended(process)
    assert code == 2
    assert Path("a.jsonl").read_text() == "theirs\n"
    assert all_ids("a.jsonl.rescued") == EVERY
    assert "another program has written something else to a.jsonl, which is left as it is" in err


def test_what_another_program_appends_is_told(under_way):
    process = under_way()
    with Path("a.jsonl").open("a") as file:
        file.write("theirs\n")
    code, err = ended(process)
    assert code == 2
    assert "another program has written to a.jsonl too: it holds more than the answers" in err
    assert len(Path("a.jsonl").read_text().splitlines()) == 21


def test_a_link_to_it_that_was_deleted_is_told_and_the_file_named(under_way):
    Path("a.jsonl").symlink_to("real.jsonl")
    process = under_way()
    Path("a.jsonl").unlink()
    code, err = ended(process)
    assert (code, all_ids("real.jsonl")) == (2, EVERY)
    assert f"20 answers are in {Path('real.jsonl').absolute()}" in err


def test_with_a_store_the_command_that_it_prints_brings_back_what_was_cut(under_way, ingather):
    process = under_way("--store", "run.db")
    Path("a.jsonl").write_text("")
    code, err = ended(process)
    assert code == 2
    assert "answers are missing in it" in err
    assert "10 answers are in a.jsonl; to go on" in err
    assert "; to go on, with the same input:" in err
    again = [word if word != "-" else "t.jsonl" for word in shlex.split(err.splitlines()[-1])[1:]]
    assert ingather(*again).code == 0
    assert all_ids("a.jsonl") == EVERY


def test_a_deleted_file_behind_standard_output_is_told(begin, simulator):
    sim = simulator(model="echo")
    with Path("out.jsonl").open("wb") as out:
        process = begin("run", "-", "-o", "-", *asking(sim), stdin=-1, stdout=out)
        process.stdin.write('{"prompt": "x"}\n')
        process.stdin.flush()
        while not Path("out.jsonl").stat().st_size:
            assert process.poll() is None
            time.sleep(0.01)
        Path("out.jsonl").unlink()
        _, err = process.communicate("", timeout=60)
    assert process.returncode == 2
    assert "standard output is a file that was deleted meanwhile" in err
    assert "1 answer is in" not in err
