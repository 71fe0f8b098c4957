"""Our own objects in one short line, however long what they hold."""

from typing import Any

import pytest

from ingather import DeterministicTask, ExtractTask, LLMMessage, LLMResponse, LLMTask, TaskResult
from ingather.brief import brief, cut
from ingather.extract_task import Prompt
from ingather.limits.tokens import Tokens
from ingather.providers.base import QuotaKey, Request
from ingather.providers.echo import EchoCall

LONG = "a line of a prompt\n" * 5_000
MANY: dict[str, Any] = {f"parameter_{number}": LONG for number in range(50)}


class Broken:
    def __repr__(self):
        raise RuntimeError


LONG_ONES = [
    LLMTask(LONG),
    LLMTask(LONG, system=LONG, tag=LONG, **MANY),
    LLMTask([LLMMessage("user", LONG)] * 50, MANY),
    LLMTask([{"role": "user", "content": [{"type": "text", "text": LONG}]}]),
    LLMMessage("user", LONG, tool_calls=[MANY], metadata=MANY),
    LLMResponse(LONG, model=LONG, tool_calls=[MANY], metadata=MANY),
    TaskResult(LONG, True, LLMResponse(LONG)),
    TaskResult(LONG, True, MANY),
    TaskResult(LONG, False, error=RuntimeError(LONG)),
    TaskResult("broken", True, Broken()),
    DeterministicTask(len, (LONG,), MANY),
    ExtractTask(LONG, dict, LONG, functions=dict.fromkeys(MANY, len), **MANY),
    Prompt(LONG),
    EchoCall([LLMMessage("user", LONG)] * 50, MANY, LLMResponse(LONG)),
    Request(LONG.encode(), b"", QuotaKey("openai", "host", "key", "model"), Tokens(1)),
]


@pytest.mark.parametrize("thing", LONG_ONES, ids=range(len(LONG_ONES)))
def test_it_is_one_line_of_at_most_200_characters_that_names_the_class(thing):
    shown = repr(thing)
    assert len(shown) <= 200
    assert "\n" not in shown
    assert shown.startswith(f"{type(thing).__name__}(")


def test_what_is_short_stands_as_it_is_written():
    assert repr(LLMMessage("user", "Hello")) == "LLMMessage('user', 'Hello')"
    assert (
        repr(LLMTask("Hello", tag="q", temperature=0)) == "LLMTask('Hello', temperature=0, tag='q')"
    )
    assert repr(LLMTask("Hello", response_model=int)) == "LLMTask('Hello', response_model=int)"
    assert repr(LLMTask("Hello", system="Brief.")) == "LLMTask('Hello', system='Brief.')"
    assert repr(LLMResponse("Paris", model="m")) == "LLMResponse('Paris', model='m')"
    assert repr(DeterministicTask(len, ("x",))) == "DeterministicTask(len, args=('x',))"
    assert repr(ExtractTask("Text", dict, seed=1)) == "ExtractTask('Text', dict, seed=1)"


@pytest.mark.parametrize("most", [10, 60, 200])
@pytest.mark.parametrize(
    "value",
    ["x" * 1_000, b"x" * 1_000, ["x"] * 1_000, MANY, 10**4_000, Broken(), None],
    ids=range(7),
)
def test_a_value_is_cut_to_length(value, most):
    assert len(brief(value, most)) <= most


def test_what_fits_is_not_cut():
    assert cut("123", 3) == "123"
    assert brief([1, "two"]) == "[1, 'two']"
