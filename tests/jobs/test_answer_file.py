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


@pytest.mark.parametrize(
    ("path", "said"), [("no/a.jsonl", "no folder no"), (".", "is a folder"), ("a\0", " null ")]
)
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
    with pytest.raises(
        SetupError, match="cannot write to /dev/full: No space left on device; 0 answers are in it"
    ):
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


def line(number: int) -> bytes:
    return b'{"id":"%d","success":true,"value":"x"}\n' % number


def replacing(path: Path) -> AnswerFile:
    path.write_text("old\n")
    answers = AnswerFile(str(path), overwrite=True)
    answers.begin()
    return answers


def test_what_replaces_a_file_grows_beside_it(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    answers = replacing(path)
    answers.write(line(1))
    assert path.read_text() == "old\n"
    assert (answers.name, Path(answers.name).read_bytes()) == (f"{path}.part", line(1))
    answers.replace(keep_old=False)
    answers.close()
    assert (answers.name, path.read_bytes()) == (str(path), line(1))
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_whose_name_cannot_be_given_to_another_has_its_content_replaced(
    tmp_path: Path, monkeypatch
):
    path = tmp_path / "a.jsonl"
    answers = replacing(path)
    inode = path.stat().st_ino
    answers.write(line(1))
    monkeypatch.setattr(
        Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(errno.EBUSY, "Device busy"))
    )
    answers.replace(keep_old=False)
    answers.close()
    assert (path.read_bytes(), path.stat().st_ino) == (line(1), inode)
    assert list(tmp_path.iterdir()) == [path]


def test_earlier_answers_are_kept_under_a_free_name(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    (tmp_path / "a.jsonl.old").write_text("older\n")
    answers = replacing(path)
    answers.write(line(1))
    assert answers.replace(keep_old=True) == tmp_path / "a.jsonl.old-2"
    answers.close()
    assert (tmp_path / "a.jsonl.old").read_text() == "older\n"
    assert (tmp_path / "a.jsonl.old-2").read_text() == "old\n"


def test_two_that_replace_one_file_at_once_do_not_share_a_part(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    first = replacing(path)
    second = AnswerFile(str(path), overwrite=True)
    with pytest.raises(SetupError, match="is being written by another process"):
        second.lock()
    second.discard()
    first.write(line(1))
    first.close()
    assert (tmp_path / "a.jsonl.part").read_bytes() == line(1)


def test_a_second_copy_gives_its_room_to_the_first(tmp_path: Path, monkeypatch):
    answers = AnswerFile(str(tmp_path / "a.jsonl"))
    answers.begin(spare=True)
    answers.write(line(1))
    spare = answers._spare
    assert spare is not None
    real = os.write

    def full(descriptor, data):
        if spare.is_whole:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    answers.write(line(2))
    answers.close()
    assert not spare.is_whole
    assert (tmp_path / "a.jsonl").read_bytes() == line(1) + line(2)


def test_what_others_cut_out_of_packed_answers_is_written_again(tmp_path: Path):
    path = tmp_path / "a.jsonl.gz"
    answers = AnswerFile(str(path))
    answers.begin(spare=True)
    for number in range(3):
        answers.write(line(number))
        os.truncate(path, path.stat().st_size // 2)
    answers.look()
    answers.close()
    assert gzip.decompress(path.read_bytes()) == line(0) + line(1) + line(2)
    assert answers.is_whole


def test_earlier_answers_that_were_cut_away_are_missed_and_the_new_ones_whole(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(line(0) + line(1))
    answers = AnswerFile(str(path), resume=True)
    answers.begin(2 * len(line(0)), spare=True)
    answers.write(line(2))
    os.truncate(path, len(line(0)) + 5)
    answers.write(line(3))
    answers.look()
    answers.close()
    assert path.read_bytes() == line(0) + line(2) + line(3)
    assert (answers.is_whole, len(answers.trouble)) == (False, 1)


def test_a_whole_last_line_that_lacks_its_end_gets_one(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(line(0)[:-1])
    answers = AnswerFile(str(path), resume=True)
    answers.begin(len(line(0)) - 1)
    answers.write(line(1))
    answers.close()
    assert path.read_bytes() == line(0) + line(1)


def test_packed_answers_that_are_put_elsewhere_are_still_called_packed(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    file = AnswerFile(str(path))
    file.lock()
    file.begin()
    file.write(b"{}\n")
    path.unlink()
    path.write_text("theirs")
    (tmp_path / "a.jsonl.rescued.gz").write_text("another's")
    file.look()
    file.close()
    assert file.is_elsewhere
    assert gzip.decompress((tmp_path / "a.jsonl.rescued-2.gz").read_bytes()) == b"{}\n"


def test_a_link_that_leads_nowhere_is_refused_with_the_folder_that_is_missing(tmp_path):
    (tmp_path / "a.jsonl").symlink_to("nowhere/b.jsonl")
    with pytest.raises(SetupError, match=r"there is no folder .*nowhere; make it first"):
        AnswerFile(str(tmp_path / "a.jsonl"))
