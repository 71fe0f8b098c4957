"""Standard streams that are closed, full or no longer read."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import tenk.samples

TENK = f"{shlex.quote(sys.executable)} -m tenk.cli"
SAMPLE = shlex.quote(str(next(Path(tenk.samples.__file__).parent.glob("*.htm"))))

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")


def shell(line):
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert "crashed" not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("stream", "why"), [(">&-", "it is closed"), (">/dev/full", "No space left")]
)
@pytest.mark.parametrize(
    "command", [f"sections {SAMPLE}", f"sections --json {SAMPLE}", f"analyze {SAMPLE}", "--help"]
)
def test_command_whose_output_is_lost_says_so(command, stream, why):
    code, told = shell(f"{TENK} {command} {stream}")
    assert code == 2
    assert f"tenk: cannot write to standard output: {why}" in told


@pytest.mark.parametrize("stream", ["2>&-", "2>/dev/full", "<&- >&- 2>&-"])
def test_analysis_in_a_file_is_whole(tmp_path, stream):
    out = tmp_path / "analysis.json"
    code, _ = shell(f"{TENK} analyze {SAMPLE} -o {shlex.quote(str(out))} {stream}")
    assert code == 0
    assert out.read_text().startswith("{")
    assert out.read_text().rstrip().endswith("}")


@pytest.mark.parametrize("command", [f"sections {SAMPLE}", f"sections --json {SAMPLE}"])
def test_reader_that_has_seen_enough_is_no_failure(command):
    assert shell(f"{{ {TENK} {command}; echo $? >&2; }} | head -c 1")[1].split()[-1] == "0"


@pytest.mark.parametrize("stream", ["2>&-", "2>/dev/full"])
def test_code_is_right_where_nobody_can_be_told_why(stream):
    assert shell(f"{TENK} sections nothing.htm {stream}")[0] == 2
