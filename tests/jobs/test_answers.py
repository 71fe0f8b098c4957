"""Answer lines, and the file they are appended to."""

import errno
import gzip
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from ingather.errors import BadRequest, SetupError, Truncated
from ingather.jobs import AnswerFile, answer_line
from ingather.result import LLMResponse, TaskResult, Usage


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


def test_an_answer_has_the_contract_s_fields():
    result = TaskResult(
        "a", True, LLMResponse("Paris"), None, 12.345, 3, usage=Usage(10, 5, 1, 2), cost_usd=0.5, attempts=2, rejected=1
    )
    line = answer_line(result, "a", {"page": 1})
    assert line.endswith(b"}\n")
    assert json.loads(line) == {
        "id": "a",
        "index": 3,
        "success": True,
        "value": "Paris",
        "error": None,
        "usage": {"input_tokens": 10, "output_tokens": 5, "cached_tokens": 1, "reasoning_tokens": 2},
        "cost_usd": 0.5,
        "attempts": 2,
        "rejected": 1,
        "duration_ms": 12.3,
        "cached": False,
        "metadata": {"page": 1},
    }


def test_an_id_keeps_its_type():
    assert json.loads(answer_line(TaskResult("5", True, LLMResponse("")), 5))["id"] == 5


def test_a_failure_says_its_type_and_message():
    line = json.loads(answer_line(TaskResult("a", False, None, BadRequest("no such parameter")), "a"))
    assert (line["success"], line["value"]) == (False, None)
    assert line["error"] == {"type": "BadRequest", "message": "no such parameter"}


def test_a_failed_answer_that_was_paid_for_is_kept():
    result = TaskResult("a", False, None, Truncated("cut"), response=LLMResponse("Once upon"))
    assert json.loads(answer_line(result, "a"))["error"]["answer"] == "Once upon"


def test_an_instance_is_dumped():
    assert json.loads(answer_line(TaskResult("a", True, 5), "a", dump=lambda value: [str(value)]))["value"] == ["5"]


def test_calls_of_tools_are_part_of_the_answer():
    calls: list[Mapping[str, object]] = [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]
    line = json.loads(answer_line(TaskResult("a", True, LLMResponse("", tool_calls=calls)), "a"))
    assert line["value"] == {"content": "", "tool_calls": calls}


@pytest.mark.parametrize("value", ["\ud800", 2**70, "a\0b\u2028\n"])
def test_no_value_is_lost_to_its_encoding(value):
    line = answer_line(TaskResult("a", True, value), "a")
    assert line.count(b"\n") == 1
    assert json.loads(line)["value"] == value


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


def test_with_overwrite_it_is_emptied_only_when_the_run_begins(tmp_path: Path):
    path = tmp_path / "a.jsonl"
    path.write_text("old\n")
    answers = AnswerFile(str(path), overwrite=True)
    assert path.read_text() == "old\n"
    answers.begin()
    assert path.read_text() == ""
    answers.close()


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
