"""Several choices in one answer, for whom takes it whole: how they are asked for, what they amount to. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingather.errors import SetupError, Truncated
from ingather.providers.dialect import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingather.providers.dialect import Answer, Dialect

NAMES = ("n", "best_of", "candidate_count", "candidateCount")
"""What several choices are asked for by, in all dialects."""


class Choices(int):
    """The value of ``n`` where all choices of an answer come back: in batch lines, whose answer is a whole body.

    Anywhere else ``n`` above 1 is refused, since a task has one answer.
    """

    __slots__ = ()


def choices_in(fields: Mapping[str, object]) -> int:
    """How many choices an answer to these fields has.

    >>> choices_in({"n": Choices(3)}), choices_in({})
    (3, 1)
    """
    asked = fields.get("n")
    return int(asked) if isinstance(asked, Choices) else 1


def refuse_several(params: Mapping[str, object], whom: str) -> None:
    """Raise SetupError where more than one choice is asked of `whom`, which makes one.

    >>> refuse_several({"n": 1}, "Ollama")
    """
    for name in NAMES:
        if params.get(name) not in (1, None):
            raise SetupError(
                f"{name} is {params[name]!r:.20}, and {whom} gives one answer to a request: leave "
                f"{name} out, and "
                "repeat the task, with LLMTask(sample=…) or as a line with another id"
            )


def read_all(dialect: Dialect, data: Mapping[str, object], choices: int) -> Answer:
    """The answer in a body, as the worst of its `choices` has it: where one is bad, the answer is not right.

    Raises `Malformed` where there are fewer or more than were asked for.
    """
    found = data.get(dialect.answer_field)
    if choices == 1 or not isinstance(found, list):
        return dialect.read(data)
    if len(found) != choices:
        raise Malformed(f"it has {len(found)} choices, and {choices} were asked for")
    return max(
        (dialect.read({**data, dialect.answer_field: [each]}) for each in found), key=_badness
    )


def _badness(answer: Answer) -> int:
    if answer.error is None and answer.problem is None:
        return 0
    return 1 if answer.error is Truncated else 2
