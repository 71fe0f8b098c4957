"""The demo shows what it says, here with calls that take a fiftieth of the time."""

import re
import runpy
from pathlib import Path

DEMO = Path(__file__).resolve().parents[2] / "examples" / "demo.py"


def test_the_demo_runs_all_its_parts(capfd):
    runpy.run_path(str(DEMO))["main"](latency=0.017)
    shown, live = capfd.readouterr()
    assert shown.count("Ines Albrecht, 41, bridge inspector") == 2
    assert "210 of 210 succeeded" in shown
    assert "210/210 done" in live
    assert len(re.findall(r"\d\.\d\d s +\d\.\d\d s ", shown)) == 5
