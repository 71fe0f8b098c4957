"""Each Python block of the README and the docs passes a type checker, as in its reader's editor."""

import re
import subprocess
import sys

from tests.test_snippets import PYTHON, ROOT


def test_each_block_passes_mypy(tmp_path):
    for block in PYTHON:
        name = re.sub(r"\W", "_", f"{block.page.removesuffix('.md')}_line_{block.line}").lower()
        (tmp_path / f"{name}.py").write_text(block.text)
    command = [sys.executable, "-m", "mypy", "--config-file=", "--check-untyped-defs"]
    command += ["--ignore-missing-imports", f"--cache-dir={tmp_path}/cache", str(tmp_path)]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
