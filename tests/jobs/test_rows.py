"""Reading rows: what a line is, and what is said where it is none."""

import os
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather.errors import SetupError
from ingather.jobs import BadLine, Row, Source
from ingather.jobs.rows import read_csv, read_jsonl


def jsonl(*lines: bytes):
    return list(read_jsonl(lines, "tasks.jsonl"))


def csv_rows(text: str | bytes):
    raw = text if isinstance(text, bytes) else text.encode()
    return list(read_csv(raw.splitlines(keepends=True), "tasks.csv"))


def only_problem(items) -> str:
    [bad] = [item for item in items if isinstance(item, BadLine)]
    return str(bad)


def test_json_lines_are_rows_with_their_line_numbers():
    assert jsonl(b'{"id": 1}\n', b"\n", b'  {"id": 2}\r\n', b'{"id": 3}') == [
        Row(1, {"id": 1}),
        Row(3, {"id": 2}),
        Row(4, {"id": 3}),
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_line():
    assert jsonl(b'\xef\xbb\xbf{"id": 1}\n') == [Row(1, {"id": 1})]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"id": 1,}', "not JSON"),
        (b"hello", "not JSON"),
        (b'["a"]', "one JSON object"),
        (b'"a"', "one JSON object"),
        (b"null", "one JSON object"),
        (b"{", "several lines"),
        (b"[", "jq -c"),
        (b'{"p": "\\ud800"}', "surrogate"),
        (b'{"p": "\xff"}', "not UTF-8: byte 0xff at position 7"),
        ('{"id": 1}'.encode("utf-16"), "UTF-16"),
        (b'{"p": NaN}', "not JSON"),
        (b"[" * 10_000, "not JSON"),
    ],
)
def test_a_line_that_is_no_object_says_where_and_why(line, said):
    problem = only_problem(jsonl(b'{"id": 1}\n', line))
    assert problem.startswith("tasks.jsonl, line 2: ")
    assert said in problem


def test_lines_after_a_bad_one_are_still_rows():
    good = [item for item in jsonl(b"{}", b"oops", b'{"id": 3}') if isinstance(item, Row)]
    assert [row.line for row in good] == [1, 3]


@given(st.dictionaries(st.text(), st.text() | st.integers(-(2**53), 2**53) | st.booleans() | st.none()))
def test_any_object_that_is_encoded_comes_back(fields):
    assert jsonl(orjson.dumps(fields)) == [Row(1, fields)]


def test_csv_rows_carry_the_header_s_names():
    assert csv_rows("id,text\n1,hello\n2,bye\n") == [
        Row(2, {"id": "1", "text": "hello"}),
        Row(3, {"id": "2", "text": "bye"}),
    ]


def test_a_quoted_field_may_span_lines_and_the_row_is_where_it_begins():
    assert csv_rows('id,text\n1,"a ""b"",\nc"\n2,d\n') == [
        Row(2, {"id": "1", "text": 'a "b",\nc'}),
        Row(4, {"id": "2", "text": "d"}),
    ]


def test_blank_lines_between_csv_rows_are_skipped():
    assert [row.line for row in csv_rows("id\n\n1\n\n2\n")] == [3, 5]


def test_a_csv_field_may_be_a_whole_document():
    [row] = csv_rows("text\n" + "x" * 1_000_000 + "\n")
    assert len(row.fields["text"]) == 1_000_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,text\n1\n", "line 2: 1 cells where the header has 2"),
        ("id,text\n1,a,b\n", "line 2: 3 cells where the header has 2"),
        ("id,id\n1,2\n", "line 1: the header names 'id' twice"),
        ("id,\n1,2\n", "line 1: the header has a column without a name"),
        ('id\n"a"b\n', "line 2: not CSV"),
        ('id\n"never closed\n', "line 2: not CSV"),
        (b"id\nok\n\xff\n", "line 3: not UTF-8: byte 0xff"),
    ],
)
def test_a_bad_csv_says_where_and_why(text, said):
    assert only_problem(csv_rows(text)).startswith("tasks.csv, " + said)


def test_a_csv_with_a_byte_order_mark_has_its_first_column():
    assert csv_rows(b"\xef\xbb\xbfid\n1\n") == [Row(2, {"id": "1"})]


def test_the_ending_says_which_format(tmp_path: Path):
    (tmp_path / "a.CSV").write_text("id\n1\n")
    (tmp_path / "a.txt").write_text('{"id": 1}\n')
    assert list(Source(str(tmp_path / "a.CSV")).rows()) == [Row(2, {"id": "1"})]
    assert list(Source(str(tmp_path / "a.txt")).rows()) == [Row(1, {"id": 1})]


def test_rows_are_read_as_they_are_asked_for():
    pulled = []

    def lines():
        for number in range(1000):
            pulled.append(number)
            yield b"{}\n"

    rows = read_jsonl(lines(), "x")
    next(rows)
    next(rows)
    assert len(pulled) == 2


@pytest.mark.parametrize(
    ("path", "said"),
    [("missing.jsonl", "No such file"), (".", "is a folder"), ("a\0b", "null byte"), ("x/y.jsonl", "No such file")],
)
def test_a_file_that_cannot_be_read_is_a_set_up_error(tmp_path: Path, monkeypatch, path, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SetupError, match=said):
        Source(path)


def test_only_regular_files_can_be_read_twice(tmp_path: Path):
    regular, pipe = tmp_path / "a.jsonl", tmp_path / "pipe"
    regular.write_text("{}")
    os.mkfifo(pipe)
    assert [Source(str(path)).rereadable for path in (regular, pipe, "-")] == [True, False, False]
