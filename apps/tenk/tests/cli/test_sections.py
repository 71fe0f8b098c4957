import gzip
import json
import random
import subprocess
import sys

import pytest

from apps.tenk.tests.layouts import html, made
from tenk.filing import read_filing

TENK = [sys.executable, "-m", "tenk.cli"]


def tenk(*arguments: object, expect: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*TENK, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == expect, done.stderr
    return done


@pytest.fixture
def page(tmp_path):
    filing = made(random.Random(1), 2008)
    filing.bodies["8"] = ["The statements begin on page F-1."]
    tail = "<p>Report of Independent Auditors</p>" + "<p>Total assets 5.</p>" * 99
    path = tmp_path / "filing.htm"
    path.write_text(html(filing, tail=tail, rng=random.Random(1)))
    return path


def test_json_holds_the_items_that_the_filing_has_with_texts_and_targets(page):
    answer = json.loads(tenk("sections", page, "--json").stdout)
    filing = read_filing(page)
    assert answer["form"] == "10-K"
    assert [item["item"] for item in answer["items"]] == [
        item.item for item in filing.items if item.status != "absent"
    ]
    first, eighth = (
        answer["items"][0],
        next(item for item in answer["items"] if item["item"] == "8"),
    )
    assert first == {
        "item": "1", "title": "Business", "status": "present", "start": filing.item("1").start,
        "end": filing.item("1").end, "text": filing.item("1").text, "target": None,
    }  # fmt: skip
    assert eighth["status"] == "pointer_within_document"
    assert eighth["target"]["place"] == "after Item 15"
    assert eighth["target"]["text"].startswith("Report of Independent Auditors")


def test_the_text_that_offsets_count_in_is_written(page, tmp_path):
    answer = json.loads(tenk("sections", page, "--json", "--text", tmp_path / "plain.txt").stdout)
    text = (tmp_path / "plain.txt").read_text()
    assert all(text[item["start"] : item["end"]] == item["text"] for item in answer["items"])
    done = tenk("sections", page, "--text", tmp_path, expect=2)
    assert done.stderr == f"tenk: cannot write {tmp_path}: Is a directory\n"


def test_people_read_a_table(page):
    lines = tenk("sections", page).stdout.splitlines()
    assert lines[0].startswith(f"{page}: 10-K, ")
    rows = {line.split()[0]: line for line in lines[2:-2]}
    assert rows["1"].rstrip().endswith("present")
    assert "after Item 15: " in rows["8"]
    assert "not in this filing: 1C, 9C, 16" in lines
    assert "--json" in lines[-1]


def test_the_bundled_sample_goes_by_its_name():
    answer = json.loads(tenk("sections", "quellmark-2025", "--json").stdout)
    status = {item["item"]: item["status"] for item in answer["items"]}
    assert {status[item] for item in ("1", "1A", "7", "8")} <= {
        "present",
        "pointer_within_document",
    }


def test_gzip_is_read(page, tmp_path):
    packed = tmp_path / "filing.htm.gz"
    packed.write_bytes(gzip.compress(page.read_bytes()))
    assert tenk("sections", packed, "--json").stdout == tenk("sections", page, "--json").stdout


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"%PDF-1.7", "is a PDF, not the text or HTML of a 10-K"),
        (b"Shall I compare thee to a summer's day?", "is no 10-K: no first page with 'Form 10-K'"),
        (b"FORM 10-Q", "is no 10-K: its first page says Form 10-Q"),
        (b"FORM 10-K\nnothing", "without headings such as"),
        (b"", "is empty"),
    ],
)
def test_what_is_no_filing_is_told_in_one_line(content, says, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content)
    done = tenk("sections", path, "--json", expect=2)
    assert done.stdout == ""
    assert done.stderr.startswith("tenk: file ")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_wrong_use_is_exit_code_2(tmp_path):
    assert "Missing argument" in tenk("sections", expect=2).stderr
    assert "No such file" in tenk("sections", tmp_path / "none", expect=2).stderr


def test_a_reader_that_has_seen_enough_is_no_crash(page):
    command = f"'{sys.executable}' -m tenk.cli sections '{page}' --json | head -c 10"
    done = subprocess.run(
        ["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_score_of_the_real_filings_is_full(filings):
    command = [
        sys.executable,
        filings / "score.py",
        filings / "index.json",
        *TENK,
        "sections",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.splitlines()[-1] == "32 of 32 slots right"
    assert done.returncode == 0
