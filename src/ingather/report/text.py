"""The closing text of a run: what came of it, what it took, what limited it, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingather import errors as tree
from ingather.stats import counted, seconds
from ingather.stats.bottleneck import in_words

if TYPE_CHECKING:
    from ingather.report.summary import Summary

_ADVICE: dict[type[BaseException], str] = {
    tree.BudgetSpent: "the budget is spent: raise it, and run the rest",
    tree.ConnectFailed: "is the server running, and the base URL right?",
    tree.ConnectionLost: "the network or the server cut calls; run these again",
    tree.AttemptTimeout: "raise the timeout, ask for shorter answers, or send fewer calls at once",
    tree.ServerFault: "the provider's fault; run these again later",
    tree.Overloaded: "the provider is overloaded; run these again later, with fewer calls at once",
    tree.BadBody: "the server's answers are no chat completions; check the base URL, or run these again",
    tree.QuotaExhausted: "no credit, or a spend limit: see the provider's billing page, then run the rest",
    tree.QuotaWait: "the quota is used up for long: run the rest later, or allow a longer wait by Limits(max_wait)",
    tree.AuthFailed: "the key is missing, wrong, or not allowed to use this model",
    tree.ModelNotFound: "no such model or path there: check the model's name and the base URL",
    tree.TooLong: "longer than the model's context: shorten these, or take a model with a longer one",
    tree.TooBig: "one request needs more than a whole minute's tokens: shorten it, or raise the limit if it is yours",
    tree.TlsFailed: "TLS certificate verification failed; verification is never switched off",
    tree.Redirected: "give the base URL that the redirect points to, if you trust it",
    tree.AnswerTooLarge: "ask for a shorter answer (max_tokens)",
    tree.BadRequest: "the provider refuses these requests as they are: read its message",
    tree.Truncated: "raise max_tokens, or ask for shorter answers",
    tree.Refused: "the model declined; ask otherwise, or leave these out",
    tree.Filtered: "the provider's content filter; ask otherwise, or leave these out",
    tree.EmptyAnswer: "nothing was said: ask otherwise, allow more tokens where the model thinks first, or try another",
    tree.InvalidAnswer: "simplify the schema, describe its fields, or take a stronger model",
    tree.MissingFields: "give these fields defaults, or describe them better; what was found is in result.parts",
    tree.DeadlineExceeded: "the time was up; allow more, or run these again",
    tree.SetupError: "mend these lines, and run them again",
}


def summary_text(found: Summary, *, is_command: bool = False) -> str:
    """`found` as lines of text, without a line break at the end. `is_command`: to who uses the command line."""
    if not found.done and not found.attempts:
        return "nothing ran"
    lines = [_outcome(found)]
    for name, group in sorted(found.errors.items(), key=lambda item: -item[1].count):
        lines += _error(name, group.count, group.first, answered=found.succeeded > found.cached)
    if found.attempts:
        lines += _effort(found)
    if found.limited_by:
        said = in_words(
            found.limited_by, found.stats, found.peak, found.slowest, is_command=is_command
        )
        lines.append(f"  limited by  {said}.")
    return "\n".join(lines)


def one_line(text: str, width: int) -> str:
    """`text` without control characters, at most `width` long: a message may hold what a model wrote."""
    clean = "".join(char if char.isprintable() else " " for char in text)
    short = " ".join(clean.split())
    return short if len(short) <= width else short[: width - 1] + "…"


def _outcome(found: Summary) -> str:
    of = f" of {found.total:,}" if found.total is not None else ""
    remembered = f" ({found.cached:,} of them remembered)" if found.cached else ""
    parts = [f"{found.succeeded:,}{of} succeeded{remembered}"]
    if found.failed:
        parts.append(f"{found.failed:,} failed")
    left = (
        found.not_sent + found.cancelled
        if found.total is None
        else found.total - found.succeeded - found.failed
    )
    if left > 0:
        ran = (
            f" ({found.cancelled:,} cancelled while they ran, which may have been billed)"
            if found.cancelled
            else ""
        )
        parts.append(f"{left:,} not done{ran}")
    return f"{', '.join(parts)}, in {seconds(found.wall)}"


def _error(name: str, count: int, first: Exception, *, answered: bool) -> list[str]:
    advice = next((_ADVICE[kind] for kind in type(first).__mro__ if kind in _ADVICE), "")
    if answered and isinstance(first, tree.AuthFailed | tree.QuotaExhausted) and first.alone:
        advice = "other calls with the same key were answered: look at the request itself"
    shown = [f"  {count:,} × {name}: {one_line(str(first), 400)}"]
    return shown + ([f"      {advice}"] if advice else [])


def _effort(found: Summary) -> list[str]:
    lines = []
    if (
        found.serial is not None
        and found.speedup is not None
        and found.speedup > 1.05
        and found.limited_by
    ):
        lines.append(
            f"  speed       about {found.speedup:,.1f} × one after another "
            f"({seconds(found.serial)} of calls in {seconds(found.wall)}; an estimate)"
        )
    lines.append(f"  attempts    {found.attempts:,}{_of_which(found)}")
    if found.median is not None and found.p95 is not None and found.p99 is not None:
        most = f"95 % within {seconds(found.p95)}, 99 % within {seconds(found.p99)}"
        lines.append(f"  latency     half within {seconds(found.median)}, {most}")
    if found.times.total >= 1.0:
        lines.append(f"  time        of all tasks together: {found.times}")
    if found.tokens:
        unknown = f"; {counted(found.unmetered, 'answer')} did not say" if found.unmetered else ""
        lines.append(
            f"  tokens      {found.input_tokens:,} in, {found.output_tokens:,} out{unknown}"
        )
    elif found.unmetered:
        lines.append(
            f"  tokens      not known: {counted(found.unmetered, 'answer')} did not say how many"
        )
    stats = found.stats
    if stats is not None and (stats.known_usd or stats.cap_usd is not None):
        lines.append(f"  cost        {stats.money}")
    elif found.cost_usd is not None:
        lines.append(f"  cost        {found.cost_usd:,.4f} USD")
    if stats is not None:
        lines += [f"  learnt      {name}: {known}" for name, known in stats.learnt.items()]
    return lines


def _of_which(found: Summary) -> str:
    parts = []
    if found.rejected:
        parts.append(
            f"{_were(found.rejected, '429')} ({counted(found.pauses, 'pause')}, "
            f"{seconds(found.paused)} in all)"
        )
    if found.hedges:
        won = "" if found.stats is None else f" ({found.stats.hedges_won:,} of them answered first)"
        parts.append(f"{_were(found.hedges, 'second copy', 'second copies')}{won}")
    if found.stats is not None and found.stats.retries_denied:
        denied = counted(found.stats.retries_denied, "retry was", "retries were")
        parts.append(f"{denied} not made, as too few calls were answered")
    if found.backoffs:
        parts.append(f"{counted(found.backoffs, 'backoff')} ({seconds(found.backoff)})")
    if found.reasked:
        parts.append(counted(found.reasked, "re-ask"))
    return f": {', '.join(parts)}" if parts else ""


def _were(number: int, one: str, many: str | None = None) -> str:
    return f"1 was a {one}" if number == 1 else f"{number:,} were {many or f'{one}s'}"
