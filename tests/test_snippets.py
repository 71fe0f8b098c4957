"""What stands in the README and the docs can be copied: each block alone, each command in a narrow terminal."""

import ast
import builtins
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingather.testing import Simulator

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "apps/tenk/README.md"]


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    text: str

    def __str__(self):
        return f"{self.page}:{self.line}"


def blocks(language):
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for match in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            yield Block(
                page.relative_to(ROOT).as_posix(), text[: match.start()].count("\n") + 1, match[1]
            )


PYTHON = list(blocks("python"))
each_block = pytest.mark.parametrize("block", PYTHON, ids=str)


def names_from_elsewhere(code):
    """Names that are read and never bound: a fair guess, since a snippet hides nothing."""
    tree = ast.parse(code)
    bound = set(vars(builtins))
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            bound.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            bound.add(node.name)
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - bound


@each_block
def test_a_block_imports_all_that_it_uses(block):
    assert names_from_elsewhere(block.text) == set()


@pytest.mark.slow
@each_block
def test_a_block_runs_by_itself_and_leaves_nothing_behind(block, tmp_path):
    with Simulator() as server:
        # which a command before it began
        code = block.text.replace("http://127.0.0.1:8731/v1", server.base_url)
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "Unclosed" not in done.stderr


EVERY_PAGE = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]
each_page = pytest.mark.parametrize(
    "page", EVERY_PAGE, ids=lambda page: page.relative_to(ROOT).as_posix()
)


def headings(text):
    """What a link within a page may lead to, as GitHub names it."""
    yield from re.findall(r'<a id="([^"]+)"', text)
    for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


@each_page
def test_a_link_leads_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for link in re.findall(r"\]\((?!http)([^)\s]+)\)", text):
        path, _, heading = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not heading or heading in headings(target.read_text(encoding="utf-8")), link


@each_page
def test_a_file_that_is_named_is_there(page):
    text = page.read_text(encoding="utf-8")
    named = re.findall(
        r"`(?:pytest |python |-m slow "
        r")*((?:tests|src|examples|benchmarks|docs|apps)/[\w/.-]+)[^`]*`",
        text,
    )
    assert [name for name in named if not (ROOT / name).exists()] == []


each_command = pytest.mark.parametrize("block", [*blocks("console"), *blocks("sh")], ids=str)


@each_command
def test_a_command_fits_a_narrow_terminal(block):
    assert [line for line in block.text.splitlines() if len(line) > 80] == []


@each_command
def test_no_comment_stands_behind_a_command(block):
    """A zsh in which one types takes it for arguments."""
    assert [line for line in block.text.splitlines() if re.search(r"(^|\s)#\s", line)] == []
