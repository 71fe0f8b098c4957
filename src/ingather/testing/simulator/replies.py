"""What a simulated model says: words of the prompt, within the output limit."""

from __future__ import annotations

from ingather.extractive import NothingFits, SchemaError, answer, json_answer
from ingather.testing.simulator.forms import (
    BYTES_PER_TOKEN,
    Answer,
    Ask,
    Finish,
    Problem,
    Unanswerable,
    tokens_of,
)


def compose(ask: Ask, model: str) -> Answer:
    """The answer of `model`, ``"extractive"`` or ``"echo"``, to a request: always the same to the same request.

    A schema that the text cannot satisfy is refused by ``"extractive"``, and satisfied all the same
    by ``"echo"``, with guesses. Raises Unanswerable for one that nothing can satisfy.
    """
    try:
        if ask.schema is not None or ask.as_json:
            text = json_answer(ask.turns, ask.schema, forced=model == "echo")
        elif model == "echo":
            text = next((text for role, text in reversed(ask.turns) if role == "user"), "")
        else:
            text = answer(ask.turns)
    except NothingFits as error:
        return Answer(str(error), "refused", ask.prompt_tokens, tokens_of(str(error)))
    except SchemaError as error:
        raise Unanswerable(Problem("bad_request", f"Invalid schema: {error}")) from None
    return limited(ask, text)


def limited(ask: Ask, text: str, finish: Finish | None = None) -> Answer:
    """`text` as an answer: cut before the first stop sequence and at the output limit; `finish` says otherwise why."""
    end, stop = min(
        ((at, stop) for stop in ask.stop if stop and (at := text.find(stop)) >= 0),
        default=(None, None),
    )
    text = text[:end]
    cut = cut_at(text, ask.max_output) if ask.max_output is not None else text
    finish = finish or (
        "length" if len(cut) < len(text) else "tool" if ask.tool is not None else "stop"
    )
    stopped_by = stop if finish == "stop" else None
    return Answer(cut, finish, ask.prompt_tokens, tokens_of(cut) * ask.choices, stopped_by)


def cut_at(text: str, tokens: int) -> str:
    """The first `tokens` of `text`, never half a character.

    >>> cut_at("12345678", tokens=1)
    '1234'
    """
    encoded = text.encode()
    return (
        text
        if len(encoded) <= tokens * BYTES_PER_TOKEN
        else encoded[: tokens * BYTES_PER_TOKEN].decode(errors="ignore")
    )
