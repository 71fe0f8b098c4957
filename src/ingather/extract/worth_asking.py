"""What is worth asking again in an extraction, and what would only fail once more. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ingather.errors import (
    BadRequest,
    EmptyAnswer,
    Filtered,
    PoolFailure,
    Refused,
    Rejected,
    SetupError,
    Stopped,
    TooBig,
    TooLong,
    TransientError,
    Truncated,
)

if TYPE_CHECKING:
    from ingather.result import TaskResult
    from ingather.schema.ceiling import Ceiling

FINAL = (PoolFailure, Stopped, SetupError)  # after these no other call can succeed either
_TOO_LARGE = (TooLong, TooBig)  # a prompt for more fields would be so all the more
_OUTPUT = re.compile(
    r"max_?(?:completion_|output_|new_)?_?tokens|completion|output|num_predict|n_predict",
    re.IGNORECASE,
)
_WINDOW = re.compile(r"context (?:length|window|size)\D{0,30}?([\d,]*\d)", re.IGNORECASE)
_PROMPT = re.compile(
    r"([\d,]*\d)(?: tokens)? (?:in|from) (?:the |your )?(?:messages|inputs?|prompts?)\b"
    r"|([\d,]*\d) (?:input|prompt) tokens",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Discovered:
    """What the extractions of an executor have found out about its provider.

    `too_long`: characters of the shortest text that was longer than its context. `refuses_caps`: it
    refused a limit on the output that nobody but we had set.
    """

    too_long: float = math.inf
    refuses_caps: bool = False


class Conditions(NamedTuple):
    """Under which circumstances an extraction asks.

    `ceiling`: of schemas. `is_open`: nobody limits the output, and the server is one that may be
    told a limit. `is_fixed`: at temperature 0, where the same question has the same answer.
    """

    ceiling: Ceiling
    is_open: bool
    is_fixed: bool
    discovered: Discovered

    @property
    def caps(self) -> bool:
        """Whether a limit on the output is set for who asks."""
        return self.is_open and not self.discovered.refuses_caps

    def is_hopeless(self, error: Exception | None) -> bool:
        """Whether another prompt about the same text, for as much or more, fails in the same way."""
        return isinstance(error, (*_TOO_LARGE, Truncated)) or self.repeats(error)

    def repeats(self, error: Exception | None) -> bool:
        """Whether the same request has the same failure."""
        return self.is_fixed and isinstance(error, Truncated | Refused | Filtered)


def may_succeed(result: TaskResult) -> bool:
    """Whether a request that failed so may succeed if it is sent again as it is."""
    if isinstance(result.error, Rejected | PoolFailure):
        return False
    tried_twice = result.attempts - result.rejected > 1
    # by the retry policy
    in_vain = tried_twice and isinstance(result.error, TransientError | EmptyAnswer)
    return not in_vain


def refuses_cap(error: Exception | None) -> bool:
    """Whether a server refuses a request for the limit on its output, which does not fit into its context.

    Not where it says that the prompt alone does not.

    >>> refuses_cap(BadRequest("max_tokens is too large")), refuses_cap(TooLong("5,000 tokens, context 4,096"))
    (True, False)
    """
    if not isinstance(error, BadRequest | TooLong):
        return False
    said = f"{error} {error.body}"
    return _OUTPUT.search(said) is not None and not _is_prompt_too_long(said)


def _is_prompt_too_long(said: str) -> bool:
    window, prompt = _WINDOW.search(said), _PROMPT.search(said)
    return (
        window is not None
        and prompt is not None
        and _number(prompt[1] or prompt[2]) >= _number(window[1])
    )


def _number(text: str) -> int:
    return int(text.replace(",", ""))
