"""Every way in which a call, a task or a run can fail, as one tree.

::

    IngatherError
    ├── SetupError (ValueError)      wrong use, file, key or machine set-up: raised before the first paid call
    │   └── NotAnAnswer (TypeError)  a provider of your own returned something else; see ``error.answer``
    ├── ProviderError                one attempt came back as a failure
    │   ├── TransientError           worth another attempt
    │   │   ├── ConnectFailed        no connection: certainly not billed
    │   │   ├── ConnectionLost       connection lost before the full response arrived
    │   │   ├── AttemptTimeout (TimeoutError)   the attempt took longer than its timeout
    │   │   ├── ServerFault          500, 408, 409, 504
    │   │   ├── Overloaded           502, 503, 520-524, 529
    │   │   └── BadBody              a 200 that is no answer: HTML, empty, cut, not JSON, wrong shape
    │   ├── RateLimited              429: flow control, not a failure; the call keeps its place
    │   ├── PoolFailure              no call of this quota can succeed now: all that wait fail so, or one alone
    │   │   ├── QuotaExhausted       no credit, spend limit reached, 402
    │   │   ├── QuotaWait            the provider asks for a longer wait than Limits(max_wait)
    │   │   ├── AuthFailed           401, 403
    │   │   └── ModelNotFound        404
    │   ├── Rejected                 this request can never succeed
    │   │   ├── BadRequest           400, 422 and other refusals of the request's form
    │   │   ├── TooLong              longer than the model's context, 413
    │   │   ├── TooBig               needs more of the quota than a whole minute has
    │   │   ├── TlsFailed            TLS certificate verification failed
    │   │   ├── Redirected           a redirect, which would carry the key elsewhere
    │   │   └── AnswerTooLarge       the answer is larger than the cap
    │   └── AnswerError              an answer came and was paid for, but is not what was asked; see ``result.response``
    │       ├── Truncated            it ends at the output limit
    │       ├── Refused              the model declined
    │       ├── Filtered             the provider's content filter, on the prompt or the answer
    │       ├── EmptyAnswer          nothing is in it, or only the model's thinking: tried once more
    │       └── InvalidAnswer        it does not fit the response_model
    ├── MissingFields                an extraction by parts is without fields that it must have; see ``result.parts``
    ├── StoreError                   the store cannot be written or read: nothing more is sent, and the run ends with it
    │   └── StoreUnusable (SetupError)   it cannot be opened, is not a store, or of a newer version
    └── Stopped                      we ended it, not the provider
        ├── Cancelled                ended while it ran: fail_fast, or a CancelledError from the task's own code
        ├── NotSent                  ended before it was sent: nothing was paid
        ├── BudgetSpent              the budget has no room for the most that the call may cost
        └── DeadlineExceeded (TimeoutError)   the task's or the run's deadline passed

Catch broadly (``ProviderError``) or narrowly (``Truncated``). No message holds a key: `redact` goes
over all of them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from ingather.redact import redact as redact  # noqa: PLC0414

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingather.response import LLMResponse, RateLimits
    from ingather.result import TaskResult


class IngatherError(Exception):
    """The root of the tree.

    `default_retries`: how often it is tried again by a policy that does not say, attempts
    permitting.
    """

    default_retries: ClassVar[float] = 0


class SetupError(IngatherError, ValueError):
    """Wrong use, file, key or machine set-up, found before the first paid call; the message says what to do."""


class NotAnAnswer(SetupError, TypeError):
    """A provider of your own is not async, or returned something that is no answer, which stays in `answer`."""

    def __init__(self, message: str, answer: object = None) -> None:
        super().__init__(redact(message))
        self.answer = answer


class ProviderError(IngatherError):
    """One attempt came back as a failure.

    `status`: HTTP status, None where no answer came. `code`: the provider's own word
    (``"rate_limit_exceeded"``). `retry_after`: seconds that the provider asks us to wait, None
    where it says nothing. `request_id`: what the provider's support asks for. `body`: the first 200
    characters of the answer's body, redacted. `response`: the answer, where one came: for each
    `AnswerError`, and for a failure that an answer tells of itself. `provider` and `model`: whom we
    asked. `rate_limits`: the quota as the answer's headers tell it. `limit`: which of its limits a
    429 is about (``"requests"``, ``"tokens"``, ``"concurrency"``, ``"ramp"``), ``""`` where it does
    not say. `is_replayed`: it comes from a recording, and tells nothing of the quota.
    """

    is_replayed = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        retry_after: float | None = None,
        request_id: str | None = None,
        body: str = "",
        provider: str = "",
        model: str = "",
        response: LLMResponse | None = None,
        rate_limits: RateLimits | None = None,
        limit: str = "",
    ) -> None:
        super().__init__(redact(message))
        self.status = status
        self.code = code
        self.retry_after = retry_after
        self.request_id = request_id
        self.body = redact(body)[:200]
        self.provider = provider
        self.model = model
        self.response = response
        self.rate_limits = rate_limits
        self.limit = limit


class TransientError(ProviderError):
    """Worth another attempt."""

    default_retries = math.inf


class ConnectFailed(TransientError):
    """No connection could be made; nothing was sent, so nothing was billed."""


class ConnectionLost(TransientError):
    """Connection lost before the full response arrived; it may have been billed."""


class AttemptTimeout(TransientError, TimeoutError):
    """The attempt took longer than its timeout; it may have been billed."""


class ServerFault(TransientError):
    """The provider failed: 500, 408, 409 or 504."""


class Overloaded(TransientError):
    """The provider is overloaded or away: 502, 503, 520-524 or 529."""


class BadBody(TransientError):
    """A 200 that is no answer: HTML, empty, cut, not JSON, or of the wrong shape."""


class RateLimited(ProviderError):
    """A 429: the pool pauses and the call goes again in its old place. No task ends with this."""


class PoolFailure(ProviderError):
    """No call of this quota can succeed now; or, where it is `alone`, one request was refused and the others go on.

    That is so where a status alone tells it, and the key (for a 404: the model) has been answered
    in this run; before, the third in a row ends it. `is_certain`: the provider's own words say that
    it concerns all.
    """

    alone = is_certain = False


class QuotaExhausted(PoolFailure):
    """No credit left, or a spend limit reached; by a bare 402 perhaps for one request, which then fails `alone`."""


class QuotaWait(PoolFailure):
    """A longer wait than ``Limits(max_wait)``, at once (`retry_after`: seconds) or by one 429 after another."""


class AuthFailed(PoolFailure):
    """The key is missing, wrong, or may not use this (401, 403); or one request may not pass, and fails `alone`."""


class ModelNotFound(PoolFailure):
    """No such model or path at this server (404); or what one request names is not there, and it fails `alone`."""


class Rejected(ProviderError):
    """This request can never succeed as it is."""


class BadRequest(Rejected):
    """The provider refuses the request's form (400, 422 and other 4xx)."""


