"""The file that answers are appended to."""

import errno
import gzip
import os
import subprocess
from pathlib import Path

import pytest

from ingather.errors import SetupError
from ingather.jobs import AnswerFile


def test_a_file_that_another_process_has_is_left_where_it_is(tmp_path):
    mine, other = AnswerFile(str(tmp_path / "a.jsonl")), AnswerFile(str(tmp_path / "a.jsonl"))
    other._is_new = True  # as if both had looked before either had made it
    mine.lock()
    with pytest.raises(SetupError, match="another process"):
        other.lock()
    other.discard()
    mine.write(b"{}\n")
    mine.close()
    assert (tmp_path / "a.jsonl").read_bytes() == b"{}\n"


def test_lines_are_appended_and_counted(tmp_path: Path):
    answers = AnswerFile(str(tmp_path / "a.jsonl"))
    answers.begin()
    answers.write(b"one\n")
    assert (tmp_path / "a.jsonl").read_bytes() == b"one\n"
    answers.write(b"two\n")
    answers.close()
    assert (tmp_path / "a.jsonl").read_bytes() == b"one\ntwo\n"
    assert repr(answers).endswith("2 answers)")


def test_packed_answers_are_whole_members_at_any_moment(tmp_path: Path):
    path = tmp_path / "a.jsonl.gz"
    answers = AnswerFile(str(path))
    for count in range(1, 4):
        answers.write(b'{"id": %d}\n' % count)
        assert gzip.decompress(path.read_bytes()).count(b"\n") == count
    answers.close()
    shown = subprocess.run(["gzip", "-dc", str(path)], capture_output=True, check=True)
    assert shown.stdout == b'{"id": 1}\n{"id": 2}\n{"id": 3}\n'


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.csv.gz"])
def test_answers_are_no_table(tmp_path: Path, name):
    with pytest.raises(SetupError, match="answers are JSON lines"):
        AnswerFile(str(tmp_path / name))


def test_a_file_that_holds_something_is_not_touched(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_text("old\n")
    with pytest.raises(SetupError, match="--overwrite"):
        AnswerFile(str(path))
    assert path.read_text() == "old\n"


def test_a_discarded_file_is_gone_if_it_was_not_there_before(tmp_path: Path):
    old = tmp_path / "old.jsonl"
    old.write_text("old\n")
    AnswerFile(str(tmp_path / "new.jsonl")).discard()
    AnswerFile(str(old), overwrite=True).discard()
    assert [path.name for path in tmp_path.iterdir()] == ["old.jsonl"]
    assert old.read_text() == "old\n"


@pytest.mark.parametrize(("path", "said"), [("no/a.jsonl", "no folder no"), (".", "is a folder"), ("a\0", " null ")])
def test_a_place_that_cannot_be_written_is_a_set_up_error(tmp_path: Path, monkeypatch, path, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SetupError, match=said):
        AnswerFile(path)


def test_a_device_is_written_without_asking():
    answers = AnswerFile(os.devnull)
    answers.begin()
    answers.write(b"x\n")
    answers.close()
    assert not answers.regular


def test_a_full_disk_is_said_with_what_is_there():
    answers = AnswerFile("/dev/full")
    with pytest.raises(SetupError, match="cannot write to /dev/full: No space left on device; 0 answers are in it"):
        answers.write(b"x\n")
    answers.close()


def test_a_disk_that_fills_up_mid_line_keeps_whole_lines_only(tmp_path: Path, monkeypatch):
    answers = AnswerFile(str(tmp_path / "a.jsonl"))
    answers.write(b"whole\n")
    real, calls = os.write, []

    def filling(descriptor, data):
        calls.append(len(data))
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, bytes(data)[:3])

    monkeypatch.setattr(os, "write", filling)
    with pytest.raises(SetupError, match="No space left"):
        answers.write(b"broken\n")
    answers.close()
    assert calls == [7, 4]
    assert (tmp_path / "a.jsonl").read_bytes() == b"whole\n"


def test_a_reader_who_left_is_said():
    read, write = os.pipe()
    os.close(read)
    answers = AnswerFile(f"/dev/fd/{write}") if Path(f"/dev/fd/{write}").exists() else None
    if answers is None:
        pytest.skip("no /dev/fd here")
    with pytest.raises(SetupError, match="Broken pipe"):
        answers.write(b"x\n")
    answers.close()
    os.close(write)
