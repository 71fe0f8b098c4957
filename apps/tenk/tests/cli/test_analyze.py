"""``tenk analyze``, run as a user runs it: in a process, from a file, to files, with its exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from apps.tenk.tests.stand_ins import filing
from ingather.testing import Simulator


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "northwind.txt"
    path.write_bytes(filing())
    return path


def tenk(*arguments, **environment):
    clean = {
        key: value
        for key, value in os.environ.items()
        if not key.endswith(("_API_KEY", "_BASE_URL"))
    }
    command = [str(Path(sys.executable).parent / "tenk"), *map(str, arguments)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**clean, **environment},
    )
    assert "Traceback" not in done.stderr
    return done


def test_without_files_the_report_is_printed(source):
    done = tenk("analyze", source)
    assert done.returncode == 0
    assert "## Business" in done.stdout
    assert "[^1]: “" in done.stdout
    assert "Business: 8/8 components" in done.stderr


def test_json_and_markdown_are_written(source, tmp_path):
    out, report = tmp_path / "out.json", tmp_path / "out.md"
    done = tenk("analyze", source, "-o", out, "--report", report, "--quiet")
    assert done.returncode == 0
    assert done.stdout == ""
    assert "quotes verified" in done.stderr
    analysis = json.loads(out.read_text())
    assert analysis["business"]["operational_overview"]["employees"] == 1240
    assert analysis["sections"]["mda"]["status"] == "ok"
    assert report.read_text().startswith("# northwind.txt: 10-K")


def test_sections_can_be_chosen(source, tmp_path):
    out = tmp_path / "out.json"
    assert tenk("analyze", source, "--sections", "mda, business", "-o", out).returncode == 0
    assert set(json.loads(out.read_text())["sections"]) == {"mda", "business"}


def test_any_server_can_be_asked(source, tmp_path):
    out = tmp_path / "out.json"
    with Simulator(latency=0.01) as server:
        arguments = [
            "--model",
            "openai/any",
            "--base-url",
            server.base_url,
            "-o",
            out,
            "--max-concurrency",
            "4",
        ]
        done = tenk("analyze", source, *arguments)
        assert done.returncode == 0, done.stderr
        assert server.stats()["calls"] == 27
        assert server.stats()["peak_in_flight"] <= 4
    assert json.loads(out.read_text())["model"] == "openai/any"


def test_split_single_asks_once_a_section(source, tmp_path):
    with Simulator() as server:
        done = tenk(
            "analyze", source, "--model", "openai/any", "--base-url", server.base_url, "--split", "single",
            "-o", tmp_path / "out.json",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert server.stats()["calls"] == 4


def test_components_that_fail_are_exit_code_3(source, tmp_path):
    out = tmp_path / "out.json"
    with Simulator(error_rate=1.0, faults="500") as server:
        done = tenk(
            "analyze",
            source,
            "--model",
            "openai/any",
            "--base-url",
            server.base_url,
            "-o",
            out,
            "--sections",
            "mda",
        )
    assert done.returncode == 3
    assert json.loads(out.read_text())["sections"]["mda"]["status"] == "failed"


def test_an_earlier_analysis_stays_where_nothing_new_came(source, tmp_path):
    out = tmp_path / "out.json"
    assert tenk("analyze", source, "-o", out, "--sections", "mda").returncode == 0
    before = out.read_bytes()
    with Simulator(error_rate=1.0, faults="500") as server:
        done = tenk(
            "analyze",
            source,
            "--model",
            "openai/any",
            "--base-url",
            server.base_url,
            "-o",
            out,
            "--sections",
            "mda",
        )
    assert done.returncode == 3
    assert out.read_bytes() == before
    assert f"Nothing new came, so {out} is as it was." in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-file.htm"], "no-such-file.htm"),
        (["../../etc"], "etc"),
        (["SOURCE", "--sections", "everything"], "there is no section everything"),
        (["SOURCE", "--sections", ","], "at least one"),
        (["SOURCE", "--split", "halves"], "fields or single"),
        (["SOURCE", "--model", "gpt-5"], "names no provider"),
        (["SOURCE", "--model", "openai/gpt-5-mini"], "no key for api.openai.com"),
        (["SOURCE", "--model", "openai/x", "--api-key-env", "NOT_SET"], "NOT_SET"),
        (["SOURCE", "-o", "no-such-folder/out.json"], "cannot be written"),
        (["SOURCE", "--max-concurrency", "0"], "max-concurrency"),
    ],
)
def test_wrong_use_is_exit_code_2_and_says_what_to_do(source, arguments, said):
    done = tenk("analyze", *(source if each == "SOURCE" else each for each in arguments))
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    "content",
    [b"", b"%PDF-1.4", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b'{"not": "a filing"}', b"Hello"],
)
def test_what_is_no_filing_is_exit_code_2(tmp_path, content):
    path = tmp_path / "junk.bin"
    path.write_bytes(content)
    done = tenk("analyze", path)
    assert done.returncode == 2
    assert done.stderr.startswith("tenk: ")


def test_a_ticker_says_what_is_missing(source):
    done = tenk("analyze", "NVDA")
    assert done.returncode == 2
    assert "tenk[edgar]" in done.stderr or "EDGAR_IDENTITY" in done.stderr


def test_a_key_is_in_no_output(source, tmp_path):
    key = "sk-canary-0123456789abcdef"
    out = tmp_path / "out.json"
    with Simulator(api_key="another") as server:
        done = tenk(
            "analyze", source, "--model", "openai/any", "--base-url", server.base_url, "-o", out,
            "--api-key-env", "CANARY", CANARY=key,
        )  # fmt: skip
    assert done.returncode == 3
    assert key not in done.stdout + done.stderr + out.read_text()


def test_help_comes_without_heavy_imports():
    code = "import sys, tenk.cli.app; print(sorted({'lxml', 'aiohttp', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert "analyze" in tenk("--help").stdout


def test_a_cap_on_money_holds_and_what_it_was_too_little_for_is_told(source, tmp_path):
    out = tmp_path / "out.json"
    with Simulator(latency=0.01) as server:
        options = [
            "--model",
            "openai/any",
            "--base-url",
            server.base_url,
            "--max-cost",
            "0.05",
            "-o",
            out,
        ]
        refused = tenk("analyze", source, *options)
        assert refused.returncode == 2
        assert "--price openai/any=IN:OUT" in refused.stderr
        assert server.stats()["calls"] == 0
        done = tenk("analyze", source, *options, "--price", "1:2", "--quiet")
    assert done.returncode == 3
    analysis = json.loads(out.read_text())
    assert 0 < analysis["cost_usd"] <= 0.05
    assert "BudgetSpent" in out.read_text()
