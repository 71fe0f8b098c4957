"""What Item 1A is about, counted: its risk factors by their headings, each in a category by its words.

Plain text has no bold. A heading is a paragraph of its own that is one short sentence, speaks of a
risk, and has a longer text behind it. What opens like a continuation (*In addition, …*) is none.
Filers whose headings run into their text have few such paragraphs: there, the first sentence of a
long one is taken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from tenk.models.risks import RiskCategory, RiskCategoryProfile, RiskCategoryProfileList

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHORTEST, _LONGEST = 20, 450  # characters of a heading
_LONGEST_RUN_IN = 220  # characters of one that runs into its text
_LONGEST_FACTOR = 6000  # characters, on average: fewer headings than that says are not all of them
_LEAD = 600  # characters of its text that are looked at for the category
_HEADING_WEIGHT = 4
_FURNITURE = re.compile(
    r"(?i)\W*(?:page\s+)?\d{0,4}\W*|table of contents|<page>|part i+|item 1a.{0,40}|risk "
    r"factors.{0,15}"
)
_GROUP = re.compile(  # *Risks Related to Our Industry*, *General Risk Factors*
    r"(?i)(?:[a-z]{1,2}[.)]\s+)?(?:risks?\s+(?:factors?\s+)?"
    r"(?:related|relating|associated|specific|pertaining|concerning|that\s+relate|of|in)\b[^.]*"
    r"|(?:general|legal|financial|business|operational|other|strategic|market|industry)\b.{0,40}\brisks?"
    r"(?: factors?)?)$"
)
_BULLET = re.compile(r"[•·▪◦●■*–—-]|\(?[a-z0-9]{1,3}[.)]\s+[a-z]|o\s")
_CONTINUES = re.compile(
    r"(?i)(?:these|this|such|that|those|in\ "
    r"addition|additionally|furthermore|further|moreover|also|however"
    r"|for\ (?:example|instance)|as\ a\ "
    r"(?:result|consequence)|consequently|accordingly|therefore|similarly"
    r"|likewise|conversely|any\ of|although|while|it|they|finally|other\ factors|the\ "
    r"(?:following|foregoing|above)"
    r"|in\ (?:particular|fiscal|the|19|20)\S*|among\ other|some|see|please|if\ any\ of"
    r"|we\ (?:also|have|had|were)|there\ (?:can\ be|is|are))\b"
)
_SPEAKS_OF_RISK = re.compile(
    r"(?i)\b(?:may|might|could|cannot|can|will|would|risks?|depend\w*|subject|fail\w*|advers\w*|harm\w*|unable|inability"
    r"|uncertain\w*|exposed?|exposure|rel(?:y|ies|iance)|difficult\w*|disrupt\w*|loss(?:es)?|lose|limit\w*|compet\w*|not"
    r"|volatil\w*|fluctuat\w*|damage\w*|impair\w*|litigation|liabilit\w*|increase\w*|decline\w*|negative\w*|threat\w*)\b"
)
_VERB = re.compile(
    r"(?i)\b(?:may|might|could|can|cannot|will|would|is|are|was|were|has|have|had|do|does|depends?|rel(?:y|ies)|faces?"
    r"|exposes?|fails?|operates?|requires?|derives?|competes?|receives?|uses?|sells?)\b"
)
_SENTENCE_END = re.compile(r"[.!?]['\"’”]?\s+(?=[A-Z])")
_WORDS: dict[RiskCategory, str] = {  # separated by commas
    "technology_cyber": r"""
        cyber-?\w*, security breach\w*, data breach\w*, hack\w*, information (?:technology|systems?),
        privacy, data security, malware, software, systems? (?:failure|interruption)\w*, technolog\w*,
        artificial intelligence, outages?""",
    "supply_chain": r"""
        suppl(?:y|ier|iers|ies), manufactur\w*, foundr\w*, components?, raw materials?, vendors?,
        inventor\w*, shortages?, third-party manufacturers?, logistics, procure\w*""",
    "legal_regulatory": r"""
        regulat\w*, laws?, legal\w*, legislat\w*, litigation, lawsuits?, compliance, complian\w*, patents?,
        intellectual property, ip, infring\w*, antitrust, government\w*, tax(?:es|ation)?, licens\w*, claims?,
        proprietary rights""",
    "financial": r"""
        debt, indebtedness, liquidity, credit, capital, interest rates?, cash flows?, impairment, goodwill,
        dividends?, stock, shares?, financing, investments?, currenc\w*, exchange rates?, internal
        controls?, pension, operating results, insolven\w*""",
    "geopolitical": r"""
        international, foreign, geopolitic\w*, tariffs?, trade (?:war|restrictions?|policy), export\w*, war,
        terror\w*, china, countries, political, sanctions?""",
    "people": r"""
        personnel, employees?, key (?:people|management|executives?), retain, talent, labor, unions?,
        officers, workforce, recruit\w*""",
    "reputation": r"""
        reputation\w*, brands?, public perception, publicity""",
    "climate": r"""
        climate, environment\w*, weather, natural disasters?, earthquakes?, hurricanes?, catastroph\w*,
        sustainability, emissions?""",
    "market": r"""
        compet\w*, demand, market(?:s|place)?, customers?, econom\w*, pricing, prices?, consumers?,
        industry, cyclical\w*, seasonal\w*, recession, advertis\w*""",
    "operational": r"""
        operational, acquisitions?, integrat\w*, disruptions?, growth, strateg\w*, execut\w*, products?,
        defects?, quality, facilit\w*, develop\w*, relationships?, partners?, pandemic, costs?""",
}
_PATTERNS = {
    category: re.compile(rf"\b(?:{' '.join(words.split()).replace(', ', '|')})\b")
    for category, words in _WORDS.items()
}
_CONSEQUENCE = re.compile(  # what any risk factor may say, whatever it is about
    r"\b(?:results? of operations|financial (?:condition|position|results|performance)|cash flows?"
    r"|(?:our|the) business(?:es)?|(?:stock|market|trading|share) price)\b"
)


class RiskFactor(NamedTuple):
    """One risk factor: its heading, and the text under it."""

    heading: str
    body: str


class _Part(NamedTuple):
    kind: Literal["heading", "group", "body"]
    text: str


def risk_profile(text: str) -> RiskCategoryProfileList | None:
    """The categories of an Item 1A's risk factors, the largest share of the text first.

    None for a text in which no two risk factors with headings are found.
    """
    by_category = dict[RiskCategory, list[RiskFactor]]()
    for factor in risk_factors(text):
        by_category.setdefault(category(factor), []).append(factor)
    sizes = {name: sum(map(_size, factors)) for name, factors in by_category.items()}
    whole = sum(sizes.values())
    if sum(map(len, by_category.values())) < 2:
        return None
    profiles = [
        RiskCategoryProfile(
            category=name,
            count=len(factors),
            share_of_text_pct=round(100 * sizes[name] / whole, 1),
            headline=max(factors, key=_size).heading,
        )
        for name, factors in by_category.items()
    ]
    return RiskCategoryProfileList(items=sorted(profiles, key=lambda each: -each.share_of_text_pct))


def risk_factors(text: str) -> list[RiskFactor]:
    r"""The risk factors of an Item 1A, as far as their headings are told from the text around them.

    >>> body = "We sell to few customers, and the largest of them buys a third of all boats that we make in a year."
    >>> [factor.heading for factor in risk_factors(f"We may lose our largest customer.\n\n{body}")]
    ['We may lose our largest customer.']
    """
    paragraphs = list(_paragraphs(text))
    factors = _collected(_standing(paragraphs))
    if len(factors) * _LONGEST_FACTOR < len(text):
        factors = max(factors, _collected(_run_in(paragraphs)), key=len)
    return factors


def _standing(paragraphs: list[str]) -> Iterator[_Part]:
    """Headings that stand alone. What comes right after one is its text, whatever it looks like."""
    was_heading = False
    for paragraph, following in zip(paragraphs, [*paragraphs, ""][1:], strict=True):
        group = _GROUP.match(paragraph) is not None
        was_heading = not group and not was_heading and _is_heading(paragraph, following)
        yield _Part("group" if group else "heading" if was_heading else "body", paragraph)


def _run_in(paragraphs: list[str]) -> Iterator[_Part]:
    """Headings that are the first sentence of a long paragraph."""
    for paragraph in paragraphs:
        end = _SENTENCE_END.search(paragraph)
        heading = paragraph[: end.end()].rstrip() if end else ""
        if len(heading) <= _LONGEST_RUN_IN and _is_heading(heading, paragraph[len(heading) :]):
            yield _Part("heading", heading)
            yield _Part("body", paragraph[len(heading) :].strip())
        else:
            yield _Part("group" if _GROUP.match(paragraph) else "body", paragraph)


def _collected(parts: Iterator[_Part]) -> list[RiskFactor]:
    """Each heading with the text up to the next one, or to the title of a group of risks."""
    factors, body = list[RiskFactor](), list[str]()
    heading = ""
    for kind, text in [*parts, _Part("group", "")]:
        if kind == "body":
            body.append(text)
            continue
        if heading and body:
            factors.append(RiskFactor(heading, "\n\n".join(body)))
        heading, body = text if kind == "heading" else "", []
    return factors


def category(factor: RiskFactor) -> RiskCategory:
    """The category whose words the heading and the beginning of the text have most; `other` where they have none."""
    heading, lead = (
        _CONSEQUENCE.sub("", part.lower()) for part in (factor.heading, factor.body[:_LEAD])
    )
    scores = {
        name: _HEADING_WEIGHT * len(set(words.findall(heading))) + len(set(words.findall(lead)))
        for name, words in _PATTERNS.items()
    }
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] >= 2 else "other"


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n[^\S\n]*\n", text):
        joined = " ".join(paragraph.split())
        if joined and not _FURNITURE.fullmatch(joined):
            yield joined


def _is_heading(paragraph: str, following: str) -> bool:
    return (
        _SHORTEST <= len(paragraph) <= _LONGEST
        and (paragraph[0].isupper() or paragraph[0].isdigit())
        and not paragraph.endswith((":", ";", ","))
        and len(_SENTENCE_END.findall(paragraph)) <= 1
        and not _BULLET.match(paragraph)
        and not _CONTINUES.match(paragraph)
        and _SPEAKS_OF_RISK.search(paragraph) is not None
        and _VERB.search(paragraph) is not None
        and (
            len(following) > len(paragraph)
            or following.endswith(":")
            or _BULLET.match(following) is not None
        )
        and not _GROUP.match(following)
    )


def _size(factor: RiskFactor) -> int:
    return len(factor.heading) + len(factor.body)
