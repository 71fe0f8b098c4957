"""The demo shows what it says, here with calls that take a tenth of the time."""

import re
import runpy
from pathlib import Path

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo.py"


def test_the_demo_shows_the_two_ways_and_leaves_a_report(capfd, tmp_path):
    report = tmp_path / "report.md"
    runpy.run_path(str(DEMO))["main"](latency=0.05, report=report)
    shown, live = capfd.readouterr()
    slow, fast = re.findall(r"(\d+) calls in +([\d.]+) s", shown)
    assert int(slow[0]) == 8
    assert int(fast[0]) > 20
    [(verified, quotes)] = [
        map(int, found) for found in re.findall(r"(\d+) of (\d+) quotes stand", shown)
    ]
    assert 30 < verified <= quotes
    for section in ("Business", "Risk factors", "MD&A", "Financials"):
        assert re.search(rf"{section}: \d+/\d+ components", live)
    text = report.read_text()
    assert text.count("\n## ") == 4
    assert "[^1]: “" in text
