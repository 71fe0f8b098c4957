"""What a text holds, by its form: names, roles, dates, addresses, labelled values, lists."""

from __future__ import annotations

import re
from functools import lru_cache

from ingather.extractive.places import PLACES
from ingather.extractive.words import COMMON

_TOKEN = re.compile(r"[^\W\d_][\w'’&-]*\.?")
_TITLES = frozenset({"mr.", "mrs.", "ms.", "dr.", "prof.", "st."})
_LINKS = frozenset({"of", "de", "van", "von", "da", "di", "la", "le", "and", "&", "the"})
_ROLE = re.compile(
    r"(?i)\b(?:is|was|are|were|became|as|be|being)\s+(?:currently\s+|now\s+)?(?:an?|the|our|its)\s+"
    r"(?P<role>.+?)(?=\s+(?:who|that|which|at|in|for|from|with|by|and|since|on)\b|[.,;:!?()\n]|$)"
)
_PLACE = re.compile(r"\b(?:[Ii]n|[Aa]t|[Nn]ear|[Ff]rom|[Tt]o)\s+(?:the\s+)?(?=[^\W\d_a-z])")
_PLACE_NAME = re.compile(
    r"[^\W\d_a-z][\w'’.-]*(?:\s(?:of\s)?[^\W\d_a-z][\w'’-]*){0,3}(?:,\s[^\W\d_a-z][\w'’-]+(?:\s[^\W\d_a-z][\w'’-]+)?)?"
)
_ADDRESS = re.compile(
    r"(?P<city>[^\W\d_a-z][\w.'’-]+(?:\s[^\W\d_a-z][\w.'’-]+){0,2}),\s+(?P<state>[^\W\d_a-z]\w+(?:\s[^\W\d_a-z]\w+)?),?\s+\d{5}\b"
)
_FIRM = re.compile(
    r"[^\W\d_a-z][\w'’.-]*(?:,?\s+(?:&\s+|and\s+|of\s+)?[^\W\d_a-z][\w'’.-]*){0,5},?\s+(?:L\.?L\.?P\.?|PLLC|LLC|P\.C\.|CPAs?)(?=\W|$)"
)
_AGE = re.compile(r"(?i)\b\d+[\s-]*years?[\s-]*old\b,?\s*")
EMAIL = re.compile(r"\b[\w.+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b")
URL = re.compile(r"\bhttps?://[^\s<>\"'()\[\]{}|\\^`]*[^\s<>\"'()\[\]{}|\\^`.,;:!?]")
PHONE = re.compile(r"(?<![\w.])\+?\(?\d{2,4}\)?[\s.-]\d{2,4}(?:[\s.-]\d{2,5}){1,3}(?![\w-])")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]*\.?"
_DATES = (
    re.compile(r"\b(?P<year>[12]\d{3})-(?P<number>\d{2})-(?P<day>\d{2})\b"),
    re.compile(rf"(?i)\b{_MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>[12]\d{{3}})\b"),
    re.compile(
        rf"(?i)\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH},?\s+(?P<year>[12]\d{{3}})\b"
    ),
    re.compile(r"\b(?P<number>\d{1,2})/(?P<day>\d{1,2})/(?P<year>[12]\d{3})\b"),
)
_CLAUSE = re.compile(  # a part that has a verb, or that only refers, is none of a list
    r"(?i)^(?:not|by|which|that|as|we|if|when|while|who|where|but|it|they|respectively|compared|including|on|in)\b"
    r"|\b(?:is|are|was|were|has|have|had|will|may|could|would|do|does)\b"
)
_OPENS_LIST = re.compile(
    r"(?i)\b(?:are|include|includes|including|such as|basis of|consists? of|comprised "
    r"of|sells?|offers?|makes?"
    r"|provides?)\s"
)
_LONGEST_LINE = 2000  # characters: a longer one is prose
_PAIR = re.compile(
    r"[\W_]*(?P<label>[^\W\d_][\w "
    r"/-]{0,40}?)[\"']?(?:\s*=\s*|\s*:\s+)(?P<value>\S.*)$"
)
_NEXT_PAIR = re.compile(r"[,;|]\s*(?=[\"']?[^\W\d_][\w /-]{0,40}?[\"']?(?:\s*=|\s*:\s))")


@lru_cache(maxsize=4096)
def names(sentence: str) -> tuple[str, ...]:
    """Proper names: runs of capitalised words, the surest first. A lone word that opens the sentence comes last."""
    runs, run, end = list[list[str]](), list[str](), -1
    for found in _TOKEN.finditer(sentence):
        word = found[0]
        full_stop = word.endswith(".") and word.lower() not in _TITLES and len(word) > 2
        word = word[:-1] if full_stop else word
        joined = sentence[end : found.start()] in {" ", "\u00a0"}
        proper = word[0].isupper() and word.lower() not in COMMON
        if run and not (joined and (proper or word.lower() in _LINKS)):
            runs.append(run)
            run = []
        if proper or run:
            run.append(word)
        end = found.end()
        if full_stop:
            runs.append(run)
            run = []
    return _surest(sentence, [_trimmed(run) for run in [*runs, run]])


