"""One table for all providers: which error an answer is, by its status, headers and body. Pure.

Body words (types, codes) win over the status, which gateways change; the status decides where the
words say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from time import time

import orjson

from ingather import exact_json
from ingather.errors import (
    AuthFailed,
    BadBody,
    BadRequest,
    Filtered,
    IngatherError,
    ModelNotFound,
    Overloaded,
    PoolFailure,
    ProviderError,
    QuotaExhausted,
    QuotaWait,
    RateLimited,
    Redirected,
    ServerFault,
    TooBig,
    TooLong,
    TransientError,
)
from ingather.limits.acceptance import CERTAIN_WORDS
from ingather.limits.headers import rate_limits, retry_hint
from ingather.providers.error_body import Problem
from ingather.providers.exhausted import is_spent, is_used_up
from ingather.redact import redact

Kind = type[ProviderError]

_WORDS: dict[str, Kind] = {
    word: kind
    for kind, words in {
        QuotaExhausted: "insufficient_quota billing_error billing_hard_limit_reached billing_not_active "
        "insufficient_balance insufficient_credits payment_required contract_spend_limit_reached budget_exceeded "
        "exceeded_current_quota_error accountoverdueerror dailylimitexceeded "
        "enforced_spend_limit_reached linked_organization_spend_limit_reached linked_organization_billing_unavailable",
        TooLong: "context_length_exceeded exceed_context_size_error request_too_large string_above_max_length "
        "model_context_window_exceeded context_window_exceeded",
        Filtered: "content_filter content_policy_violation responsibleaipolicyviolation invalid_prompt cyber_policy "
        "moderation_blocked prohibited_content data_inspection_failed bio_policy misalignment_policy_violation "
        "image_content_policy_violation",
        AuthFailed: "invalid_api_key authentication_error unauthenticated permission_error permission_denied "
        "api_key_invalid expired_api_key api_key_expired invalid_x_api_key expired_key account_deactivated "
        "account_suspended organization_on_hold organization_deactivated deactivated_workspace",
        ModelNotFound: "model_not_found deploymentnotfound not_found_error not_found",
        RateLimited: "rate_limit_exceeded ramp_limit_exceeded rate_limit_error resource_exhausted too_many_requests "
        "usage_limit_reached",
        Overloaded: "overloaded_error overloaded engine_overloaded slow_down unavailable unavailable_error",
        BadRequest: "not_supported_error not_supported notimplementederror not_implemented not_implemented_error "
        "unimplemented",
    }.items()
    for word in words.split()
}
# words that many kinds share: they count only where the status says nothing
_VAGUE: dict[str, Kind] = {
    word: kind
    for kind, words in {
        BadRequest: "invalid_request_error invalid_argument bad_request data_residency_mismatch "
        "invalid_image invalid_image_format invalid_base64_image invalid_image_url invalid_image_mode image_too_large "
        "image_too_small image_file_too_large image_parse_error image_file_not_found empty_image_file "
        "unsupported_image_media_type",
        ServerFault: "server_error api_error internal_error internal timeout_error vector_store_timeout "
        "failed_to_download_image",
    }.items()
    for word in words.split()
}
_TEXTS: dict[Kind, re.Pattern[str]] = {  # for refusals that have no word of their own
    TooLong: re.compile(
        r"(?:prompt|input) is too long|context "
        r"(?:length|window|size|limit)|maximum number of tokens"
    ),
    Filtered: re.compile(
        r"content management policy|content filtering policy|safety "
        r"system|flagged"
    ),
    AuthFailed: re.compile(
        r"api[- ]key not valid|(?:invalid|incorrect|expired) (?:x-)?api[- ]key|invalid "
        r"subscription key"
    ),
}
# what a server calls its own failure, and fails at each time
_UNABLE: dict[Kind, re.Pattern[str]] = {
    TooLong: re.compile(r"context (?:length|window|size)|input is too large to process"),
    BadRequest: re.compile(
        r"not (?:supported|implemented)|unsupported|does(?:n't| not) support|mmproj|required for "
        r"image input"
        r"|(?:max_(?:new_|output_|completion_)?tokens|n_predict|num_predict)\b.{0,80}?"
        r"(?:too (?:large|big|high)|must (?:not )?be|at most|exceed|(?:greater|larger|more) than|<=)"
        r"|failed to (?:parse|initiali[sz]e|compile) (?:the )?(?:grammar|samplers?|template|schema)"
        r"|roles must alternate|schema conversion failed|requires? (?:the )?--\w|cannot use custom "
        r"grammar"
        r"|notimplemented|not multimodal|only "
        r"(?:text|user)\b.{0,40}\bsupported|(?:invalid|compile) (?:grammar|regex)"
        r"|requires more system memory|unknown model architecture"
    ),
}
_STATUS: dict[int, Kind] = {
    **dict.fromkeys((401, 403, 407), AuthFailed),
    **dict.fromkeys((408, 409, 425, 500, 504), ServerFault),
    **dict.fromkeys((502, 503, 520, 521, 522, 523, 524, 529), Overloaded),
    **dict.fromkeys((501, 505), BadRequest),
    402: QuotaExhausted,
    404: ModelNotFound,
    413: TooLong,
    429: RateLimited,
}
_ADVICE: dict[Kind, str] = {
    AuthFailed: "the key is missing, wrong, or may not use this: check api_key or its environment variable",
    BadBody: "an error in place of an answer",
    BadRequest: "the request is refused as it is",
    Filtered: "stopped by the provider's content filter",
    ModelNotFound: "no such model or path: check the model's name and base_url",
    Overloaded: "the provider is overloaded or away",
    QuotaExhausted: "no credit left, or a spending limit reached: settle that with the provider, then run again",
    QuotaWait: "the quota of a day or longer is used up: run the rest when it is there again",
    RateLimited: "rate limited",
    Redirected: "a redirect, not followed because it would carry the key along: set base_url to where it leads",
    ServerFault: "the provider failed",
    TooBig: "needs more of the quota than a whole minute has: send less, or have the limit raised",
    TooLong: "longer than the model takes: shorten or split it",
}
_ASKED = re.compile(r"limit:?\s*([\d,]+).{0,80}?requested:?\s*([\d,]+)", re.IGNORECASE | re.DOTALL)
_LIMITS: dict[str, re.Pattern[str]] = {  # which limit a 429 is about, the most telling first
    "ramp": re.compile(r"\bramp|acceleration|(?:grown?|increas\w+) too (?:fast|quickly)"),
    "concurrency": re.compile(r"concurren|parallel requests|simultaneous"),
    "tokens": re.compile(r"\btokens?\b|\btp[md]\b|tokensper|tokencount"),
    "requests": re.compile(r"\brequests?\b|\brp[smd]\b|requestsper"),
}
_REQUEST_IDS = ("x-request-id", "request-id", "apim-request-id", "x-amzn-requestid", "cf-ray")


def classify(
    status: int,
    headers: Mapping[str, str],
    body: bytes | str,
    *,
    provider: str = "",
    model: str = "",
    secrets: tuple[str, ...] = (),
    now: float | None = None,
) -> ProviderError:
    """The error that an answer is. `secrets` are cut out of whatever it quotes. `now`: seconds since 1970.

    >>> type(classify(503, {}, b"")).__name__
    'Overloaded'
    """
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    problem = Problem.read(text)
    hint = retry_hint(headers, text, now=now)
    kind = _kind(status, headers, problem)
    advice = _ADVICE[kind]
    if kind is RateLimited and _is_used_up(problem, text, hint):
        kind, advice = (
            QuotaExhausted,
            _ADVICE[QuotaExhausted if is_spent(problem.message) else QuotaWait],
        )
    said = headers.get("location", "") if kind is Redirected else problem.message
    where = " ".join(
        filter(None, (str(status), provider and f"from {provider}", model and f"({model})"))
    )
    error = kind(
        redact(f"{where}: {advice}{said and f': {said}'}", *secrets),
        status=status,
        code=problem.code,
        retry_after=hint,
        request_id=next(
            (headers[name] for name in _REQUEST_IDS if name in headers), problem.request_id
        ),
        body=redact(text[:2000], *secrets),
        provider=provider,
        model=model,
        rate_limits=rate_limits(headers) if kind is RateLimited else None,
        limit=_limit(problem) if kind is RateLimited else "",
    )
    if isinstance(error, PoolFailure):
        error.is_certain = _is_certain(error, problem)
    return error


def classify_exception(error: Exception) -> Exception:
    """A foreign exception that carries an HTTP answer, as the error which that answer is; any other one unchanged.

    An answer is ``status_code`` and ``response.headers``, as the exceptions of openai, anthropic
    and httpx have them. The original is the new error's ``__cause__``.
    """
    if isinstance(error, IngatherError | TimeoutError):
        return error
    response = getattr(error, "response", None)
    status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
    headers = getattr(response, "headers", None)
    if not isinstance(status, int) or status < 300 or not isinstance(headers, Mapping):
        return error
    names = {str(name).lower(): str(value) for name, value in headers.items()}
    found = classify(status, names, _body_of(error, response), now=time())
    found.__cause__ = error
    return found


def _body_of(error: Exception, response: object) -> bytes | str:
    body = getattr(error, "body", None)
    if body is None:
        try:
            body = getattr(response, "content", None)
        except RuntimeError:  # httpx: of a stream that nobody has read
            return str(error)
    if isinstance(body, Mapping | list):
        return exact_json.dumps(body, default=str, option=orjson.OPT_NON_STR_KEYS)
    return body if isinstance(body, bytes | str) else str(error)


def _kind(status: int, headers: Mapping[str, str], problem: Problem) -> Kind:
    if 300 <= status < 400:
        return Redirected
    if status < 300:  # an error in place of an answer: what it calls itself is all there is
        status = problem.status or 0
    kind = next((_WORDS[word] for word in problem.words if word in _WORDS), None) or _by_text(
        status, problem.message
    )
    if kind is None:
        kind = _overruled(_by_status(status, problem), headers.get("x-should-retry"))
    if kind is RateLimited:
        asked = _ASKED.search(problem.message)
        if asked is not None and _number(asked[2]) > _number(asked[1]):
            return TooBig
    return kind


def _is_used_up(problem: Problem, text: str, hint: float | None) -> bool:
    """Whether what a 429 is about does not come back by waiting; a wait that is told is believed."""
    if "insufficient_quota" in problem.message or problem.barred:
        return True
    return hint is None and (problem.daily or is_used_up(text))


def _is_certain(error: PoolFailure, problem: Problem) -> bool:
    """Whether words say that it concerns all calls; a status alone may be about this one."""
    if not CERTAIN_WORDS.isdisjoint(problem.words):
        return True
    message = problem.message.lower()
    if isinstance(error, AuthFailed):
        return error.status in (400, 401) and _TEXTS[AuthFailed].search(message) is not None
    return isinstance(error, QuotaExhausted) and (error.status != 402 or is_spent(message))


def _limit(problem: Problem) -> str:
    said = " ".join([*problem.words, problem.message]).lower().replace("_", " ")
    about = re.split(r"please (?:try|retry|reduce)|retry after", said)[0]
    return next((limit for limit, pattern in _LIMITS.items() if pattern.search(about)), "")


def _by_text(status: int, message: str) -> Kind | None:
    if not 400 <= status <= 500 or status in (401, 404, 429):
        return None
    message = message.lower()
    if status < 500 and is_spent(message):
        return QuotaExhausted
    texts = _UNABLE if status == 500 else _TEXTS
    return next((kind for kind, pattern in texts.items() if pattern.search(message)), None)


def _by_status(status: int, problem: Problem) -> Kind:
    if status in _STATUS:
        return _STATUS[status]
    if status:
        return BadRequest if status < 500 else ServerFault
    return next((_VAGUE[word] for word in problem.words if word in _VAGUE), BadBody)


def _overruled(kind: Kind, should_retry: str | None) -> Kind:
    """The provider's own word on whether to try again goes over the status (as in its own clients)."""
    transient = issubclass(kind, TransientError | RateLimited)
    if should_retry == "true" and not transient:
        return ServerFault
    if should_retry == "false" and transient:
        return BadRequest
    return kind


def _number(text: str) -> int:
    return int(text.replace(",", "") or 0)
