"""Every code block of the README, the docs and the docstrings runs: Python as it stands, commands in a folder apart."""

from __future__ import annotations

import os
import random
import re
import shlex
import signal
import socket
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sybil import Document, Example, Region, Sybil
from sybil.document import PythonDocStringDocument
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser
from sybil.parsers.rest import DocTestParser
from sybil.sybil import SybilCollection

if TYPE_CHECKING:
    from collections.abc import Iterator

# A test run in the background may have been begun with Ctrl-C ignored, which its children would
# inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)

CONSOLE = re.compile(r"^```console\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
LEFT_OUT = re.compile(r"^(make|pip|git|cd)\b|openai/(gpt|llama)")


SERVED = re.compile(r"^\$ ingather simulate .*--port (\d+)", re.MULTILINE)


class Page(Document):
    """A page whose simulators listen on free ports of this machine, instead of those that it names."""

    def __init__(self, text: str, path: str) -> None:
        for port in SERVED.findall(text):
            text = re.sub(rf"\b{port}\b", str(free_port()), text)
        super().__init__(text, path)


def free_port() -> int:
    """Outside the range from which servers and clients on port 0 are given theirs."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise OSError("no free port found")


class Shell:
    """A folder for one document, in which its commands run; ``command &`` runs on until the document ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        self.background: list[subprocess.Popen[str]] = []

    def run(self, command: str) -> None:
        if command.endswith("&"):
            begun = subprocess.Popen(
                shlex.split(command[:-1]),
                cwd=self.folder,
                env=self.environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            self.background.append(begun)
            assert begun.stdout is not None
            assert begun.stdout.readline(), f"{command} said nothing"
            return
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, (
            f"{command} ended with {done.returncode}: {done.stderr or done.stdout}"
        )

    def close(self) -> None:
        for process in self.background:
            with process:
                process.terminate()


class ConsoleBlocks:
    """Runs each ``$ command`` of a console block, and wants it to succeed.

    Left out are commands that set up a machine, and those that would ask a provider over the
    network.
    """

    def __call__(self, document: Document) -> list[Region]:
        return [
            Region(match.start(), match.end(), match["body"], self.evaluate)
            for match in CONSOLE.finditer(document.text)
        ]

    def evaluate(self, example: Example) -> None:
        for line in example.parsed.replace("\\\n", " ").splitlines():
            command = line.removeprefix("$ ").strip()
            if line.startswith("$ ") and not LEFT_OUT.search(command):
                example.namespace["shell"].run(command)


class PythonBlock(PythonEvaluator):
    """Runs a block as who copies it alone would: with nothing of the blocks above it."""

    def __call__(self, example: Example) -> None:
        example.namespace = {}
        super().__call__(example)


class DocstringExamples(DocTestParser):
    """Runs the examples of a docstring with its module's names, and with nothing of other docstrings."""

    def __call__(self, document: Document) -> Iterator[Region]:
        names: dict[str, object] = {}
        for region in super().__call__(document):
            region.evaluator = partial(self.evaluate, names)
            yield region

    def evaluate(self, names: dict[str, object], example: Example) -> str | None:
        if not names:
            names.update(example.namespace)  # the module's, which the document put there
        example.namespace = names
        return self.string_parser.evaluator(example)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """One for each document."""
    shell = Shell(tmp_path_factory.mktemp("docs"))
    yield shell
    shell.close()


pytest_collect_file = SybilCollection(
    [
        Sybil(
            [CodeBlockParser("python", PythonBlock()), ConsoleBlocks()],
            patterns=["README.md", "docs/*.md"],
            fixtures=["shell"],
            document_types={".md": Page},
        ),
        Sybil(
            [DocstringExamples()],
            patterns=["src/*/*.py", "src/*/*/*.py"],
            document_types={".py": PythonDocStringDocument},
        ),
    ]
).pytest()


def pytest_make_parametrize_id(val: object) -> str | None:
    """A name that is the same in every process: packed bytes hold the time at which they were packed."""
    return f"gzip-{len(val)}" if isinstance(val, bytes) and val.startswith(b"\x1f\x8b") else None
