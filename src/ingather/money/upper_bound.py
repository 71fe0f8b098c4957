"""The most that a request may cost, before it is sent; and whether an attempt that failed was billed. Arithmetic only.

No token is shorter than a byte, so that the bytes of a request bound the tokens of its text. What
they do not bound is refused, or bounded by what the user says: pictures, files, sounds, and
whatever lies at the provider already.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import orjson

from ingather import exact_json
from ingather.errors import (
    AnswerError,
    AnswerTooLarge,
    AttemptTimeout,
    BadBody,
    ConnectionLost,
    IngatherError,
    PoolFailure,
    ProviderError,
    RateLimited,
    ServerFault,
    SetupError,
)
from ingather.money.budget import Spend

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ingather.money.budget import Budget
    from ingather.money.pricing import Price
    from ingather.providers.capabilities import Capabilities
    from ingather.task import LLMMessage

OUTPUT_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_CHOICES = ("n", "best_of", "candidate_count")
_TURN = 64  # bytes that a message may take besides its text
_INSTRUCTIONS = 1000  # tokens that Anthropic puts before tools and schemas
_TEXTS = (
    "text",
    "input_text",
    "output_text",
    "refusal",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "tool_result",
)
_ELSEWHERE = re.compile(
    rb'"(?:previous_response_id|conversation|cachedContent|container)":(?!null)'
    rb'|"prompt":\{|"mcp_servers":\[|"(?:file_id|fileUri)":"|"audio":\{"id"'
)
_HOSTED = re.compile(
    rb'"type":"(?:web_search|web_fetch|file_search|code_interpreter|code_execution|computer|image_generation|mcp|x_search'
    rb'|live_search|browser_search|browser_automation|collections_search|openrouter:)[^"]*"'
    rb'|"(?:google_?search(?:Retrieval)?|googleMaps|url_?context|code_?execution|fileSearch)":\{',
    re.IGNORECASE,
)
_SEARCHES = (
    b'"web_search_options":{',
    b'"search_parameters":{',
    b'"plugins":[',
    b'"compound_custom":{',
)
_OTHER_TARIFF = re.compile(
    rb'"service_tier":"(?!auto"|default"|standard)|"speed":"(?!standard)|"inference_geo":"(?!global)'
)
# said by who stands between: the provider may have answered all the same
_GIVEN_UP = (408, 499, 502, 504, 520, 524)


def worst_case(
    price: Price | None, body: bytes, size: int, output: int, *, dialect: str = ""
) -> Spend:
    """The most that `size` tokens in, which `body` says, and `output` tokens out may cost.

    >>> from ingather.money.pricing import PerToken
    >>> worst_case(PerToken(0.001, 0.002), b"{}", 100, 50)
    Spend(usd=0.2, tokens=150)
    """
    caches = True
    if dialect == "anthropic":
        caches = b'"cache_control":' in body
        size += _INSTRUCTIONS * (b'"tools":[' in body or b'"output_config":' in body)
    return Spend(
        0.0 if price is None else price.at_most(size, output, caches=caches), size + output
    )


def input_limit(messages: Sequence[LLMMessage], body: bytes, budget: Budget) -> int:
    """The most tokens that go in: the bytes of `body`, or what the user says where those do not tell.

    Raises SetupError where nothing does.
    """
    strange = next(_strange(messages), "") or (
        "what the provider adds to it" if _adds(body) else ""
    )
    if not strange:
        return len(body)
    if budget.max_input is None:
        raise SetupError(
            f"with a budget a request is text alone, since nothing tells how many tokens {strange} "
            f"will take: "
            "give Budget(max_input=…), the most that such a request may have"
        )
    return max(len(body), budget.max_input)


def output_limit(
    stated: int | None, overrides: Mapping[str, object], can: Capabilities, budget: Budget
) -> int:
    """The most tokens that come out: what the request says (`stated`, or in `overrides`), else the most there `can` be.

    Raises SetupError where nothing says it.
    """
    limit = stated
    if limit is None:
        given = [overrides[name] for name in OUTPUT_LIMITS if overrides.get(name) is not None]
        counts = [cap for cap in given if type(cap) is int and cap > 0]
        if len(counts) < len(given):
            raise SetupError(
                f"with a budget, max_tokens is a whole number of at least 1, not {given[0]!r:.40}"
            )
        limit = max(counts, default=can.max_output)
    if limit is None:
        if can.is_free and budget.max_tokens is None:
            return 0
        raise SetupError("with a budget each request needs a limit on its output: give max_tokens")
    choices = [many for name in _CHOICES if isinstance(many := overrides.get(name), int)]
    return int(limit) * max(1, *choices, 1)


def written_out(messages: Sequence[LLMMessage], overrides: Mapping[str, object]) -> bytes:
    """What a provider of the user's own is given, in about as many bytes as it may send."""
    said = [
        [message.role, message.content, message.tool_calls, message.name] for message in messages
    ]
    return exact_json.dumps(
        [said, dict(overrides)], default=repr, option=orjson.OPT_NON_STR_KEYS
    ) + b" " * (_TURN * len(messages))


def is_by_the_token(price: Price, body: bytes) -> bool:
    """Whether `price` says all that a request costs: its tools run here, and at the usual tariff if it is not given."""
    if _has_hosted(body):
        return False
    return getattr(price, "given", False) or _OTHER_TARIFF.search(body) is None


def was_free(error: BaseException) -> bool:
    """Whether an attempt that ended so was surely not billed. Where nobody knows, it was.

    >>> from ingather.errors import ConnectFailed
    >>> was_free(ConnectFailed("refused")), was_free(ConnectionLost("cut"))
    (True, False)
    """
    if isinstance(error, RateLimited | PoolFailure):
        return True
    if isinstance(error, AnswerError | AnswerTooLarge | AttemptTimeout | BadBody | ConnectionLost):
        return False
    if not isinstance(error, ProviderError):
        return isinstance(error, IngatherError | ConnectionRefusedError)
    if error.status is None:
        return not isinstance(error, ServerFault)
    return error.status >= 300 and error.status not in _GIVEN_UP


def _adds(body: bytes) -> bool:
    return _has_hosted(body) or _ELSEWHERE.search(body) is not None


def _has_hosted(body: bytes) -> bool:
    """Whether the provider is asked to do more than to answer, which it charges for."""
    return any(mark in body for mark in _SEARCHES) or (
        b'"tools":' in body and _HOSTED.search(body) is not None
    )


def _strange(parts: object) -> Iterator[str]:
    """What is no text in messages or parts of them, in words."""
    for part in parts if isinstance(parts, list | tuple) else ():
        if not isinstance(part, Mapping):
            yield from _strange(getattr(part, "content", None))
            continue
        kind = part.get("type", "text" if "text" in part else "a part without a type")
        if kind not in _TEXTS:
            yield (
                f"a part of the type {kind!r:.40}"
                if "type" in part
                else f"a part with {', '.join(map(str, part)):.60}"
            )
        yield from _strange(part.get("content"))
