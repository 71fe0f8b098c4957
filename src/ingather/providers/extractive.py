"""The embedded model: a deterministic baseline, not a language model. No key, no network, no price."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ingather import exact_json
from ingather.errors import BadRequest, ProviderError, Refused, SetupError, Truncated
from ingather.extractive import VERSION, NothingFits, SchemaError, answer, json_answer
from ingather.limits.tokens import BYTES_PER_TOKEN
from ingather.process.threads import run_in_thread
from ingather.providers.base import QuotaKey, Request
from ingather.providers.body import checked, encoded, estimate
from ingather.providers.several import refuse_several
from ingather.response import LLMResponse, Usage
from ingather.task import as_messages

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ingather.limits import Limits
    from ingather.retry import RetryConfig
    from ingather.task import LLMMessage

MODELS = ("extractive",)
_WHAT = "a baseline that copies from the prompt by rules, not a language model"
_LIMITS = ("max_completion_tokens", "max_tokens")
_CALLS = ("tools", "tool_choice", "functions", "function_call")


class ExtractiveProvider:
    """Fills any JSON schema from the prompt's own words: a baseline that copies by rules, not a language model.

    The same request always gets the same answer. What the text does not say is null or empty; where
    the schema requires it all the same, the answer is `Refused`, never invented. Without a schema
    the answer is the sentence that fits the question best. Its work is done in a thread, `usage` is
    an estimate of a token for every four bytes, and every call costs 0 USD. Of the parameters it
    heeds ``response_format`` and ``max_tokens``; it has nothing to sample.

    `params`: parameters of every request, under those of the task. Raises `SetupError` for a model
    that there is not.

    >>> ExtractiveProvider()
    ExtractiveProvider('extractive', version 1: a baseline, not a language model)
    """

    retry: RetryConfig | None = None
    is_free = True
    schema_mode: str | None = "native"
    schema_lengths = True
    schema_words = False
    schema_ceiling = None
    max_output = None

    def __init__(
        self,
        model: str = "extractive",
        *,
        params: Mapping[str, object] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.model = _known(model)
        self.limits = limits
        self._defaults = checked(params or {})
        self._identity = f"offline/{model}\0{VERSION}".encode()
        self._quota = QuotaKey("offline", "", "", model)
        _form(self._defaults)

    def prepare(
        self, messages: Sequence[LLMMessage], config_overrides: Mapping[str, object] | None = None
    ) -> Request:
        """The request, encoded: pure. Its identity holds the version of the model's answers.

        Raises `SetupError` for parameters that it cannot heed, `BadRequest` for messages that are
        no text.
        """
        params = {**self._defaults, **checked(config_overrides or {})}
        refuse_several(params, "offline/extractive")
        _known(str(params.get("model") or self.model))
        limit = next((params[name] for name in _LIMITS if params.get(name) is not None), None)
        turns = [[message.role, _text(message, index)] for index, message in enumerate(messages)]
        body: dict[str, object] = {"messages": turns, **_form(params)}
        if limit is not None:
            body["max_tokens"] = limit
        return Request(
            encoded(body, messages), self._identity, self._quota, estimate(messages, limit)
        )

    async def send(self, request: Request) -> LLMResponse:
        """Answer in a thread. Raises `Refused`, `Truncated`, and `BadRequest` for a schema that nothing can satisfy."""
        outcome = await run_in_thread(partial(_outcome, request, self.model), repr(self))
        if isinstance(outcome, ProviderError):
            outcome.provider, outcome.model = "offline", self.model
            raise outcome
        assert isinstance(outcome, LLMResponse)  # noqa: S101 - there is no third kind
        return outcome

    async def complete(
        self,
        messages: str | Sequence[LLMMessage],
        config_overrides: Mapping[str, object] | None = None,
    ) -> LLMResponse:
        """Prepare and send: one attempt. A string is one user message."""
        return await self.send(self.prepare(as_messages(messages), config_overrides))

    async def aclose(self) -> None:
        """Nothing to close."""

    def __repr__(self) -> str:
        return f"ExtractiveProvider({self.model!r}, version {VERSION}: a baseline, not a language model)"


def _outcome(request: Request, model: str) -> LLMResponse | ProviderError:
    """The answer, or the error that it amounts to."""
    asked = exact_json.loads(request.body)
    turns = [(role, text) for role, text in asked["messages"]]
    try:
        as_json = asked.get("schema") is not None or bool(asked.get("as_json"))
        text = json_answer(turns, asked.get("schema")) if as_json else answer(turns)
    except SchemaError as error:
        return BadRequest(f"response_format: {error}")
    except NothingFits as error:
        response = _response("", "refusal", model, request)
        response.metadata |= {"refusal": str(error), "field": error.field}
        return Refused(f"the model declined: {error}", response=response)
    cut = _cut(text, asked.get("max_tokens"))
    if len(cut) < len(text):
        why = "the answer ends at the output limit: raise max_tokens"
        return Truncated(why, response=_response(cut, "length", model, request))
    return _response(text, "stop", model, request)


def _response(text: str, finish: str, model: str, request: Request) -> LLMResponse:
    usage = Usage(request.estimate.input, _tokens(text))
    metadata: dict[str, object] = {
        "baseline": _WHAT,
        "version": VERSION,
        "usage": "an estimate: 4 bytes a token",
    }
    return LLMResponse(text, model, finish, usage, metadata=metadata, cost_usd=0.0)


def _tokens(text: str) -> int:
    return int(-(-len(text.encode()) // BYTES_PER_TOKEN))


def _cut(text: str, limit: object) -> str:
    size = int(limit * BYTES_PER_TOKEN) if isinstance(limit, int) else len(text.encode())
    return text.encode()[:size].decode(errors="ignore")


def _known(model: str) -> str:
    if model not in MODELS:
        there = " and ".join(f'"offline/{name}"' for name in MODELS)
        raise SetupError(f"there is no offline/{model}: write {there}")
    return model


def _text(message: LLMMessage, index: int) -> str:
    """The text of a message, its parts joined; `BadRequest` for pictures and the like."""
    content = message.content
    if content is None or isinstance(content, str):
        return content or ""
    parts = [
        part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
        for part in content
    ]
    if not all(isinstance(part, str) for part in parts):
        raise BadRequest(f"messages[{index}]: offline/extractive reads text only")
    return "\n".join(part for part in parts if isinstance(part, str))


def _form(params: Mapping[str, object]) -> dict[str, object]:
    """The form of the answer: a schema, any JSON object, or text. Raises `SetupError` for one that it cannot give."""
    for name in _CALLS:
        if params.get(name):
            raise SetupError(
                f"{name}: offline/extractive calls no functions; ask for a response_format"
            )
    for name in _LIMITS:
        limit = params.get(name)
        if limit is not None and (
            not isinstance(limit, int) or isinstance(limit, bool) or limit < 1
        ):
            raise SetupError(f"{name} is a positive number of tokens, not {limit!r}")
    form = params.get("response_format")
    if form is None:
        return {}
    kind = form.get("type") if isinstance(form, dict) else None
    if kind == "text":
        return {}
    if kind == "json_object":
        return {"as_json": True}
    within = form.get("json_schema") if isinstance(form, dict) else None
    schema = within.get("schema") if kind == "json_schema" and isinstance(within, dict) else None
    if not isinstance(schema, dict):
        raise SetupError(
            'response_format is {"type": "json_schema", "json_schema": {"name": …, "schema": {…}}}'
        )
    return {"schema": schema}
