"""How an answer ended, whoever says it in whichever words; and whether there is anything in it. Pure.

Gateways pass on the words of whom they ask, in any case and with prefixes and suffixes of their
own. So a reason that is in no list is told by the words in it; one that stays unknown is never
taken for a good end.

No reason at all is none against the answer: the whole of a body came, and some servers of one's own
never give any.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING

from ingather.errors import (
    BadBody,
    EmptyAnswer,
    Filtered,
    ProviderError,
    Refused,
    ServerFault,
    Truncated,
)
from ingather.providers.dialect import Answer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingather.response import LLMResponse


class End(Enum):
    """How an answer ended."""

    DONE = "as it should"
    UNTOLD = "nothing is said of it"
    CUT = "before it was complete"
    FILTERED = "by a content filter"
    REFUSED = "because the model, or its provider, would not go on"
    GARBLED = "in what the server could not read: another try may do"
    BROKEN = "by a failure of the server's"
    UNKNOWN = "nobody here knows how"


_EXACTLY = {
    word: end
    for end, words in {
        End.DONE: "stop stopped stop_sequence stop_token stop_tokens stop_word stop_words stop_string stop_str eos "
        "eos_token eos_token_id eot end end_turn end_of_turn end_of_text endoftext end_of_sequence end_of_stream "
        "complete completed finish finished done success succeeded normal natural ok tool_calls tool_call tool_use "
        "tools function_call function_calls word end_id eog eot_id im_end s",
        End.UNTOLD: "null none unspecified finish_reason_unspecified",
        End.CUT: "length max_len limit incomplete truncated truncation continuation pause_turn compaction max_messages "
        "partial max_turns max_steps repetition error_limit",
        End.FILTERED: "spii escalation model_armor pup_limited_disabled",
        End.REFUSED: "other language image_other no_image refusal too_many_tool_calls missing_thought_signature",
        End.BROKEN: "load unload not_finished reason_time_limit time_limit max_time insufficient_system_resource",
    }.items()
    for word in words.split()
}
# patterns, the most telling first: "content_filter_error" is a filter's, "error_max_tokens" a cut
_TOLD_BY = (
    (
        End.GARBLED,
        "malformed unexpected_tool garbled invalid_tool invalid_function bad_tool schema grammar",
    ),
    (
        End.FILTERED,
        "filter safety sensitive recitation block prohibit moderat guardrail toxic violat policy copyright harm nsfw",
    ),
    (End.FILTERED, "jailbreak flagged (?:^|_)(?:pii|hap)(?:_|$)"),
    (End.REFUSED, "refus declin reject"),
    # before what is cut: they speak of limits too
    (
        End.BROKEN,
        "rate_?limit too_many time_?out timed_out quota (?:^|_)(?:429|5[0-9][0-9])(?:_|$)",
    ),
    (
        End.CUT,
        "length max(?:imum)?_.*(?:token|len|output) token.*(?:limit|max) context repeti loop truncat incomplete budget",
    ),
    (End.CUT, "output.*(?:limit|max) cut_?off too_long"),
    (
        End.BROKEN,
        "err(?:or)?(?:_|$) fail abort network connect overload unavailable interrupt cancel exception crash server",
    ),
    (
        End.BROKEN,
        "kill capacity insufficient unfinished in_progress queued pending internal upstream shutdown preempt",
    ),
    (End.BROKEN, "memory (?:^|_)oom(?:_|$) evict closed kv_cache"),
)
_PATTERNS = [(end, re.compile(patterns.replace(" ", "|"))) for end, patterns in _TOLD_BY]
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BETWEEN = re.compile(r"[^a-z0-9]+")
_PREFIX = re.compile(r"^(?:finish_?reason|stop_?reason|done_?reason|reason)_(?=.)")
_CALLS = ("tool", "function_call")
_CUT_BY = (
    ("pause", "the provider paused a long turn: send the answer back to have it go on"),
    (
        "compaction",
        "the provider paused to shorten a long context: send the answer back to have it go on",
    ),
    ("context", "the answer ends where the model's context is full: shorten the prompt"),
    ("repeti", "the server cut an answer that repeats itself"),
    ("loop", "the server cut an answer that repeats itself"),
)
_SILENT = ("thinking", "redacted_thinking", "reasoning", "message", "web_search_call", "file_search_call", "compaction",
           "mcp_list_tools")  # fmt: skip
_THOUGHT = (
    # fewer forms than an answer of JSON may have around it: a text may be meant to hold an
    # <analysis>
    re.compile(
        r"""(?:<\|start\|>assistant)?<\|channel\|>analysis<\|message\|>.*?(?:<\|end\|>|\Z)
      | <\|channel>(?:thought|analysis).*?(?:<channel\|>|\Z)
      | \[THINK\].*?(?:\[/THINK\]|\Z)
      | <details\s+type="reasoning".*?(?:</details>|\Z)
      | <unused94>.*?(?:<unused95>|\Z) | <\|inner_prefix\|>.*?(?:<\|inner_suffix\|>|\Z)
      | <\|start_(thinking|thoughts?)\|>.*?(?:<\|end_\1\|>|\Z)
      | [<◁＜‹][|｜]?(?:\w+[:_]|begin_of_)?(think(?:ing)?|thoughts?|reasoning)(?:\s[^<>]{0,300})?[|｜]?[>▷＞›] .*?
        (?:[<◁＜‹][|｜]?(?:/|end_of_)(?:\w+[:_])?\2[|｜]?[>▷＞›]|\Z)
      | (?:<\|(?:im_end|eot_id|eom_id|end|endoftext|end_of_text|return|end_of_turn)\|>|</s>|<end_of_turn>)\s*\Z
    """,
        re.DOTALL | re.VERBOSE | re.IGNORECASE,
    )
)
_CLOSING = ("</think>", "</thinking>", "[/think]", "◁/think▷")
_UNSEEN = " \t\r\n\f\v\x1c\x1d\x1e\x1f\x85\xa0\u200b\u200c\u200d\u2028\u2029\u2060\u3000\ufeff"


def reason_in(given: object) -> str | None:
    """The reason as text, in whichever form it is given; None where there is none.

    >>> reason_in({"type": "length"}), reason_in(2), reason_in(None)
    ('length', '2', None)
    """
    if isinstance(given, Mapping):
        given = given.get("type") or given.get("reason") or [*given.values()]
    return given if isinstance(given, str) else str(given) if given else None


def worse(reason: object, native: object) -> object:
    """Of the reason that a gateway gives, and that of whom it asked: the latter where that alone is a bad end.

    >>> worse("stop", "MAX_TOKENS"), worse("length", "STOP")
    ('MAX_TOKENS', 'length')
    """
    is_good = end_of(reason) in (End.DONE, End.UNTOLD)
    return (
        native
        if is_good and end_of(native) in (End.CUT, End.FILTERED, End.GARBLED, End.BROKEN)
        else reason
    )


def end_of(reason: object) -> End:
    """How an answer ended that gives this `reason`.

    >>> end_of("eos_token").name, end_of("content_filter: RECITATION").name, end_of("bored").name
    ('DONE', 'FILTERED', 'UNKNOWN')
    """
    reason = reason_in(reason)
    if reason is None:
        return End.UNTOLD
    found = _EXACTLY.get(reason)
    if found is not None:
        return found
    word = _plain(reason)
    if not word:
        return End.UNKNOWN if reason.strip() else End.UNTOLD
    head = _plain(re.split(r"[:(;,\s]", reason.strip(), maxsplit=1)[0])
    by_words = next((end for end, pattern in _PATTERNS if pattern.search(word)), None)
    return _EXACTLY.get(word) or by_words or _EXACTLY.get(head) or End.UNKNOWN


def in_openais_words(reason: object, *, calls: bool = False) -> str | None:
    """`reason` as OpenAI calls it, itself where OpenAI has no word for it. `calls`: the answer has calls of tools.

    >>> in_openais_words("MAX_TOKENS"), in_openais_words("bored"), in_openais_words(None)
    ('length', 'bored', None)
    """
    reason, end = reason_in(reason), end_of(reason)
    if end is End.UNTOLD:
        return "tool_calls" if calls else None
    if end is End.DONE:
        word = _plain(reason or "")
        return (
            "function_call"
            if word == "function_call"
            else "tool_calls"
            if word.startswith(_CALLS)
            else "stop"
        )
    return {End.CUT: "length", End.FILTERED: "content_filter"}.get(end, reason)


def judged(response: LLMResponse, reason: object, *, details: str = "") -> Answer:
    """`response` with what is wrong with it, by the `reason` it gives for its end. `details`: what is said besides."""
    end = end_of(reason)
    also = f"{reason}{details and f': {details}'}"
    if end is End.DONE or end is End.UNTOLD:
        return (
            Answer(response, EmptyAnswer, _nothing(response))
            if is_empty(response)
            else Answer(response)
        )
    if end is End.CUT:
        return Answer(response, Truncated, cut_by(str(reason)))
    if end is End.FILTERED:
        plain = "the provider's content filter stopped the answer"
        return Answer(response, Filtered, plain if also == "content_filter" else f"{plain}: {also}")
    if end is End.GARBLED:
        return Answer(response, BadBody, f"the model garbled it: {also}")
    if end is End.BROKEN:
        return Answer(
            response,
            problem={"type": "server_error", "code": reason, "message": f"it ended with {also}"},
        )
    unknown = end is End.UNKNOWN
    return Answer(
        response,
        Refused,
        f"the provider stopped the answer{', and why is not known here' * unknown}: {also}",
    )


def error_of(response: object) -> ProviderError | None:
    """What is wrong with an answer of a provider of the user's own, by its ``finish_reason``; None where nothing."""
    reason = getattr(response, "finish_reason", None)
    kinds: Mapping[End, tuple[type[ProviderError], str]] = {
        End.CUT: (Truncated, cut_by(str(reason))),
        End.FILTERED: (Filtered, f"the provider's content filter stopped the answer: {reason}"),
        End.GARBLED: (BadBody, f"the model garbled it: {reason}"),
        End.BROKEN: (ServerFault, f"the answer ended with {reason}"),
    }
    kind, why = kinds.get(end_of(reason), (None, ""))
    return None if kind is None else kind(why, response=response)  # type: ignore[arg-type]  # it may be of any type


