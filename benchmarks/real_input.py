"""The main job on real input: passages of real 10-K filings, a schema, `ingather run`, and llama.cpp's own server.

    python benchmarks/real_input.py [--tasks 300] [--folder FOLDER]

The server is the one of the tests (a tiny model with random weights, made on the spot): it shows
that the machinery works, answers are valid by the schema, and nothing is lost. What the answers say
is noise.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

HERE = Path(__file__).parent
FILINGS = HERE.parent.parent / "shared" / "filings"
SCHEMA = '''from typing import Literal

from pydantic import BaseModel, Field


class Passage(BaseModel):
    """What a passage of an annual report is about."""

    topic: Literal["business", "risk", "results", "other"] = Field(description="What the passage is mostly about")
    headline: str = Field(description="The passage in at most ten words", max_length=80)
    mentions_numbers: bool = Field(description="Whether the passage gives figures")
'''


class Text(HTMLParser):
    """The words of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words += data.split()


def passages(count: int) -> Iterator[dict[str, str]]:
    """Passages of 60 to 240 words, taken evenly from all filings."""
    files = sorted(path for path in FILINGS.iterdir() if path.suffix in {".htm", ".txt"})
    each = -(-count // len(files))
    made = 0
    for path in files:
        text = Text()
        text.feed(
            re.sub(
                r"(?is)<(script|style|ix:header).*?</\1>", " ", path.read_text("utf-8", "replace")
            )
        )
        step = len(text.words) // each
        for number in range(min(each, count - made)):
            length = 60 + 20 * (number % 10)
            words = text.words[number * step : number * step + length]
            yield {"id": f"{path.stem}-{number}", "filing": path.name, "passage": " ".join(words)}
            made += 1


@contextlib.contextmanager
def llama(parallel: int) -> Iterator[str]:
    """llama.cpp's server in a process of its own; gives its base URL."""
    command = [
        sys.executable,
        str(HERE.parent / "tests" / "servers" / "llama.py"),
        "--parallel",
        str(parallel),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", type=int, default=300)
    parser.add_argument(
        "--folder", type=Path, default=None, help="where tasks and answers are written"
    )
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp())
    tasks, schema, answers = (
        folder / "passages.jsonl",
        folder / "passage.py",
        folder / "answers.jsonl",
    )
    tasks.write_text("".join(json.dumps(row) + "\n" for row in passages(arguments.tasks)))
    schema.write_text(SCHEMA)
    with llama(parallel=4) as base_url:
        command = [
            str(Path(sys.executable).parent / "ingather"),
            "run",
            str(tasks),
            "-o",
            str(answers),
        ]
        command += [
            "--model",
            "openai/tiny",
            "--base-url",
            base_url,
            "--max-concurrency",
            "4",
            "--overwrite",
        ]
        command += ["--prompt", "{passage}\n\nWhat is this passage of an annual report about?"]
        command += ["--schema", f"{schema}:Passage", "--param", "max_tokens=400"]
        status = subprocess.run(command, check=False).returncode
    rows = [json.loads(line) for line in answers.read_text().splitlines()]
    valid = sum(row["success"] for row in rows)
    print(f"exit {status}: {len(rows)} of {arguments.tasks} answered, {valid} valid, in {answers}")
    return 0 if status == 0 and len(rows) == valid == arguments.tasks else 1


if __name__ == "__main__":
    sys.exit(main())
