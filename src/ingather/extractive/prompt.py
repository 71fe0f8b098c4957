"""A prompt taken apart: the question that it asks, and the text that it asks about."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from ingather.extractive.text import split

if TYPE_CHECKING:
    from collections.abc import Iterable

_ORDER = re.compile(  # what opens a request rather than a statement
    r"""(?ix) [\W_]* (?:
        (?:analy[sz]e|classify|compute|describe|determine|explain|extract|identify|please|provide|reply|respond
          |summari[sz]e|tell|translate|write|you\ are) \b
      | (?:answer|choose|consider|count|find|give|list|name|output|pick|rate|read|return|say|score|select|state)
        \s+ (?:a|all|an|any|as|at|each|every|exactly|from|how|in|it|its|json|me|no|one|only|the|these|this|three|two|up
          |what|which|who|with|your)\b
      | (?:according\ to|based\ on|from|given|in|using) \s+ (?:the|this) \s+ (?:\w+\s+)?
        (?:above|article|below|context|document|excerpt|filing|following|passage|section|text)\b
      | (?:instructions?|q|question|task) \s* :
    )"""
)
_HEAD = re.compile(r"\s*(?P<ask>[^\n:.?!]{2,160}[:?])\s*(?P<rest>\S.*)", re.DOTALL)
_LABEL = re.compile(
    r"(?i)\A\s*(?:text|context|passage|document|article|input|content|source)\s*:\s*"
)
_LONGEST_ASK = 600  # characters: what is longer is text, whatever its first word


# at a line's beginning: elsewhere it is only spoken of
_DOCUMENT = re.compile(r"(?m)^<(document(?:-\d+)?)>")


class Source(NamedTuple):
    """What an answer is made from. `question` may be empty; `text` is so only for an empty prompt."""

    question: str
    text: str


class Document(NamedTuple):
    """A prompt with a document in it: `<document>…</document>`, or with a number behind the word."""

    before: str
    text: str
    after: str

    @classmethod
    def within(cls, prompt: str) -> Document | None:
        """The document that a prompt holds, from its first opening tag to the last closing one of the same name."""
        opened = _DOCUMENT.search(prompt)
        if opened is None:
            return None
        close = f"</{opened[1]}>"
        at_line = prompt.rfind(f"\n{close}")
        end = at_line + 1 if at_line >= 0 else prompt.rfind(close)
        if end < opened.end():
            return None
        return cls(
            prompt[: opened.start()],
            prompt[opened.end() : end].strip("\n"),
            prompt[end + len(close) :],
        )


def source(turns: Iterable[tuple[str, str]]) -> Source:
    """Take a conversation of (role, text) apart; what the assistant said is no text to extract from.

    Where the user's text holds a document, that is the text, and what follows it the question, as
    it was first asked. Else the question is what the system says, and what stands at the head or
    foot of the user's text and reads like one. A prompt that only asks is its own text: nothing
    else can be said of it.

    >>> source([("user", "Extract person info: Ann Lee is a nurse")])
    Source(question='Extract person info:', text='Ann Lee is a nurse')
    """
    turns = list(turns)
    documents = (
        document for role, text in turns if role == "user" and (document := Document.within(text))
    )
    if (document := next(documents, None)) is not None:
        return Source(document.after.strip() or document.before.strip(), document.text)
    questions, texts, said = list[str](), list[str](), list[str]()
    for role, text in turns:
        if role in {"system", "developer"}:
            questions.append(text.strip())
        elif role == "user":
            asks, body = _split(text.strip())
            questions += asks
            texts.append(body)
            said.append(text.strip())
    body = "\n\n".join(text for text in texts if text)
    return Source("\n".join(questions), body or "\n\n".join(said) or "\n".join(questions))


def embedded_schema(text: str) -> tuple[dict[str, object] | None, str]:
    """A JSON schema that stands in the text itself, and the text without it; None and the text where there is none."""
    at = text.find("{") if '"properties"' in text or '"$defs"' in text else -1
    while at >= 0:
        try:
            value, end = json.JSONDecoder().raw_decode(text, at)
        except (ValueError, RecursionError):
            pass
        else:
            if isinstance(value, dict) and ("properties" in value or "$defs" in value):
                return value, text[:at] + text[end:]
        at = text.find("{", at + 1)
    return None, text


def _split(text: str) -> tuple[list[str], str]:
    head = _HEAD.match(text)
    if head and _asks(head["ask"]) and not _LABEL.match(head["ask"]):
        asks, text = [head["ask"]], head["rest"]
    else:
        asks = []
    paragraphs = text.split("\n\n")
    while paragraphs:
        found, paragraphs[0] = _take(paragraphs[0], first=True)
        asks += found
        if paragraphs[0]:
            break
        del paragraphs[0]
    foot = list[str]()
    while paragraphs:
        found, paragraphs[-1] = _take(paragraphs[-1], first=False)
        foot = found + foot
        if paragraphs[-1]:
            break
        del paragraphs[-1]
    return asks + foot, _LABEL.sub("", "\n\n".join(paragraphs)).strip()


def _take(paragraph: str, *, first: bool) -> tuple[list[str], str]:
    """The requests at one end of a paragraph, and the rest of it."""
    if len(paragraph) > 4 * _LONGEST_ASK:
        return [], paragraph
    sentences = list(split(paragraph))
    asks = list[str]()
    while sentences and _asks(sentences[0 if first else -1]):
        asks.insert(len(asks) if first else 0, sentences.pop(0 if first else -1))
    return asks, "\n".join(sentences) if asks else paragraph.strip()


def _asks(sentence: str) -> bool:
    return len(sentence) <= _LONGEST_ASK and (
        sentence.endswith("?") or _ORDER.match(sentence) is not None
    )
