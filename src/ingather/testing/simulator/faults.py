"""What goes wrong, by name: drawn by chance, or scripted call by call. The names are those of the command line.

==================
==================================================================================================
``ok``              nothing: a usual answer ``500`` … ``599``   that status, after the usual
latency; ``400`` … ``499`` at once ``429``             rate limited; ``429:2.5`` asks for a wait of
2.5 s ``acceleration``    429 because usage grew too fast; seconds as for ``429`` ``quota``
no credit left: 429, or what else the provider says then ``too_big``         429 for more tokens
than a minute has ``context_length``  400 for a prompt longer than the context ``filtered``
400 from the content filter ``drop``            the connection closes before a byte of the answer;
``reset``: it breaks ``truncate``        the connection closes in the middle of the body ``slow``
the body comes in pieces, `trickle` seconds apart; ``slow:0.1``: 0.1 s ``hang``            no answer
ever; ``hang:5``: none for 5 s, then the usual one ``malformed``       200 with broken JSON;
``html``: with a web page; ``empty``: with nothing; ``null``: with ``null`` ``length``          a
200 that is cut at the output limit; ``content_filter``: by the filter; ``refusal``: a refusal
==================
==================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ingather.errors import SetupError

BY_CHANCE = ("500", "503", "drop", "truncate", "slow", "malformed", "html")
DRAWN = (
    "drop",
    "reset",
    "truncate",
    "slow",
    "hang",
    "malformed",
    "html",
    "empty",
    "null",
    "length",
    "content_filter",
    "refusal",
)
KINDS = frozenset({"ok", "acceleration", "quota", "too_big", "context_length", "filtered", *DRAWN})
_WITH_SECONDS = frozenset({"429", "acceleration", "slow", "hang"})


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong, by its name above; `seconds` for those that take a time."""

    kind: str
    seconds: float | None = None

    def __str__(self) -> str:
        return self.kind


@dataclass(frozen=True, slots=True)
class Say:
    """An answer with this content, well formed otherwise. `delay`: seconds, in place of the latency that was set."""

    content: str
    finish_reason: str = "stop"
    delay: float | None = None

    def __str__(self) -> str:
        return "said"


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer as it is: for what a provider sends that has no name here.

    >>> from ingather.testing import Reply
    >>> Reply(529, '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}').status
    529
    """

    status: int = 200
    body: str | bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float | None = None

    def __str__(self) -> str:
        return "reply"


Step = Fault | Say | Reply
Schema = Mapping[str, object]
Decide = Callable[[str, Schema | None], str | Step | None]
Steps = Sequence[str | Step] | Mapping[str, Sequence[str | Step]] | Decide | None
"""What `Script` takes."""


def step(text: str | Step) -> Step:
    """The step that a text such as ``"slow:0.1"`` names; SetupError where there is none of that name."""
    if not isinstance(text, str):
        return text
    kind, colon, seconds = text.strip().partition(":")
    if kind not in KINDS and not (kind.isdecimal() and 400 <= int(kind) <= 599):
        raise SetupError(
            f"no fault is called {text!r}; there are HTTP statuses from 400 to 599, "
            f"{', '.join(sorted(KINDS))}"
        )
    if not colon:
        return Fault(kind)
    try:
        wait = float(seconds)
    except ValueError:
        wait = -1.0
    if kind not in _WITH_SECONDS or not 0 <= wait < 1e9:
        raise SetupError(
            f"{text!r}: seconds stand behind {', '.join(sorted(_WITH_SECONDS))} only, "
            f"as in 'slow:0.1'"
        )
    return Fault(kind, wait)


class Script:
    """What to do with the first calls, for tests; when it is at its end, all is as usual.

    A list has a step for each call as they arrive; a mapping has such a list for the calls whose
    prompt holds its key. A function is asked for each call's step, by its prompt and the JSON
    schema that came with it (None: none), and never ends: what it decides by the request alone
    befalls the same request each time.

    >>> script = Script({"row 1": ["500", "ok"]})
    >>> [str(script.next("prompt of row 1")) for _ in range(3)]
    ['500', 'ok', 'None']
    >>> str(Script(lambda prompt, schema: "400" if "row 7" in prompt else None).next("row 7"))
    '400'
    """

    def __init__(self, steps: Steps = None) -> None:
        self._decide = steps if callable(steps) else None
        by_text = (
            steps if isinstance(steps, Mapping) else {"": () if callable(steps) else steps or ()}
        )
        for text, of_text in by_text.items():
            if isinstance(of_text, str):
                raise SetupError(
                    f"script: the steps for {text!r} are a list, such as "
                    f"[{of_text!r}], not a string"
                )
        self._left = {
            text: [step(one) for one in reversed(of_text)]
            for text, of_text in by_text.items()
            if of_text
        }

    def next(self, prompt: str, schema: Schema | None = None) -> Step | None:
        """The step for a call with this prompt and schema, None where none is left for it."""
        if self._decide is not None:
            decided = self._decide(prompt, schema)
            return None if decided is None else step(decided)
        for text, steps in self._left.items():
            if steps and text in prompt:
                return steps.pop()
        return None

    def __bool__(self) -> bool:
        return self._decide is not None or any(self._left.values())

    def __repr__(self) -> str:
        left = (
            "asks a function"
            if self._decide is not None
            else f"{sum(map(len, self._left.values()))} steps left"
        )
        return f"Script({left})"
