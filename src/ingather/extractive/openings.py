"""What a text opens with, once its formalities are over: for summaries, a baseline that is hard to beat."""

from __future__ import annotations

import re

from ingather.extractive.reading import FITS, Hit, Reading, Topic

_EARLY = 60  # sentences among which the opening is
_SHORTEST = 60  # characters of a sentence that says something
_FORMAL = re.compile(  # what reports say before they say anything
    r"(?i)forward-looking|form 10-k|annual report|this "
    r"(?:report|section|item|discussion|document)|safe harbor"
    r"|should be read|following (?:discussion|table|section|description)|unless (?:otherwise|the "
    r"context)"
    r"|refer(?:s|red)? to"
    r"|fiscal year (?:is|ends|ended|consists)|52- or 53-week|reincorporated|website|web "
    r"site|securities and exchange"
    r"|trademark|principal executive offices|incorporated (?:in|under)|risk factors|consolidated "
    r"financial statements"
)
_DEFINING = re.compile(
    r"(?:We|The\s+Company|The\s+Registrant|[A-Z][\w&.’']*(?:\s+[A-Z(][\w&.,’'()\"“”]*)*)\s+(?:\([^)]*\)\s+)?"
    r"(?:is|are|was|provides?|designs?|develops?|manufactures?|offers?|operates?|sells?|engages?|pioneered|markets?|specializes?)\b"
)
_RESULT = re.compile(
    r"(?i)\b(?:increased|decreased|grew|rose|fell|declined|was|were|totaled|up|down)\b"
)


def opening(topic: Topic, reading: Reading) -> list[Hit]:
    """The sentences early in the text that say most on the topic, or define what it is about; the best first."""
    sentences = reading.passage.sentences
    found = list[tuple[float, Hit]]()
    results = topic_of_results(topic)
    early = 3 * _EARLY if results else _EARLY
    for at, sentence in enumerate(sentences[:early]):
        if (
            sentence.kind != "prose"
            or len(sentence.text) < _SHORTEST
            or _FORMAL.search(sentence.text)
        ):
            continue
        fit = reading.fit(topic, at, by_heading=False)
        defines = _DEFINING.match(sentence.text) is not None and not results
        tells = (
            results
            and any(map(str.isdigit, sentence.text))
            and _RESULT.search(sentence.text) is not None
        )
        worth = fit + 0.5 * defines + 0.5 * tells - at / early
        if fit >= FITS or defines or tells:
            found.append((worth, Hit(at, sentence, max(fit, FITS))))
    return [hit for _, hit in sorted(found, key=lambda one: (-one[0], one[1].at))]


def topic_of_results(topic: Topic) -> bool:
    """Whether a topic is how something went, rather than what it is."""
    return not {"revenu", "perform", "result", "profit", "incom"}.isdisjoint(
        {*topic.name, *topic.said}
    )
