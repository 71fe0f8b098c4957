"""docs/reference.md is what the docstrings say."""

import doctest
import re

import pytest

import ingather
import ingather.testing
from docs import make_reference


def test_the_page_is_what_the_script_makes():
    committed = make_reference.PAGE.read_text(encoding="utf-8")
    assert committed == make_reference.page(), "run it again: python docs/make_reference.py"


EXAMPLES = re.findall(r"^```text\n(>>> .*?)^```$", make_reference.page(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", [*ingather.__all__, *ingather.testing.__all__])
def test_each_public_name_has_a_heading(name):
    assert f"\n### {name}\n" in make_reference.page()


def test_its_examples_are_text_as_they_run_in_the_docstrings():
    fences = re.findall(r"^```(\w*)$", make_reference.page(), re.MULTILINE)
    assert set(fences) == {"text", ""}
    assert fences[::2] == ["text"] * (len(fences) // 2)


@pytest.mark.parametrize(
    "example", EXAMPLES, ids=lambda example: example.splitlines()[-2].removeprefix(">>> ")
)
def test_an_example_runs_by_itself(example):
    runner = doctest.DocTestRunner(verbose=False)
    said: list[str] = []
    runner.run(
        doctest.DocTestParser().get_doctest(example, {}, "it", "reference.md", 0), out=said.append
    )
    assert runner.summarize(verbose=False).failed == 0, "".join(said)
