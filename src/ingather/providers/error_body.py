"""Reads the body of a failed request, whichever server wrote it: words that name the failure, and a sentence on it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ingather import exact_json
from ingather.providers.lenient_json import decoded

_NO_ERROR = ("0", 200, "200", "ok", "OK", "success")
_LONGEST_JSON = 262_144  # characters: an error that says more is none of a provider's
_LONGEST_QUOTATION = 200  # characters
_TITLE = re.compile(r"<title[^>]*>([^<]{1,300})", re.IGNORECASE)
_MARKUP = re.compile(r"<[^<>]{0,500}>")
_STATUS = re.compile(r"[45]\d\d", re.ASCII)
_PER_DAY = re.compile(r'"quotaId"\s*:\s*"[^"]{0,200}PerDay')
_NO_QUOTA = re.compile(
    r"quota exceeded for metric: [^\s,]{1,200}, limit: 0(?![\d.])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What a body says.

    `words`: the provider's names for the failure, in lower case, the most telling first. `code`:
    the first of them, as written. `status`: an HTTP status that it names. `daily`: it is the quota
    of a whole day that is used up. `barred`: there is no quota at all.
    """

    message: str = ""
    words: tuple[str, ...] = ()
    code: str | None = None
    status: int | None = None
    request_id: str | None = None
    daily: bool = False
    barred: bool = False

    @classmethod
    def read(cls, text: str) -> Problem:
        """Of a JSON error object in any provider's form, an HTML page, or plain text."""
        try:
            data = decoded(text) if len(text) <= _LONGEST_JSON else None
        except ValueError:
            data = None
        if isinstance(data, list) and data:  # Gemini's, where one asked for a stream
            data = data[0]
        if not isinstance(data, Mapping):
            title = _TITLE.search(text[:_LONGEST_JSON])
            return cls(_one_line(title[1] if title else _MARKUP.sub(" ", text[:2000])))
        inner = data.get("error")
        inner = inner if isinstance(inner, Mapping) else data
        names = [
            name
            for name in _names(data, inner)
            if isinstance(name, str) and name and not name.isdigit()
        ]
        number = str(inner.get("code"))
        return cls(
            _one_line(_message(data, inner)),
            tuple(name.lower() for name in names),
            names[0] if names else None,
            int(number) if _STATUS.fullmatch(number) else None,
            data["request_id"] if isinstance(data.get("request_id"), str) else None,
            _PER_DAY.search(text) is not None,
            _NO_QUOTA.search(text) is not None,
        )


def error_in(answer: Mapping[str, object]) -> Mapping[str, object] | None:
    """The error object in what may be an answer, or a part of one; None where there is none, or it says nothing.

    >>> error_in({"error": {"code": 502}}), error_in({"error": {"code": 0, "message": ""}}), error_in({"error": "hm"})
    ({'code': 502}, None, {'message': 'hm'})
    """
    told = answer.get("error")
    if isinstance(told, Mapping):  # some servers put one into every answer, and nothing into it
        return told if any(value and value not in _NO_ERROR for value in told.values()) else None
    if not told and isinstance(several := answer.get("errors"), list):
        told = next((each for each in several if each), None)
        if isinstance(told, Mapping):
            return told
    return {"message": told if isinstance(told, str) else ""} if told else None


def quotation(text: str) -> str:
    """What a body says that should have been an answer, to go on a message with; empty where nothing can be quoted.

    >>> quotation("<html><title>502 Bad Gateway</title></html>"), quotation('{"detail": "out of memory"}')
    ('; it says: 502 Bad Gateway', '; it says: out of memory')
    """
    said = (Problem.read(text).message or _one_line(text))[:_LONGEST_QUOTATION]
    return f"; it says: {said}" if any(map(str.isalpha, said)) else ""


def _names(data: Mapping[str, object], inner: Mapping[str, object]) -> list[object]:
    names = [inner.get("code"), inner.get("type"), inner.get("status")]
    nested = inner.get("innererror")
    if isinstance(nested, Mapping):  # Azure's content filter
        names.append(nested.get("code"))
    details = inner.get("details")
    if isinstance(details, Mapping):  # Anthropic's name for the cause, beside the broad type
        names.insert(0, details.get("error_code"))
    if isinstance(details, list):  # Google's ErrorInfo
        names += [detail.get("reason") for detail in details if isinstance(detail, Mapping)]
    feedback = data.get("promptFeedback")
    if isinstance(feedback, Mapping) and feedback.get("blockReason"):  # Gemini's, with a 200
        names.insert(0, "content_filter")
    return names


def _message(data: Mapping[str, object], inner: Mapping[str, object]) -> str:
    for said in (
        inner.get("message"),
        data.get("error"),
        inner.get("detail"),
        data.get("message"),
        data.get("errors"),
    ):
        if isinstance(said, str):
            return said
        if said and said is not inner:
            return exact_json.dumps(said).decode()
    return ""


def _one_line(text: str) -> str:
    """What may stand in a message and a log: no line breaks, no control characters, no novel."""
    line = " ".join(text.split())
    return "".join(sign for sign in line if sign.isprintable())[:400]
