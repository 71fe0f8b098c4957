"""JSON lines: what a line is, and what is said where it is none."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather.jobs import BadLine, Row
from ingather.jobs.rows import read_jsonl


def jsonl(*lines: bytes):
    return list(read_jsonl(lines, "tasks.jsonl"))


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
        (b"\x1f\x8b\x08\x00", "gzipped: name it with .gz"),
    ],
)
def test_a_line_that_is_no_object_says_where_and_why(line, said):
    problem = only_problem(jsonl(b'{"id": 1}\n', line))
    assert problem.startswith("tasks.jsonl, line 2: ")
    assert said in problem


def test_lines_after_a_bad_one_are_still_rows():
    good = [item for item in jsonl(b"{}", b"oops", b'{"id": 3}') if isinstance(item, Row)]
    assert [row.line for row in good] == [1, 3]


@given(
    st.dictionaries(st.text(), st.text() | st.integers(-(2**53), 2**53) | st.booleans() | st.none())
)
def test_any_object_that_is_encoded_comes_back(fields):
    assert jsonl(orjson.dumps(fields)) == [Row(1, fields)]


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