def _trimmed(run: list[str]) -> str:
    while run and run[-1].lower() in _LINKS:
        run.pop()
    return " ".join(run).removesuffix("'s").removesuffix("’s")


def _surest(sentence: str, found: list[str]) -> tuple[str, ...]:
    def doubt(name: str) -> int:
        return 0 if " " in name else 2 if sentence.lstrip("\"'“(").startswith(name) else 1

    return tuple(sorted(dict.fromkeys(filter(None, found)), key=doubt))


def firms(sentence: str) -> list[str]:
    """Firms by the form of their names, such as *Deloitte & Touche LLP*."""
    return [re.sub(r"^(?:Report of|To)\s+", "", found[0]) for found in _FIRM.finditer(sentence)]


def roles(sentence: str) -> list[str]:
    """What somebody or something is said to be: *software engineer* of *is a 30-year-old software engineer*."""
    found = (_AGE.sub("", role["role"]).strip() for role in _ROLE.finditer(sentence))
    return [role for role in found if role and len(role) <= 80]


def places(sentence: str) -> list[str]:
    """Where something is: the names behind *in*, *at*, *from*, with the state or country that follows a city."""
    found = [f"{address['city']}, {address['state']}" for address in _ADDRESS.finditer(sentence)]
    named = (_PLACE_NAME.match(sentence, opened.end()) for opened in _PLACE.finditer(sentence))
    found += [name[0].rstrip(".,") for name in named if name]
    return found


def is_seat(sentence: str, place: str) -> bool:
    """Whether a place is a city with its state or country, or is said to be where something has its seat."""
    seat = rf"(?i)\b(?:headquarter\w*|located|based|offices?)\W+(?:\w+\W+){{0,3}}in\s+{re.escape(place)}"
    return (
        ", " in place
        or any(known in place for known in PLACES)
        or re.search(seat, sentence) is not None
    )


def dates(sentence: str) -> list[tuple[str, str]]:
    """Dates as (as written, ISO 8601), in the order of the text."""
    found = list[tuple[int, str, str]]()
    for form in _DATES:
        for date in form.finditer(sentence):
            parts = date.groupdict()
            month = (
                int(parts["number"])
                if "number" in parts
                else _MONTHS.index(parts["month"].lower()) + 1
            )
            day = int(parts["day"])
            if 1 <= month <= 12 and 1 <= day <= (
                28 if month == 2 else 30 if month in {4, 6, 9, 11} else 31
            ):
                found.append((date.start(), date[0], f"{parts['year']}-{month:02}-{day:02}"))
    return [(written, iso) for _, written, iso in sorted(found)]


@lru_cache(maxsize=64)
def labelled(text: str) -> tuple[tuple[str, str], ...]:
    """*Label: value* pairs of a text, such as a form or a list of fields."""
    lines = (
        line
        for line in text.splitlines()
        if (":" in line or "=" in line) and len(line) <= _LONGEST_LINE
    )
    pairs = (_PAIR.match(part) for line in lines for part in _NEXT_PAIR.split(line))
    return tuple((pair["label"], pair["value"].strip(" \t\"',;}")) for pair in pairs if pair)


def listed(sentence: str) -> list[str]:
    """The members of a list within a sentence (*A; B; and C*, *sells A, B and C*); empty where there is none."""
    _, colon, tail = sentence.strip().rstrip(".").rpartition(":")
    mark = ";" if ";" in tail else ","
    if not colon:  # then the members stand behind a verb
        verb = _OPENS_LIST.search(tail)
        tail = tail[verb.end() :] if verb else ""
    parts = tail.split(mark)
    if mark == ",":
        last = parts[-1].strip()
        # then what follows is one member, *and* within it or not
        opened = re.match(r"(?i)(?:and|or)\s+", last)
        parts[-1:] = (
            [last[opened.end() :]]
            if opened
            else re.split(r"(?i)\s+(?:and|or)\s+", last, maxsplit=1)
        )
    parts = [
        part
        for part in (re.sub(r"(?i)^\s*(?:and|or)\s+", "", part).strip() for part in parts)
        if part
    ]
    enough = len(parts) >= (2 if colon or mark == ";" else 3)
    clauses = mark == "," and any(_CLAUSE.search(part) for part in parts)
    return parts if enough and max(map(len, parts)) <= 80 and not clauses else []
