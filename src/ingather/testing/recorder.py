"""A provider that records what another one says, and says it again without a network."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Literal

import orjson

from ingather import exact_json
from ingather.errors import SetupError
from ingather.providers.base import WireProvider
from ingather.providers.capabilities import NAMES, capabilities_of
from ingather.providers.classify import classify_exception
from ingather.redact import redact
from ingather.task import as_messages
from ingather.testing.recording import Outcome, Recording

if TYPE_CHECKING:
    import os
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from ingather.providers.base import Provider, Request
    from ingather.response import LLMResponse
    from ingather.task import LLMMessage

Mode = Literal["auto", "replay", "record"]
_MODES = ("auto", "replay", "record")

_SAID = ("role", "content", "name", "function_call", "tool_calls")


class NotRecorded(SetupError):
    """A `Recorder` that only replays was asked for what its file does not have; the message says how to record it."""


class Recorder:
    """Asks `provider` once and keeps what it says in `path`; from then on it says the same without a network.

    `provider`: any provider; what it says of itself (its `retry`, `limits`, `schema_mode`, that it
    is free …) holds here too. `path`: a file of JSON lines, one for each exchange, readable by you
    alone (mode 0600), without keys: whatever `redact` finds is taken out. `mode`: ``"auto"``
    replays what the file has and records the rest, ``"replay"`` never asks the provider,
    ``"record"`` begins the file anew, with the first answer.

    A request is known by its messages and parameters. One that comes again has an answer for each
    time, in order. Errors are recorded too, and come again as the same type; a foreign one that
    carries no HTTP answer, and is none of Python's own, comes as RuntimeError. A 429 that is
    replayed asks for no wait.

    Raises `NotRecorded` for a request that the file does not have, where it only replays;
    SetupError for a file that is not a recording, and for an unknown mode.

    >>> from ingather import EchoProvider
    >>> from ingather.testing import Recorder
    >>> Recorder(EchoProvider(), "tests/answers.jsonl", mode="replay")
    Recorder(EchoProvider(0 calls, 0 scripted), Recording('tests/answers.jsonl', not read yet), replay)
    """

    def __init__(
        self, provider: Provider, path: str | os.PathLike[str], *, mode: Mode = "auto"
    ) -> None:
        if mode not in _MODES:
            raise SetupError(f"mode is one of {', '.join(_MODES)}, not {mode!r}")
        self.provider = provider
        self.mode = mode
        self._recording = Recording(path, anew=mode == "record")
        self.capabilities = capabilities_of(provider)
        self._wire = provider if isinstance(provider, WireProvider) else None
        # only then has it what makes the engine freeze and pace its requests
        if self._wire is not None:
            self.prepare, self.send = self._wire.prepare, self._send

    def __getattr__(self, name: str) -> object:
        if name in NAMES:  # which it has as its provider has them
            return getattr(self.capabilities, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    async def complete(
        self,
        messages: str | Sequence[LLMMessage],
        config_overrides: Mapping[str, object] | None = None,
    ) -> LLMResponse:
        """What was said to these messages; else the provider's answer, which is kept."""
        messages = as_messages(messages)
        if self._wire is not None:
            return await self._send(self._wire.prepare(messages, config_overrides))
        said = [
            {name: value for name in _SAID if (value := getattr(one, name))} for one in messages
        ]
        params = dict(config_overrides or {})
        asked: dict[str, object] = {"messages": said, "params": params}
        return await self._exchange(
            asked,
            lambda: self.provider.complete(messages, None if config_overrides is None else params),
        )

    async def aclose(self) -> None:
        """Close the provider."""
        close = getattr(self.provider, "aclose", None)
        if close is not None:
            await close()

    async def _send(self, request: Request) -> LLMResponse:
        assert self._wire is not None  # noqa: S101 - it is made `send` only then
        wire, quota = self._wire, request.quota
        asked = {
            "provider": quota.provider,
            "model": quota.model,
            "body": exact_json.loads(request.asked),
        }
        return await self._exchange(asked, lambda: wire.send(request))

    async def _exchange(
        self, asked: dict[str, object], ask: Callable[[], Awaitable[LLMResponse]]
    ) -> LLMResponse:
        occurrence = self._recording.next(
            _digest(asked)
        )  # before it waits for anything: equal requests keep their order
        if not self._recording.is_read:
            await asyncio.to_thread(self._recording.read)
        known = None if self.mode == "record" else self._recording.find(occurrence)
        if known is not None:
            return known.again()
        if self.mode == "replay":
            raise NotRecorded(self._unknown(asked, occurrence.key))
        try:
            said: LLMResponse | Exception = await ask()
        except Exception as error:
            said = error
        outcome = Outcome.of(classify_exception(said) if isinstance(said, Exception) else said)
        await asyncio.to_thread(self._recording.add, occurrence, asked, outcome)
        if isinstance(said, Exception):
            raise said
        return said

    def _unknown(self, asked: dict[str, object], key: str) -> str:
        times, path = self._recording.times(key), self._recording.path
        found = (
            f"has this request {times} times, and it came once more"
            if times
            else "does not have this request"
        )
        request = redact(
            exact_json.dumps(asked, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
        )
        how = "record it by running once with mode='auto', or all anew with mode='record'"
        return f"{path} {found}; {how}: {request:.300}"

    def __repr__(self) -> str:
        return f"Recorder({self.provider!r}, {self._recording!r}, {self.mode})"


def _digest(asked: dict[str, object]) -> str:
    order = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    return hashlib.sha256(exact_json.dumps(asked, default=repr, option=order)).hexdigest()[:32]
