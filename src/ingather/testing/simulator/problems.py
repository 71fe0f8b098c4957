"""Faults that the provider itself answers with: as problems, and as answers that are not what was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingather.testing.simulator.buckets import Shortage
from ingather.testing.simulator.forms import Answer, Ask, Problem, tokens_of
from ingather.testing.simulator.replies import cut_at

if TYPE_CHECKING:
    from ingather.testing.simulator.faults import Fault
    from ingather.testing.simulator.settings import Settings

_REFUSAL = "I can't help with that."
_WAIT = 1.0  # seconds, where a scripted 429 does not say
_TOO_MANY = 1_000_000  # tokens that a request is said to have asked for


def refusal_at_the_door(fault: Fault, ask: Ask, settings: Settings) -> Problem | None:
    """The problem of a fault that comes before limits and latency: all of 4xx. None for any other."""
    match fault.kind:
        case "429":
            wait = _WAIT if fault.seconds is None else fault.seconds
            limit = settings.rpm or 60.0
            return Problem(
                "rate", short=Shortage("requests", limit, limit, 1, wait), model=ask.model
            )
        case "acceleration":
            short = Shortage(
                "requests",
                settings.rpm or 60.0,
                0,
                1,
                _WAIT if fault.seconds is None else fault.seconds,
            )
            return Problem(
                "acceleration",
                "Usage has grown too fast: slow down, then grow steadily.",
                short=short,
            )
        case "quota":
            return Problem(
                "no_credit", "You exceeded your current quota: check your plan and billing details."
            )
        case "too_big":
            short = Shortage("tokens", settings.tpm or _TOO_MANY / 2, 0, _TOO_MANY, None)
            return Problem("rate", short=short, model=ask.model)
        case "context_length":
            limit = max(1, ask.prompt_tokens // 2)
            message = f"This model's maximum context length is {limit} tokens; your messages have {ask.prompt_tokens}."
            return Problem("too_long", message)
        case "filtered":
            return Problem("filtered", "The prompt was stopped by the content filter.")
        case "401":
            return Problem("auth", "Incorrect API key provided: ***.")
        case "403":
            return Problem("forbidden", f"You may not use {ask.model}.")
        case "404":
            return unknown_model(ask.model)
        case kind if kind.startswith("4"):
            return Problem("status", f"The request failed with status {kind}.", int(kind))
    return None


def unknown_model(model: str) -> Problem:
    return Problem(
        "not_found",
        f"The model `{model}` does not exist or you do not have access to it.",
        model=model,
    )


def spoilt(kind: str, answer: Answer) -> Answer | None:
    """The answer where it ends early: at the output limit, by the filter, in a refusal. None for other kinds."""
    spent = answer.prompt_tokens
    half = cut_at(answer.text, answer.completion_tokens // 2)
    match kind:
        case "length":
            return Answer(half, "length", spent, tokens_of(half))
        case "content_filter":
            return Answer(half, "filtered", spent, tokens_of(half))
        case "refusal":
            return Answer(_REFUSAL, "refused", spent, tokens_of(_REFUSAL))
    return None
