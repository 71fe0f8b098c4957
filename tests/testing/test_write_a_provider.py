"""The provider that docs/write-a-provider.md makes does what the page says, word for word."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ingather import connect, run_sync
from ingather.testing.contract_server import ContractServer, Scripted

PAGE = (Path(__file__).parents[2] / "docs" / "write-a-provider.md").read_text()
[MODULE] = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
[SUITE] = re.findall(r"^```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
[ENTRY] = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
GOOD = Scripted(200, {"reply": "Paris", "end": "done", "tokens": {"in": 7, "out": 3}})


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "acme_llm.py").write_text(MODULE)
    (tmp_path / "test_acme.py").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_keeps_the_contract(folder):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_acme.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= 24


def test_as_a_plug_in(folder, monkeypatch):
    told = folder / "acme_llm-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-llm\nVersion: 1.0\n")
    group = ENTRY.replace('[project.entry-points."ingather.providers"]', "[ingather.providers]")
    (told / "entry_points.txt").write_text(group.replace('"', ""))
    monkeypatch.syspath_prepend(str(folder))
    with ContractServer() as server:
        server.script = [GOOD]
        provider = connect("acme/fast", base_url=server.base_url, api_key="k" * 20, temperature=0.2)
        assert run_sync(provider.complete("Where?")).content == "Paris"
        run_sync(provider.aclose())
    body = json.loads(server.requests[0].body)
    assert body == {
        "model": "fast",
        "heat": 0.2,
        "dialogue": [{"speaker": "user", "says": "Where?"}],
    }


def test_on_the_command_line(folder):
    (folder / "tasks.jsonl").write_text('{"id": "a", "prompt": "Where?"}\n')
    with ContractServer() as server:
        server.script = [GOOD]
        command = [sys.executable, "-m", "ingather", "run", "tasks.jsonl", "-o", "answers.jsonl"]
        command += ["--provider", "acme_llm.py:connect", "--model", "fast"]
        command += ["--base-url", server.base_url, "--store", "run.db"]
        for _ in range(2):
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
    [line] = (folder / "answers.jsonl").read_text().splitlines()
    assert json.loads(line)["value"] == "Paris"
    assert len(server.requests) == 1