def cut_by(reason: str) -> str:
    """Why an answer that gives this reason is not complete, and what to do."""
    known = (why for word, why in _CUT_BY if word in _plain(reason))
    return next(known, "the answer ends at the output limit: raise max_tokens")


def is_whole(response: LLMResponse, *, may_be_cut: bool = False) -> bool:
    """Whether it is complete and has something in it: worth keeping, and worth giving again.

    `may_be_cut`: one that ends at the limit counts as well, since somebody found it complete.
    """
    end = end_of(response.finish_reason)
    return (
        end is End.DONE or end is End.UNTOLD or (may_be_cut and end is End.CUT)
    ) and not is_empty(response)


def is_empty(response: LLMResponse) -> bool:
    """Whether nothing is in it but white space, or the model's thinking. Calls, sounds and pictures are something.

    >>> from ingather import LLMResponse
    >>> is_empty(LLMResponse("<think>Hm.</think> ")), is_empty(LLMResponse("0"))
    (True, False)
    """
    if response.tool_calls or response.function_call or _without_thoughts(response.content):
        return False
    said = response.metadata
    items = [item for name in ("blocks", "output") for item in _list(said.get(name))]
    return not any(said.get(name) for name in ("audio", "images", "parts")) and all(
        isinstance(item, dict) and item.get("type") in _SILENT for item in items
    )


def _nothing(response: LLMResponse) -> str:
    counted = response.usage.output_tokens if response.usage is not None else 0
    thought = f", though {counted:,} tokens were spent on it" if counted else ""
    return f"the answer is empty{thought}: nothing was said, and no tool called"


def _without_thoughts(text: str) -> str:
    text = text.strip(_UNSEEN)
    while text[:1] in {"<", "[", "◁", "＜", "‹"} and (thought := _THOUGHT.match(text)):
        text = text[thought.end() :].strip(_UNSEEN)
    # some servers drop the first tag
    dropped = text.lower().endswith(_CLOSING) and "<think" not in text
    return "" if dropped else text


def _list(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else ()


def _plain(reason: str) -> str:
    """A reason in small letters with one sign between its words, and without what every reason may begin with."""
    word = _BETWEEN.sub("_", _CAPITAL.sub("_", reason).lower()).strip("_")
    return _PREFIX.sub("", word)
