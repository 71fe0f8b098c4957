"""Answers made of the prompt's own words: no model, no chance, every sentence verbatim (white space made single).

A baseline, and a stand-in for tests and demos: it finds sentences, names, numbers and dates by
rules; it understands nothing, and says nothing that the text does not say.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ingather.extractive.fill import NothingFits, fill
from ingather.extractive.prompt import Document, Source, embedded_schema, source
from ingather.extractive.reading import Reading, Topic
from ingather.extractive.schema import JSON, SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "JSON",
    "VERSION",
    "NothingFits",
    "SchemaError",
    "Source",
    "answer",
    "fill",
    "json_answer",
    "source",
]

VERSION = 1
"""Of the answers: one more whenever any answer changes, so that no cache gives an older one. Tests hold the digest of
each version's answers.
"""

_SUMMARY = re.compile(r"(?i)\b(?:summar|overview|key points|list|describe|main)")
_WANTS_JSON = re.compile(r"(?i)\bjson\b")
# says how to answer, and not what is asked
_FORM = re.compile(r"(?im)^answer with json only[^\n]*\n*")
_IN_SUMMARY = 3  # sentences


def answer(turns: Iterable[tuple[str, str]], *, forced: bool = False) -> str:
    r"""The sentence of the user's text that fits the question best; three, in their order, for a summary.

    `turns`: (role, text) of each message. Where the prompt itself holds a JSON schema and speaks of
    JSON, the answer is JSON that satisfies it. Raises SchemaError for such a schema that nothing
    can satisfy, and `NothingFits` for one that the text cannot, unless `forced`.

    >>> answer([("user", "We sell boats. Our office is in Oslo.\n\nWhere is the office?")])
    'Our office is in Oslo.'
    """
    turns = list(turns)
    if any("{" in text and _WANTS_JSON.search(text) for _, text in _outside(turns)):
        schema, rest = _schema_within(turns)
        if schema is not None:
            return json_answer(rest, schema, forced=forced)
    return _best_sentences(source(turns))


def json_answer(
    turns: Iterable[tuple[str, str]],
    schema: Mapping[str, object] | None = None,
    *,
    forced: bool = False,
) -> str:
    """JSON that satisfies `schema`, filled from the user's text; without one, an object with the best sentence.

    Raises as `answer` does.

    >>> json_answer([("user", "Ann is 30 years old")], {"properties": {"age": {"type": "integer"}}})
    '{"age": 30}'
    """
    # beside a schema of its own form it is that one in words
    within, turns = _schema_within(list(turns))
    schema = within if schema is None else schema
    asked = source(turns)
    if schema is None:
        return json.dumps({"answer": _best_sentences(asked)}, ensure_ascii=False)
    return json.dumps(fill(schema, asked.text, asked.question, forced=forced), ensure_ascii=False)


def _best_sentences(asked: Source) -> str:
    reading = Reading(asked.text)
    hits = reading.looked_at(Topic.root(asked.question))
    if not hits:
        return asked.text
    if not _SUMMARY.search(asked.question):
        return hits[0].sentence.text
    best = sorted(hits[:_IN_SUMMARY], key=lambda hit: hit.at)
    return " ".join(hit.sentence.text for hit in best)


def _outside(turns: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same without the document in them: what stands there is data, whatever it looks like."""
    apart = [
        (role, text, Document.within(text) if role == "user" else None) for role, text in turns
    ]
    return [
        (role, text if found is None else f"{found.before}\n{found.after}")
        for role, text, found in apart
    ]


def _schema_within(
    turns: list[tuple[str, str]],
) -> tuple[dict[str, object] | None, list[tuple[str, str]]]:
    """A schema that the prompt itself holds, outside of a document, and the turns without it."""
    for index, (role, text) in enumerate(turns):
        document = Document.within(text) if role == "user" else None
        schema, rest = embedded_schema(text if document is None else document.after)
        if schema is not None:
            rest = _FORM.sub("", rest)
            if document is not None:
                rest = text[: len(text) - len(document.after)] + rest
            return schema, [*turns[:index], (role, rest), *turns[index + 1 :]]
    return None, turns
