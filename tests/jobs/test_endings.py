"""Names of files end in what they hold."""

import os

import pytest

from ingather.errors import SetupError
from ingather.jobs import AnswerFile, Source

NOT_WRITTEN = [
    ("a.csv", "a.jsonl"),
    ("a.TSV", "a.jsonl"),
    ("a.parquet", "a.jsonl"),
    ("A.XLSX", "A.jsonl"),
    ("a.arrow", "a.jsonl"),
    ("a.feather", "a.jsonl"),
    ("a.db", "a.jsonl"),
    ("a.sqlite3", "a.jsonl"),
    ("a.json", "a.jsonl"),
    ("a.md", "a.jsonl"),
    ("a.b.parquet", "a.b.jsonl"),
    ("a.csv.gz", "a.jsonl.gz"),
    ("a.jsonl.zst", "a.jsonl.gz"),
    ("a.zip", "a.jsonl.gz"),
    ("a.jsonl.bz2", "a.jsonl.gz"),
]


@pytest.mark.parametrize(("name", "better"), NOT_WRITTEN)
def test_an_output_that_says_another_format_is_refused_with_what_to_write(tmp_path, name, better):
    with pytest.raises(SetupError) as caught:
        AnswerFile(str(tmp_path / name), overwrite=True)
    assert str(caught.value).split("give -o ")[1].split(",")[0] == better
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["a.jsonl", "a.ndjson", "a.JSONL.GZ", "a.txt", "a", "a.2026-11", "a.out", ".a", "a.gz"]
)
def test_names_that_promise_nothing_else_are_taken(tmp_path, name):
    AnswerFile(str(tmp_path / name)).close()


def test_a_device_may_have_any_name():
    AnswerFile(os.devnull).close()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("t.xlsx", "save its sheet as t.csv"),
        (
            "t.parquet",
            "pandas.read_parquet('t.parquet').to_json('t.jsonl', orient='records', lines=True)",
        ),
        ("t.jsonl.zst", "zstdcat t.jsonl.zst | ingather run - …"),
        ("t.zip", "unzip -p t.zip | ingather run - …"),
        ("t.sqlite", "t.sqlite is not read: tasks are JSON lines"),
    ],
)
def test_an_input_in_another_format_is_named_with_what_to_do(tmp_path, monkeypatch, name, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(b"PAR1")
    with pytest.raises(SetupError) as caught:
        Source(name)
    assert said in str(caught.value)
    assert Source(name, "jsonl").rereadable, "--format overrules it"
