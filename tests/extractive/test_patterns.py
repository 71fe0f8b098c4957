import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather.extractive.patterns import example


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[A-Z]{2}-\d{3}$", r"(a|b)+\w*?x", r"[^a-z\d]", r"(?P<n>ab)\1(?:cd)", r"^\+?[1-9]\d{1,14}$",
        r"^#[0-9a-f]{6}$", r"^(?!x)y$", r"(?i:abc)", r"a++b", r"(?>ab)c", r"^\S+@\S+$", r".", r"",
    ],
)  # fmt: skip
def test_an_example_matches(pattern):
    built = example(pattern)
    assert built is not None
    assert re.search(pattern, built)


@pytest.mark.parametrize(
    "pattern", ["(", r"[^\w\W]", r"a{1000000}", r"(a{1000}){1000}", r"(?<=x)y^"]
)
def test_what_cannot_be_built_is_none(pattern):
    assert example(pattern) is None


@given(st.integers(0, 50))
def test_open_repeats_reach_the_length_that_is_asked(least):
    built = example(r"^[a-z]+$", least)
    assert built is not None
    assert len(built) >= least
