"""A provider of one's own on the command line, installed or not."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import answers, write_tasks

MINE = """
from ingather import LLMResponse, Usage

class Mine:
    def __init__(self, model, **options):
        self.model, self.options = model, options

    async def complete(self, messages, config_overrides=None):
        return LLMResponse(f"{self.model} {sorted(self.options)}: {messages[-1].content}")

thing = 42
"""


@pytest.mark.parametrize("place", ["mine_here:Mine", "mine_here.py:Mine", "./mine_here.py:Mine"])
def test_a_factory_that_is_named(ingather, place):
    Path("mine_here.py").write_text(MINE)
    options = ["--provider", place, "--model", "fast", "--timeout", "5"]
    done = ingather("run", write_tasks("t.jsonl", 2), "-o", "a.jsonl", *options)
    assert done.code == 0
    assert {line["value"] for line in answers("a.jsonl")} == {
        f"fast ['timeout']: {json.loads(row)['prompt']}"
        for row in Path("t.jsonl").read_text().splitlines()
    }


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("mine", "--provider is module:factory or FILE.py:factory, not 'mine'"),
        ("no_such_module:f", "no_such_module cannot be imported: ModuleNotFoundError"),
        ("no_such_file.py:f", "no_such_file.py cannot be imported: FileNotFoundError"),
        ("mine_there.py:nothing", "mine_there.py has no function or class 'nothing'"),
        ("mine_there.py:thing", "mine_there.py has no function or class 'thing'"),
        ("broken.py:f", "broken.py cannot be imported: ZeroDivisionError"),
    ],
)
def test_a_mistake_is_said_before_anything_is_sent(ingather, place, said):
    Path("mine_there.py").write_text(MINE)
    Path("broken.py").write_text("1 / 0")
    done = ingather(
        "run", write_tasks("t.jsonl", 1), "-o", "a.jsonl", "--provider", place, "--model", "m"
    )
    assert done.code == 2
    assert said in " ".join(done.err.split())
    assert not Path("a.jsonl").exists()
