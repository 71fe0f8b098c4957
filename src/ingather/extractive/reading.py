"""A text being read for the sake of one value: what the value is about, and where the text speaks of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ingather.extractive.finders import labelled
from ingather.extractive.text import Passage, Sentence, name_words, passage, stem, stems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingather.extractive.schema import JSON, Node

_REACH = 8  # sentences: the best ones, and as many from the text's beginning
_INHERITED = 0.25  # what a property still takes from the question of the object that holds it


class Found(NamedTuple):
    """A value, and how sure it is.

    -1: it may not fit; 0: a guess; 1: from a sentence on the subject; 2: by its form; 3: the text labels it so.
    """

    value: JSON
    sure: float


@dataclass(frozen=True, slots=True)
class Topic:
    """What a value is about. `words`: of its own name, lower case. `query`: stems and their weight.

    >>> Topic.root("Who leads?").of("company_name", {}).words
    ('company', 'name')
    """

    words: tuple[str, ...] = ()
    description: str = ""
    query: dict[str, float] = field(default_factory=dict)

    @classmethod
    def root(cls, question: str) -> Topic:
        return cls(query=dict.fromkeys(stems(question), 1.0))

    def of(self, name: str, node: Node) -> Topic:
        """The topic of a property of an object on this topic."""
        described = node.get("description")
        description = described if isinstance(described, str) else ""
        words = tuple(name_words(name))
        query = {word: weight * _INHERITED for word, weight in self.query.items()}
        query.update(dict.fromkeys(stems(description), 1.0))
        query.update(dict.fromkeys(map(stem, words), 2.0))
        return Topic(words, description, query)

    @property
    def own(self) -> set[str]:
        """The stems of its name and description, without what it inherits."""
        return {word for word, weight in self.query.items() if weight >= 1.0}


class Reading:
    """One reading of a text; sentences that were given once are not given again while others are left."""

    def __init__(self, text: str | Passage) -> None:
        self.passage = passage(text) if isinstance(text, str) else text
        self.given = set[str]()

    def sentences(self, topic: Topic) -> list[Sentence]:
        """The sentences on the topic, best first, then those that open the text."""
        best = self.passage.find(topic.query)[:_REACH]
        opening = [index for index in range(min(_REACH, len(self.passage.sentences))) if index not in best]
        return [self.passage.sentences[index] for index in best + opening]

    def throughout(self, topic: Topic) -> Iterator[Sentence]:
        """All sentences: those on the topic, best first, then the others in their order."""
        best = self.passage.find(topic.query)[:_REACH]
        yield from (self.passage.sentences[index] for index in best)
        yield from (sentence for index, sentence in enumerate(self.passage.sentences) if index not in best)

    def label(self, topic: Topic) -> str | None:
        """The value that the text labels with the topic's name (*Occupation: nurse*); None where it does not."""
        wanted = {stem(word) for word in topic.words}
        for label, value in labelled(self.passage.text) if wanted else ():
            said = {stem(word) for word in name_words(label)}
            if said == wanted or (wanted < said and len(said) == len(wanted) + 1):
                return value
        return None

    def __repr__(self) -> str:
        return f"Reading({self.passage!r}, given={len(self.given)})"
