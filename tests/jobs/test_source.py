"""Where rows come from: files of each ending, packed or not."""

import gc
import gzip
import os
import sys
import zlib
from pathlib import Path

import pytest

from ingather.errors import SetupError
from ingather.jobs import BadLine, Recipe, Row, Source, check

ROW = [Row(2, {"id": "1"})]


def rows(path: Path, **options):
    return list(Source(str(path), **options).rows())


def test_the_ending_says_which_format(tmp_path: Path):
    (tmp_path / "a.CSV").write_text("id\n1\n")
    (tmp_path / "a.txt").write_text('{"id": 1}\n')
    assert list(Source(str(tmp_path / "a.CSV")).rows()) == [Row(2, {"id": "1"})]
    assert list(Source(str(tmp_path / "a.txt")).rows()) == [Row(1, {"id": 1})]
    (tmp_path / "a.tsv").write_text("id\ttext\n1\tx\n")
    assert rows(tmp_path / "a.tsv") == [Row(2, {"id": "1", "text": "x"})]


def test_a_format_that_is_given_goes_over_the_ending(tmp_path: Path):
    (tmp_path / "a.txt").write_text("id\n1\n")
    assert rows(tmp_path / "a.txt", format="csv") == ROW
    with pytest.raises(SetupError, match="--format is one of jsonl, csv, tsv, not 'xml'"):
        Source("-", "xml")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("missing.jsonl", "No such file"),
        (".", "is a folder"),
        ("a\0b", " null "),
        ("x/y.jsonl", "No such file"),
    ],
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


@pytest.mark.parametrize("name", ["a.csv.gz", "a.CSV.GZ"])
def test_a_packed_file_is_read_as_what_is_in_it(tmp_path: Path, name):
    (tmp_path / name).write_bytes(gzip.compress(b"id\n1\n"))
    assert rows(tmp_path / name) == ROW


def test_packed_members_one_after_another_are_one_file(tmp_path: Path):
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"id": 1}\n{"id"') + gzip.compress(b": 2}\n"))
    assert rows(path) == [Row(1, {"id": 1}), Row(2, {"id": 2})]


def spoilt(how: str) -> bytes:
    lines = b"".join(
        b'{"id": %d, "prompt": "%x"}\n' % (i, zlib.crc32(b"%d" % i)) for i in range(5000)
    )
    packed = bytearray(gzip.compress(lines))
    match how:
        case "cut":
            del packed[-2000:]
        case "crc":
            packed[-8] ^= 1
        case "bits":
            packed[len(packed) // 2] ^= 255
        case "tail":
            packed += b"more"
        case "plain":
            return b'{"id": 1}\n'
    return bytes(packed)


@pytest.mark.parametrize("how", ["cut", "crc", "bits", "tail", "plain"])
def test_damaged_packing_is_said_with_the_file_and_the_line(tmp_path: Path, how):
    path = tmp_path / "tasks.jsonl.gz"
    path.write_bytes(spoilt(how))
    *_, last = rows(path)
    assert isinstance(last, BadLine)
    assert str(last).startswith(f"{path}, line {last.line}: ")
    if how != "bits":  # which may be a fault of gzip's, or only of the lines
        assert "cannot be read from here on: corrupt or truncated gzip data, or none at all" in str(
            last
        )


def test_lines_before_the_damage_are_rows(tmp_path: Path):
    path = tmp_path / "tasks.jsonl.gz"
    path.write_bytes(spoilt("cut"))
    *good, last = rows(path)
    assert len(good) > 100
    assert [row.line for row in good] == [*range(1, len(good) + 1)]
    assert last.line == len(good) + 1


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le"])
@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_utf_16_is_read_as_spreadsheets_save_it(tmp_path, encoding, name):
    text = "id\tname\r\n1\tJosé\r\n" if name == "t.csv" else '{"id": "1", "name": "José"}\r\n'
    mark = b"" if encoding == "utf-16" else "\ufeff".encode(encoding)
    (tmp_path / name).write_bytes(mark + text.encode(encoding))
    [row] = Source(str(tmp_path / name)).rows()
    assert isinstance(row, Row)
    assert row.fields == {"id": "1", "name": "José"}


def test_utf_16_of_which_only_the_first_row_is_read_is_closed_in_silence(tmp_path, monkeypatch):
    ignored: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", ignored.append)
    (tmp_path / "t.csv").write_bytes("id\n1\n2\n".encode("utf-16"))
    rows = Source(str(tmp_path / "t.csv")).rows()
    next(rows)
    rows.close()
    del rows
    gc.collect()
    assert not ignored


def test_a_table_without_rows_is_told_what_a_table_has(tmp_path):
    (tmp_path / "t.csv").write_text("id,prompt\n")
    with pytest.raises(SetupError, match="holds no tasks: a header line, then a row each"):
        check(Source(str(tmp_path / "t.csv")), Recipe())


def test_damaged_utf_16_is_said(tmp_path):
    (tmp_path / "t.csv").write_bytes("id\n1\n".encode("utf-16") + b"\x00")
    *_, last = Source(str(tmp_path / "t.csv")).rows()
    assert isinstance(last, BadLine)
    assert "damaged UTF-16" in str(last)
