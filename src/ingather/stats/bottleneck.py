"""What made a run take as long as it did, and what can be done about it. Arithmetic and words only."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from ingather.stats import counted, seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingather.limits import Limits
    from ingather.limits.snapshot import Learnt
    from ingather.stats import Stats

_MIN_WORK_S = 0.05  # seconds of calls in all: too little to say anything
_MOSTLY, _PARTLY = 0.5, 0.2  # shares of the time
_SAME = 1.02  # a cap of the user's that is nearer than this to the provider's limit is that limit

_WORDS = {
    "slots": "the slots: {peak}. Raise max_concurrency if the provider takes more at once",
    "start": "the start: the number of concurrent calls that the provider takes was still being tuned",
    "backoff": "sleeping after faults of the provider. Send fewer calls at once, or retry once the provider recovers",
    "budget": "the budget: calls waited until what others had reserved was settled. Raise it, or lower max_tokens",
    "input": "the input: there was often nothing to do. Feed tasks faster",
    "consumer": "whoever takes the results: often all was done and nothing taken. Take them faster",
    "store": "the store: calls waited for its file. A faster disk would help",
    "functions": "functions of your own. More at once helps those that wait, not those that compute",
    "stragglers": "a few slow calls: the slowest took {slowest}. Hedge() sends such calls twice, a timeout ends them",
    "latency": "the provider's latency: calls hardly waited here. "
    "Only shorter answers, or a faster model or server, would help",
}
_LEARNT = {
    "requests": "the provider's limit of about {learnt} (learnt). Nothing to do; faster only with a higher limit",
    "tokens": "the provider's limit of about {learnt} (learnt). Shorten prompts, lower max_tokens, or get a higher one",
    "concurrency": "the provider's limit of about {learnt} (learnt). Nothing to do; faster only with a higher limit",
    "pause": "waiting after 429s and outages, until the limit was learnt: about {learnt}. Another run begins with that",
}
_SET = {
    "requests": "your limit of {cap:,.0f} requests a minute. Raise it if the provider allows more",
    "tokens": "your limit of {cap:,.0f} tokens a minute. Shorten prompts, lower max_tokens, or raise it if it may be",
    "concurrency": "your limit of {cap:,.0f} calls in flight. Raise it if the provider allows more",
}
_UNKNOWN = {
    "requests": "the limit of requests a minute. Raising concurrency does not help",
    "tokens": "the limit of tokens a minute. Shorten prompts, or lower max_tokens",
    "concurrency": "how many calls at once the provider takes. Nothing to do: more would only make each slower",
    "pause": "waiting after the provider's 429s and outages. Run the rest later, or with fewer calls at once",
}
_MORE_AT_ONCE = ("slots", "start", "concurrency")
_FULL = "how much the provider answers at once: more calls in flight have only made each slower. Nothing to do"
_OPTIONS = {
    "max_concurrency": "--max-concurrency",
    "Hedge() sends": "--hedge p95 sends",
    "a timeout ends": "--timeout ends",
    "settled. Raise it, or lower max_tokens": "settled. Raise --max-cost or --max-total-tokens, or lower max_tokens",
    "lower max_tokens": "lower --param max_tokens=N",
    "requests a minute. Raise it if": "requests a minute. Raise --rpm if",
    "raise it if it may be": "raise --tpm if the provider allows more",
    "calls in flight. Raise it if": "calls in flight. Raise --max-concurrency if",
    "Feed tasks faster": "What writes TASKS is slower than the provider",
    "Take them faster": "What reads the output is slower than the provider",
}
_CAPS = {
    "requests": ("requests_per_minute",),
    "tokens": ("tokens_per_minute", "input_tokens_per_minute", "output_tokens_per_minute"),
    "concurrency": ("max_concurrency",),
}


class Work(NamedTuple):
    """A run as far as it matters here. Seconds, but for tasks that have been `sent`, and `peak` calls in flight.

    `busy`: of calls and functions, added up, and `functions` of those; `idle`: with nothing in
    flight; `tail`: since the last was sent; `asleep`: after faults; `untaken`: in which nothing was
    begun because results were not taken. `slows`: more calls in flight made each slower.
    """

    busy: float
    wall: float
    idle: float
    peak: float
    sent: int
    median: float | None
    slowest: float
    tail: float = 0.0
    functions: float = 0.0
    asleep: float = 0.0
    untaken: float = 0.0
    slows: bool = False


def what_limited(work: Work, held: Mapping[str, float]) -> str:
    """The name of what the time went by with. `held`: seconds in which at least one task waited, by cause.

    One of those causes where tasks waited most of the time: ``"requests"``, ``"tokens"``,
    ``"concurrency"``, ``"start"``, ``"pause"``, ``"budget"`` or ``"store"``. Else ``"backoff"``,
    ``"consumer"`` or ``"input"`` if often nothing was in flight; ``"stragglers"`` if few calls took
    most of the time; ``"concurrency"`` if more at once made each slower, ``"slots"`` if there was
    always more to do; ``"functions"`` if those took most of it, else ``"latency"``. ``""`` where
    there was hardly a call.
    """
    waited = sum(held.values())
    if work.busy < _MIN_WORK_S and waited < 1.0 and work.asleep < 1.0:
        return ""
    is_few = work.median is not None and work.slowest > 4 * work.median
    if waited and (waited >= _MOSTLY * work.wall or waited > max(work.tail, _PARTLY * work.wall)):
        return max(held, key=lambda name: held[name])
    if work.untaken > _MOSTLY * work.wall:
        return "consumer"
    idle = work.idle - waited
    if idle > 0.3 * work.wall and idle > 1.0:
        return (
            "backoff"
            if work.asleep > idle / 2
            else "consumer"
            if work.untaken > idle / 2
            else "input"
        )
    if is_few and (work.slowest > _MOSTLY * work.wall or work.tail > _MOSTLY * work.wall):
        return "stragglers"
    if work.slows and work.functions <= work.busy / 2 and work.busy >= 0.3 * work.peak * work.wall:
        return "concurrency"
    # as many tasks run as there are slots, so that tasks wait for those before they are even pulled
    if work.sent > work.peak and work.busy >= 0.5 * work.peak * work.wall:
        if work.functions > work.busy / 2:
            return "functions"
        return "start" if held.get("start") else "slots"
    return "functions" if work.functions > work.busy / 2 else "latency"


def in_words(
    limited_by: str,
    stats: Stats | None,
    peak: int | None = None,
    slowest: float | None = None,
    *,
    is_command: bool = False,
) -> str:
    """What limited a run, in words, and what to do. `stats`: of its executor, where known.

    `is_command`: said to who uses the command line, in its options.

    >>> in_words("requests", None)
    'the limit of requests a minute. Raising concurrency does not help'
    """
    said = _said(limited_by, stats, peak, slowest)
    for name, option in _OPTIONS.items() if is_command else ():
        said = said.replace(name, option)
    return said


def _said(limited_by: str, stats: Stats | None, peak: int | None, slowest: float | None) -> str:
    if limited_by in _MORE_AT_ONCE and stats is not None and stats.full:
        return _FULL
    if limited_by in _WORDS:
        took = slowest if slowest is not None or stats is None else stats.slowest
        most = (
            f"{counted(peak, 'call was', 'calls were')} in flight at most"
            if peak
            else "all were in use"
        )
        return _WORDS[limited_by].format(peak=most, slowest=seconds(took or 0.0))
    learnt = (
        {}
        if stats is None
        else {name: _learnt(limited_by, known) for name, known in stats.learnt.items()}
    )
    caps = (
        {}
        if stats is None
        else {name: _cap(limited_by, limits) for name, limits in stats.limits.items()}
    )
    binding = [
        cap for name, cap in caps.items() if cap < _SAME * learnt.get(name, (math.inf, ""))[0]
    ]
    if binding:
        return _SET[limited_by].format(cap=min(binding))
    known = [words for _, words in learnt.values() if words]
    if len(known) == 1 and limited_by in _LEARNT:
        return _LEARNT[limited_by].format(learnt=known[0])
    return _UNKNOWN[limited_by]


def _learnt(limited_by: str, known: Learnt) -> tuple[float, str]:
    """The limit of that kind, a minute or in flight, and how it is said."""
    if limited_by == "concurrency":
        return (
            (math.inf, "")
            if known.cap is None
            else (known.cap, f"{known.cap:,.0f} calls in flight")
        )
    if limited_by == "pause":
        return math.inf, str(known)
    told = known.announced[:1] if limited_by == "requests" else known.announced[1:]
    measured = known.requests if limited_by == "requests" else known.tokens
    rates = [measured or math.inf, *(bucket[0] for bucket in told if bucket is not None)]
    rate = 60 * min(rates)
    return (math.inf, "") if rate == math.inf else (rate, f"{rate:,.0f} {limited_by} a minute")


def _cap(limited_by: str, limits: Limits) -> float:
    return min(
        (cap for name in _CAPS.get(limited_by, ()) if (cap := getattr(limits, name)) is not None),
        default=math.inf,
    )