class TooLong(Rejected):
    """Longer than the model's context window, or than the provider takes (413)."""


class TooBig(Rejected):
    """Needs more of the quota than a whole minute has, so waiting cannot help."""


class TlsFailed(Rejected):
    """TLS certificate verification failed; verification is never switched off."""


class Redirected(Rejected):
    """The server answered with a redirect, which is not followed: it would carry the key elsewhere."""


class AnswerTooLarge(Rejected):
    """The answer is larger than the cap on answers."""


class AnswerError(ProviderError):
    """An answer came and was paid for, but is not what was asked. It stays in ``result.response``."""


class Truncated(AnswerError):
    """The answer ends at the output limit; raise ``max_tokens``."""


class Refused(AnswerError):
    """The model declined to answer."""


class Filtered(AnswerError):
    """The provider's content filter stopped the prompt or the answer."""


class EmptyAnswer(AnswerError):
    """The answer is complete but empty, or only the model's thinking; it is tried once more."""

    default_retries = 1  # each of them is paid


class InvalidAnswer(AnswerError):
    """The answer does not fit the task's response_model; the message names where."""


class MissingFields(IngatherError):
    """An `ExtractTask` has no value for `fields`, which its model requires; what succeeded is in ``result.parts``.

    Its ``__cause__`` is the error of the first of them.
    """

    def __init__(self, message: str, *, fields: tuple[str, ...] = ()) -> None:
        super().__init__(redact(message))
        self.fields = fields


class StoreError(IngatherError):
    """The store cannot be written or read: an answer that cannot be kept is not bought. The run ends with it.

    `results`: what the run had come to by then, for the methods that give all results at once.
    """

    def __init__(self, message: str, results: Sequence[TaskResult] = ()) -> None:
        super().__init__(message)
        self.results = results


class StoreUnusable(StoreError, SetupError):
    """The store cannot be opened or migrated, is not one, or is newer; nothing was sent."""


class Stopped(IngatherError):
    """We ended it, not the provider."""


class Cancelled(Stopped):
    """Ended while it ran: by fail_fast, or by a CancelledError that the task's own code raised."""


class NotSent(Stopped):
    """Ended before it was sent: nothing was paid."""


class BudgetSpent(Stopped):
    """The `Budget` has no room left for the most that the call may cost, and nothing that is reserved will make any."""


class DeadlineExceeded(Stopped, TimeoutError):
    """The task's or the run's deadline passed."""
