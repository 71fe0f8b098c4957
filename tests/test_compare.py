"""The comparison with peers: what a run is worth, who is missing and why, and the table."""

import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture(scope="module", autouse=True)
def _importable():
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture
def module():
    """Gives a module of benchmarks/ by its name."""
    return import_module


@pytest.fixture
def stand_in(module, tmp_path):
    """A peer whose client is the given code, run by this very interpreter."""

    def make(code, name="stand-in"):
        file = tmp_path / f"{name}.py"
        file.write_text(code)
        return module("peers").Peer(name, "", str(file), (), "ingather", "pass")

    return make


@pytest.fixture
def field(module):
    def make(*peers, **size):
        columns = module("columns")
        return columns.Field(
            dict.fromkeys(peers, sys.executable), columns.Size(rounds=1, **size), columns.Notes()
        )

    return make


PRINTS = "import json; print(json.dumps({figures}))"


def test_the_ideal_is_a_burst_and_then_an_even_pace(module):
    columns = module("columns")
    assert columns.ideal(20) == pytest.approx(0.2)
    assert columns.ideal(600) == pytest.approx(29.2)


def test_a_call_that_was_lost_makes_a_figure_void(module, stand_in, field):
    loser = stand_in(PRINTS.format(figures={"answered": 9, "wall": 1.0, "cpu": 1.0}))
    given = field(loser, cpu=10)
    assert module("columns").cpu(given) == {loser: "–[^1]"}
    assert given.notes.texts == ["stand-in: 9 of 10 calls answered at 100 in flight"]


def test_a_client_that_ends_badly_has_its_reason_and_hurts_no_other(module, stand_in, field):
    bad = stand_in("raise LookupError('no such model')", "bad")
    good = stand_in(PRINTS.format(figures={"answered": 10, "wall": 1.0, "cpu": 0.02}), "good")
    given = field(bad, good, cpu=10)
    assert module("columns").cpu(given) == {bad: "–[^1]", good: "2.00"}
    assert given.notes.texts == ["bad: LookupError: no such model"]


def test_wall_is_over_the_ideal_of_the_calls_that_are_made(module, stand_in, field):
    usual = stand_in(PRINTS.format(figures={"answered": 2000, "wall": 3.0, "cpu": 1.0}))
    assert module("columns").wall(field(usual), 2000, 200, 0.2) == {usual: "1.50"}


def test_a_peer_that_runs_fewer_calls_says_so(module, stand_in, field):
    reports = "import json, sys; print(json.dumps({'answered': int(sys.argv[3]), 'wall': 2.0}))"
    slow = replace(stand_in(reports), share=0.2)
    given = field(slow)
    assert module("columns").wall(given, 10_000, 1_000, 0.5) == {slow: "2.00[^1]"}
    assert "2,000 calls" in given.notes.texts[0]


def test_429s_are_counted_where_they_are_sent(module, stand_in, field):
    asks_25_times = """
import json, sys, urllib.error, urllib.request
answered = 0
body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hello"}]}).encode()
for _ in range(25):
    try:
        urllib.request.urlopen(urllib.request.Request(sys.argv[1] + "/chat/completions", body)).read()
        answered += 1
    except urllib.error.HTTPError:
        pass
print(json.dumps({"answered": answered, "wall": 0.4}))
"""
    peer = stand_in(asks_25_times)
    columns = module("columns")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(columns, "LATENCY", 0.01)
        patched.setattr(columns, "RPM", 0.01)  # nothing comes after the burst
        given = field(peer, limited=25)
        [[over, rejected, lost]] = columns.limited(given).values()
    assert (rejected, lost) == ("5", "5")
    assert float(over) >= 0


def test_a_peer_that_cannot_be_installed_is_a_row_that_says_why(module):
    compare, peers = module("compare"), module("peers")
    missing = peers.Peer(
        "missing", "missing", "none.py", ("missing",), "missing", "pass", python312=True
    )
    notes = module("columns").Notes()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(peers.sys, "version_info", (3, 11))
        patched.setattr(peers.shutil, "which", lambda name: None)
        pythons, cells = compare.installed([missing], None, notes)
    assert pythons == {}
    assert len(cells[missing]) == len(compare.HEADS) - 1
    assert "--python312" in notes.texts[0]
    text = compare.document(
        [missing], cells, module("columns").QUICK, notes, "python benchmarks/compare.py"
    )
    assert "| missing | –[^1] | – |" in text
    assert "[^1]: it needs Python 3.12" in text


def test_every_client_of_a_peer_is_there(module):
    assert [
        peer.file
        for peer in module("peers").PEERS
        if not (BENCHMARKS / "clients" / peer.file).is_file()
    ] == []


def test_our_own_client_answers_all(module, field):
    peers = module("peers")
    client = field(peers.PEERS[0]).client(peers.PEERS[0])
    with module("harness").server(0.0) as base_url:
        assert module("columns").answered(client, base_url, 50, 10)["answered"] == 50


@pytest.mark.slow
def test_what_our_own_client_has_not_begun_takes_no_memory(module, field):
    [held] = module("columns").memory(field(module("peers").PEERS[0], queued=(200, 2_000))).values()
    assert int(held) < 50


def test_an_unknown_name_is_said():
    command = [sys.executable, str(BENCHMARKS / "compare.py"), "--only", "nobody"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "ingather, openai" in done.stderr
