"""What of an answer is meant to be read: all but the model's thinking, in any of the forms that servers leave it in.

Tags of many spellings (``<think>``, ``[THINK]``, ``◁think▷``, ``<|begin_of_thought|>``,
``<seed:think>``), channels (``<|channel|>analysis<|message|>``, ``<|channel>thought``), fenced
blocks and a few fixed sentences. Thinking that is not closed goes to the end; a closing tag without
an opening one ends thinking that began with the text.

In doubt more is taken for thinking, not less: what is then missing is asked for again, and a draft
is never the answer.
"""

from __future__ import annotations

import re

from ingather.schema.balance import START, closing

_WORDS = (
    r"think|thought|reason|reflect|scratch|monologue|deliberat|analys|rationale|draft|brainstorm|critique|planning"
    r"|chain[-_]of|\bcot\b|self[-_]?(?:check|talk)"
)
_NO_THINKING = re.compile(
    r"answer|result|output|response|final|solution|summary|json", re.IGNORECASE
)
_BEGINS = re.compile(
    r"\A(?:begin|start)[-_▁]?(?:of[-_▁]?)?|[-_▁](?:begin|start|prefix)\Z", re.IGNORECASE
)
_ENDS = re.compile(r"\A(?:end|stop)[-_▁]?(?:of[-_▁]?)?|[-_▁](?:end|stop|suffix)\Z", re.IGNORECASE)
_BRACKETED = r"think(?:ing)?|thoughts?|reason(?:ing)?|reflection|scratchpad|analysis|draft"

