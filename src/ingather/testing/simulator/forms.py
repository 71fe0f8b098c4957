"""What a call asks, what it gets, and the trouble it may meet, apart from any provider's wire form.

A `Dialect` translates: OpenAI's is in `simulator.openai`, Anthropic's and Gemini's beside it;
another provider's needs one more module like them, and no change to limits, latency, faults or
answers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ingather.testing.simulator.buckets import Level, Shortage

BYTES_PER_TOKEN = 4
Finish = Literal["stop", "length", "filtered", "refused", "tool"]


def tokens_of(text: str) -> int:
    """Tokens by the simulator's rule: one for every four bytes begun.

    >>> tokens_of("eight by")
    2
    """
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, understood.

    `turns`: (role, text). `schema`: the JSON schema that the answer shall satisfy; `as_json`: any
    JSON object will do. `tool`: the function that must be called with arguments of `schema`.
    `steps`: what the request wants simulated. `counting`: not to be answered, only to be told its
    `prompt_tokens`.
    """

    model: str
    turns: tuple[tuple[str, str], ...]
    prompt_tokens: int
    max_output: int | None = None
    schema: Mapping[str, object] | None = None
    as_json: bool = False
    tool: str | None = None
    choices: int = 1
    stop: tuple[str, ...] = ()
    stream: bool = False
    stream_usage: bool = False
    custom_id: str | None = None
    steps: tuple[str, ...] = ()
    counting: bool = False

    @property
    def prompt(self) -> str:
        """All that was said, for scripts to look in."""
        return "\n".join(text for _, text in self.turns)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to an `Ask`, in each of its choices. `stopped_by`: the stop sequence at which it ends."""

    text: str
    finish: Finish
    prompt_tokens: int
    completion_tokens: int
    stopped_by: str | None = None


ProblemKind = Literal[
    "bad_request",
    "auth",
    "forbidden",
    "not_found",
    "too_long",
    "filtered",
    "rate",
    "concurrency",
    "acceleration",
    "no_credit",
    "status",
]


@dataclass(frozen=True, slots=True)
class Problem:
    """Why there is no answer. `message`: what is wrong. `short`: for "rate" and "acceleration". `status`: for "status".

    `call_id`: what the provider calls the request, for dialects that say it in the body too.
    """

    kind: ProblemKind
    message: str = ""
    status: int = 400
    short: Shortage | None = None
    model: str = ""
    call_id: str = ""


class Unanswerable(Exception):
    """A request that cannot be understood or served, with its problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message or problem.kind)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Wire:
    """An answer as bytes."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


class Dialect(Protocol):
    """One provider's wire form. Pure: no clock, no I/O."""

    def key(self, headers: Mapping[str, str]) -> str | None:
        """The API key of a request, None where it has none."""
        ...

    def takes(self, path: str) -> bool:
        """Whether a POST to this path is a call in this dialect."""
        ...

    def speaks(self, path: str, headers: Mapping[str, str]) -> bool:
        """Whether a request beside calls, for the models or to an unknown path, expects this form."""
        ...

    def ask(self, path: str, body: bytes, headers: Mapping[str, str]) -> Ask:
        """The request, understood; Unanswerable where it cannot be."""
        ...

    def answer(self, ask: Ask, answer: Answer, call_id: str, created: int) -> Wire:
        """The answer in one piece."""
        ...

    def stream(self, ask: Ask, answer: Answer, call_id: str, created: int) -> Iterator[bytes]:
        """The answer as server-sent events, one piece of bytes each."""
        ...

    def problem(self, problem: Problem, *, hints: bool) -> Wire:
        """The error answer; `hints`: whether it says how long to wait."""
        ...

    def headers(self, call_id: str, levels: Mapping[str, Level], now: float) -> dict[str, str]:
        """What stands over each answer: the request's id, the state of the limits. `now`: seconds since 1970."""
        ...

    def models(self, names: tuple[str, ...]) -> Wire:
        """The list of models."""
        ...
