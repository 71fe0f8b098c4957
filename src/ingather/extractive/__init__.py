"""Answers made of the prompt's own words: no model, no chance, every sentence verbatim (white space made single).

A baseline and a stand-in for tests and demos: it finds sentences, names, numbers and dates by rules; it understands
nothing, and says nothing that the text does not say.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from ingather.extractive.fill import fill
from ingather.extractive.prompt import Source, embedded_schema, source
from ingather.extractive.reading import Reading, Topic
from ingather.extractive.schema import JSON, SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["JSON", "SchemaError", "Source", "answer", "fill", "json_answer", "source"]

_SUMMARY = re.compile(r"(?i)\b(?:summar|overview|key points|list|describe|main)")
_WANTS_JSON = re.compile(r"(?i)\bjson\b")
_IN_SUMMARY = 3  # sentences


def answer(turns: Iterable[tuple[str, str]]) -> str:
    r"""The sentence of the user's text that fits the question best; three, in their order, for a summary.

    `turns`: (role, text) of each message. Where the prompt itself holds a JSON schema and speaks of JSON, the answer is
    JSON that satisfies it. Raises SchemaError for such a schema that nothing can satisfy.

    >>> answer([("user", "We sell boats. Our office is in Oslo.\n\nWhere is the office?")])
    'Our office is in Oslo.'
    """
    turns = list(turns)
    if any("{" in text and _WANTS_JSON.search(text) for _, text in turns):
        schema, rest = _schema_within(turns)
        if schema is not None:
            return json_answer(rest, schema)
    return _best_sentences(source(turns))


def json_answer(turns: Iterable[tuple[str, str]], schema: Mapping[str, object] | None = None) -> str:
    """JSON that satisfies `schema`, filled from the user's text; without one, an object with the best sentence.

    >>> json_answer([("user", "Ann is 30 years old")], {"properties": {"age": {"type": "integer"}}})
    '{"age": 30}'
    """
    turns = list(turns)
    if schema is None:
        schema, turns = _schema_within(turns)
    asked = source(turns)
    filled = {"answer": _best_sentences(asked)} if schema is None else fill(schema, asked.text, asked.question)
    return json.dumps(filled, ensure_ascii=False)


def _best_sentences(asked: Source) -> str:
    reading = Reading(asked.text)
    sentences = reading.sentences(Topic.root(asked.question))
    if not sentences:
        return asked.text
    if not _SUMMARY.search(asked.question):
        return sentences[0].text
    best = sentences[:_IN_SUMMARY]
    return " ".join(sentence.text for sentence in reading.passage.sentences if sentence in best)


def _schema_within(turns: list[tuple[str, str]]) -> tuple[dict[str, object] | None, list[tuple[str, str]]]:
    for index, (role, text) in enumerate(turns):
        schema, rest = embedded_schema(text)
        if schema is not None:
            return schema, [*turns[:index], (role, rest), *turns[index + 1 :]]
    return None, turns
