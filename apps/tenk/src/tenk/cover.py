"""What a document says on its first page that it is."""

from __future__ import annotations

import re

from tenk.errors import NotAFiling

_COVER = 12_000  # characters
_FORM = re.compile(
    r"""(?ix)\b(?:form(?:\s+type)?|submission\s+type|report\s+on)\s{0,3}:?\s{0,20}
    (10\s?[-–—‑]?\s?[kq](?:\s?-?(?:sb|405|t)\b)?(?:\s?/\s?a)?|(?:6|8|11)\s?[-–—‑]?\s?[ka]\b|12b\s?-?\s?25|
    (?:20|40)\s?[-–—‑]?\s?f\b|[sf]\s?[-–—‑]\s?\d{1,2}\b|def\s?14a)"""
)
_AMENDED = re.compile(r"(?i)\bamendment\s+(?:no\.?|number)\s")
_MANY = 8  # headings of items of which no other form has so many


def checked_form(declared: str, text: str, own: int, name: str) -> str:
    """The form of a 10-K: ``"10-K405"``, ``"10-K/A"``. Raises `NotAFiling` for any other form, and for no form.

    `declared`: what the submission calls it, if it does. `own`: how many items have a heading.
    """
    form = declared or _on_cover(text)
    if form.startswith("10-KSB"):
        raise NotAFiling(
            f"{name} is a {form}, until 2008 the form of small businesses; its items "
            f"have other numbers"
        )
    if form.startswith("10-K"):
        return form
    if own >= _MANY:
        return "10-K"
    if form:
        raise NotAFiling(f"{name} is no 10-K: its first page says Form {form}")
    begins = " ".join(text[:400].split())[:80]
    raise NotAFiling(
        f"{name} is no 10-K: no first page with 'Form 10-K', but {begins!r}"
        if begins
        else f"{name} has no text"
    )


def _on_cover(text: str) -> str:
    match = _FORM.search(text, 0, _COVER)
    if match is None:
        return ""
    form = re.sub(r"[\s–—‑-]", "", match[1]).upper()
    form = (
        re.sub(r"^(\d{1,2}|[SF])(?=[A-Z0-9])", r"\1-", form)
        if not form.startswith(("12B", "DEF"))
        else match[1]
    )
    amended = (
        form.startswith("10-K")
        and not form.endswith("/A")
        and _AMENDED.search(text, 0, match.end() + 600)
    )
    return f"{form}/A" if amended else form
