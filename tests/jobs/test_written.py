"""What a file of answers holds already, and what a crash may have left at its end."""

import gzip
import json
from array import array

import pytest

from ingather import LLMResponse, TaskResult
from ingather.errors import RateLimited, SetupError
from ingather.jobs import answer_line, read_written
from ingather.jobs.batch import CHAT
from ingather.jobs.batch_answer import batch_answer_line
from ingather.jobs.seen import mark_of

LINES = [
    answer_line(
        TaskResult(f"t{i}", i != 1, LLMResponse("x"), None if i != 1 else ValueError()), f"t{i}"
    )
    for i in range(4)
]


def packed(line: bytes) -> bytes:
    return gzip.compress(line, mtime=0)


@pytest.fixture(params=["a.jsonl", "a.jsonl.gz"])
def write(request, tmp_path):
    """Write these lines, packed or not, and bytes after them; gives the path and where each line ends."""

    def lines(lines, after=None):
        is_packed = request.param.endswith(".gz")
        pack = packed if is_packed else bytes
        pieces = [pack(line) for line in lines]
        torn = b"" if after is None else pack(after)[: -1 if is_packed else None]
        path = tmp_path / request.param
        path.write_bytes(b"".join(pieces) + torn)
        ends = [sum(map(len, pieces[: number + 1])) for number in range(len(pieces))]
        return str(path), ends

    return lines


def test_whole_lines(write):
    path, ends = write(LINES)
    found = read_written(path)
    assert list(found.marks) == [mark_of(f"t{i}") for i in range(4)]
    assert list(found.ends) == ends
    assert found.failed == {1}
    assert found.torn == 0


@pytest.mark.parametrize("size", [1, 20, len(LINES[3]) - 2])
def test_a_torn_last_line_is_none(write, size):
    path, ends = write(LINES[:3], after=LINES[3][:size])
    found = read_written(path)
    assert list(found.ends) == ends
    assert found.torn > 0


def test_a_last_line_of_zeros_as_after_a_power_cut_is_torn(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(LINES[0] + b"\0" * 100 + b"\n")
    found = read_written(str(path))
    assert (len(found), found.torn) == (1, 101)


def test_nothing(write):
    path, _ = write([])
    found = read_written(path)
    assert (len(found), found.torn) == (0, 0)


@pytest.mark.parametrize("line", [b"hello\n", b'{"x": 1}\n', b"[1]\n", b'"id"\n'])
def test_a_file_of_something_else_is_left_alone(write, line):
    path, _ = write([LINES[0], line, LINES[2]])
    with pytest.raises(SetupError, match="line 2: not an answer line"):
        read_written(path)


def test_batch_lines_fail_where_openai_says_so(write):
    answer = LLMResponse("x")
    lines = [
        batch_answer_line(TaskResult("a", True, answer, response=answer), "a", CHAT),
        batch_answer_line(TaskResult("b", False, None, RateLimited("x", status=429)), "b", CHAT),
        batch_answer_line(
            TaskResult("c", False, None, ValueError("x"), response=answer), "c", CHAT
        ),
        batch_answer_line(TaskResult("d", False, None, ValueError("x")), "d", CHAT),
    ]
    path, _ = write(lines)
    found = read_written(path)
    assert list(found.marks) == [mark_of(key) for key in "abcd"]
    assert found.failed == {1, 2, 3}


def test_ids_leave_out_what_failed_where_that_is_asked(write):
    path, _ = write(LINES)
    found = read_written(path)
    every, good = found.ids(without_failed=False), found.ids(without_failed=True)
    assert [f"t{i}" in every for i in range(5)] == [True, True, True, True, False]
    assert [f"t{i}" in good for i in range(5)] == [True, False, True, True, False]


def line_of(key):
    failed = key.endswith("!")
    result = TaskResult(
        key.strip("!"), not failed, LLMResponse("x"), ValueError() if failed else None
    )
    return answer_line(result, result.tag)


def arranged(tmp_path, *each, order=None):
    """Ids in the order in which lines stay, `!` at failures; None where all stay as they are."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"".join(map(line_of, each)))
    marks = None if order is None else array("Q", [mark_of(key) for key in order])
    pieces = read_written(path).arranged(marks)
    if pieces is None:
        return None
    whole = path.read_bytes()
    found = [json.loads(whole[start:end]) for start, end in pieces]
    return " ".join(line["id"] + ("" if line["success"] else "!") for line in found)


def test_a_failure_goes_where_there_is_a_newer_line_of_its_id(tmp_path):
    assert arranged(tmp_path, "a!", "b", "a") == "b a"
    assert arranged(tmp_path, "a!", "b", "a!") == "b a!"
    assert arranged(tmp_path, "a", "b!") is None


def test_an_answer_never_goes(tmp_path):
    assert arranged(tmp_path, "a", "b", "a!") == "a b"
    assert arranged(tmp_path, "a", "b", "a") is None


def test_lines_come_into_the_order_of_the_tasks_and_others_last(tmp_path):
    assert arranged(tmp_path, "x", "c", "a", "b", order="abc") == "a b c x"
    assert arranged(tmp_path, "a", "b", "c", order="abcd") is None