_MARK = re.compile(
    rf"""
      (?:<|&lt;|＜|◁)[|｜]?\s*(?P<slash>/?)\s*(?P<tag>[\w:.▁\-]{{0,30}}?(?:{_WORDS})[\w:.▁\-]{{0,30}})
        (?:\s[^<>]{{0,300}}?)?\s*(?P<empty>/?)[|｜]?(?:>|&gt;|＞|▷)
    | \[\s*(?P<bracket_slash>/?)\s*(?P<bracket>{_BRACKETED})\s*\](?!\()
    | <\|channel\|?>\s*(?P<channel>\w*)(?:[^<{{\[]{{0,100}}(?:<\|constrain\|>\s*\w*\s*)?<\|message\|>)?
    | (?P<channel_end><channel\|>|<\|(?:end|start|call)\|>)
    | (?P<inner><unused94>|<\|inner_prefix\|>) | (?P<inner_end><unused95>|<\|inner_suffix\|>)
    | (?P<details><details\b[^>]{{0,200}}\breasoning\b[^>]{{0,200}}>
        | <details\b[^>]{{0,200}}>\s*<summary>[^<]{{0,100}}(?:think|thought|reason)[^<]{{0,100}}</summary>)
    | (?P<details_end></details\s*>)
    | (?P<sentence>here(?:\s+is|['’]s)\s+my\s+thought\s+process:)
    | (?P<final>assistantfinal(?:json)?|here(?:\s+is|['’]s)\s+my\s+response:)
    | (?P<fence>```[ \t]*(?:{_BRACKETED})\b)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_NEXT = re.compile(f"{_MARK.pattern} | (?P<json>{START.pattern})", re.IGNORECASE | re.VERBOSE)
# channels whose marks a server left out: "analysis…assistantfinal…"
_UNMARKED = re.compile(r"\s*(?:assistant)?analysis(?=.*assistantfinal)", re.IGNORECASE | re.DOTALL)
_CLOSED = re.compile(rf"\[\s*/\s*({_BRACKETED})\s*\]", re.IGNORECASE)


def visible(text: str) -> str:
    """`text` without the thinking in it, a new line in its place. What stands inside a JSON value is that value's.

    >>> visible('<think>Perhaps {"n": 1}?</think>{"n": 2}').strip()
    '{"n": 2}'
    """
    return _Reading(text).visible() if _MARK.search(text) else text


class _Reading:
    """One pass over a text. `inside`: the kinds of thinking that are open, outermost first."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._closed = {name.lower() for name in _CLOSED.findall(text)}
        self._inside: list[str] = []
        self._shown: list[str] = []
        self._since = 0  # where what is shown now begins
        self._closed_at = 0
        self._json_from = 0  # before it no JSON begins: it would be inside of what is none
        # characters that may be read for JSON: what is hostile costs no more than that
        self._left = 8 * len(text)

    def visible(self) -> str:
        at = 0
        if _UNMARKED.match(self._text):
            self._open("channel", 0)
        while mark := _NEXT.search(self._text, at):
            at = self._json(mark.start()) if mark["json"] else self._take(mark)
        if not self._inside:
            self._shown.append(self._text[self._since :])
        return "\n".join(self._shown)

    def _json(self, start: int) -> int:
        """Where to go on: behind what looks like a JSON value, or inside of one that stays open."""
        if self._inside or start < self._json_from or self._left <= 0:
            return start + 1
        end = closing(self._text, start)
        self._left -= (len(self._text) if end is None else end) - start
        if end is None:
            self._json_from = len(self._text)
            return start + 1
        return end

    def _take(self, mark: re.Match[str]) -> int:
        """Where to go on behind a mark."""
        end = mark.end()
        if mark["fence"]:
            return self._block(mark.start(), end)
        if mark["final"] or (mark["channel"] or "").lower() == "final":
            self._begin_anew(end)
        elif mark["details_end"] or mark["channel_end"]:
            self._close(
                "details" if mark["details_end"] else "channel",
                mark.start(),
                end,
                may_be_alone=True,
            )
        elif mark["inner_end"]:
            self._close("inner", mark.start(), end)
        elif mark["tag"]:
            self._tag(mark["tag"], mark, closes=bool(mark["slash"]))
        elif mark["bracket"]:
            name = mark["bracket"].lower()
            if mark["bracket_slash"]:
                self._close(name, mark.start(), end)
            elif (
                name in self._closed or mark["bracket"].isupper()
            ):  # else perhaps a reference of the text's
                self._open(name, mark.start())
        else:
            kind = (
                "details"
                if mark["details"]
                else "inner"
                if mark["inner"] or mark["sentence"]
                else "channel"
            )
            self._open(kind, mark.start())
        return end

    def _tag(self, name: str, mark: re.Match[str], *, closes: bool) -> None:
        bare = _BEGINS.sub("", _ENDS.sub("", name)).lower()
        if _NO_THINKING.search(bare) or mark["empty"]:
            return
        if closes or _ENDS.search(name):
            self._close(bare, mark.start(), mark.end())
        else:
            self._open(bare, mark.start())

    def _block(self, start: int, end: int) -> int:
        """A fenced block of thinking."""
        closed = self._text.find("```", end)
        if closed < 0 or any(_ends(mark) for mark in _MARK.finditer(self._text, end, closed)):
            self._open("fence", start)  # within other thinking, whose end counts
            return end
        behind = closed + 3
        if not self._inside:
            self._shown.append(self._text[self._since : start])
            self._since = self._json_from = behind
        return behind

    def _open(self, kind: str, start: int) -> None:
        if not self._inside:
            self._shown.append(self._text[self._since : start])
        if kind not in self._inside:
            self._inside.append(kind)

    def _close(self, kind: str, start: int, end: int, *, may_be_alone: bool = False) -> None:
        if kind in self._inside:
            del self._inside[self._inside.index(kind) :]
            if not self._inside:
                self._since = self._json_from = self._closed_at = end
        elif not self._text[self._closed_at : start].strip():  # the same end, twice
            self._since = self._json_from = self._closed_at = end
        elif not may_be_alone:
            self._begin_anew(end)

    def _begin_anew(self, end: int) -> None:
        """All before it was thinking, whether or not that was said."""
        self._shown.clear()
        self._inside.clear()
        self._since = self._json_from = end


def _ends(mark: re.Match[str]) -> bool:
    """Whether it may end thinking."""
    tag = mark["tag"]
    return bool(
        mark["slash"] or mark["bracket_slash"] or mark["inner_end"] or (tag and _ENDS.search(tag))
    )
