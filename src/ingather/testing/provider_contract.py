"""What every provider of an API over HTTP must do, as a pytest suite for whoever writes one.

Subclass `ProviderContract` in a test file: say how yours is made, and what its API answers. pytest
then runs all of the suite against it, over a real connection to a local server.

    from ingather.testing.provider_contract import ProviderContract

    class TestAcme(ProviderContract):
        def connect(self, base_url, **options):
            return acme.connect("fast", base_url=base_url, **options)

        def answer(self, text):
            return {"reply": text, "tokens": {"in": 7, "out": 3}}
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from ingather import (
    LLMMessage,
    LLMResponse,
    LLMTask,
    ParallelLLMExecutor,
    Provider,
    RetryConfig,
    Store,
    run_sync,
)
from ingather.errors import (
    AttemptTimeout,
    AuthFailed,
    BadRequest,
    ProviderError,
    TransientError,
    Truncated,
)
from ingather.providers.base import WireProvider
from ingather.testing.contract_server import ContractServer, Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ingather import TaskResult

KEY = "contract-key-0123456789"
USAGE = (7, 3)
"""The input and output tokens that `ProviderContract.answer` tells of."""
_TEXT = 'Zażółć 你好 🙂 "quoted" \\ back'
_AGAIN = RetryConfig(max_attempts=3, initial_delay=0.001)


class City(BaseModel):
    """What is asked for where a schema is."""

    name: str
    founded: int


class ProviderContract:
    """The suite. Say `connect` and `answer`; `cut` and `error` where your API has them otherwise.

    `sends_key`: whether a key travels with each request.
    """

    sends_key = True

    def connect(self, base_url: str, **options: Any) -> Provider:
        """Your provider, asking the server at `base_url`; `options` are ``api_key`` and ``retry``."""
        raise NotImplementedError("make your provider here")

    def answer(self, text: str) -> object:
        """The body of a complete answer with this text, of 7 input tokens and 3 output tokens."""
        raise NotImplementedError("say what your API answers")

    def cut(self, text: str) -> object | None:
        """The same where the answer was cut at the limit; None where your API does not tell."""
        del text
        return None

    def error(self, message: str) -> object:
        """The body of an error."""
        return {"error": {"message": message}}

    @pytest.fixture
    def server(self) -> Iterator[ContractServer]:
        """A server without replies as yet."""
        with ContractServer() as server:
            yield server

    @pytest.fixture
    def provider(self, server: ContractServer) -> Iterator[Provider]:
        """Yours, asking that server."""
        provider = self.connect(server.base_url, api_key=KEY, retry=_AGAIN)
        yield provider
        if (close := getattr(provider, "aclose", None)) is not None:
            run_sync(close())

    # -- answers

    def test_an_answer_comes_with_its_text_and_its_usage(
        self, server: ContractServer, provider: Provider
    ) -> None:
        server.script = [self._good(_TEXT)]
        response = run_sync(_complete(provider))
        assert isinstance(response, LLMResponse)
        assert response.content == _TEXT
        assert response.usage is not None
        assert (response.usage.input_tokens, response.usage.output_tokens) == USAGE

    def test_the_prompt_travels_as_it_is(self, server: ContractServer, provider: Provider) -> None:
        server.script = [self._good()]
        _one(provider, _TEXT)
        assert _TEXT in [
            text for each in server.requests for text in _strings(json.loads(each.body))
        ]

    def test_parameters_travel(self, server: ContractServer, provider: Provider) -> None:
        server.script = [self._good()]
        _one(provider, LLMTask("Hi", temperature=0.125))
        assert any(b"0.125" in request.body for request in server.requests)

    def test_a_schema_is_answered_with_an_instance(
        self, server: ContractServer, provider: Provider
    ) -> None:
        server.script = [self._good('{"name": "Bergen", "founded": 1070}')]
        result = _one(provider, LLMTask("Which city?", response_model=City))
        assert result.value == City(name="Bergen", founded=1070)
        assert any(b"founded" in request.body for request in server.requests)

    def test_a_cut_answer_is_truncated(self, server: ContractServer, provider: Provider) -> None:
        if (body := self.cut("Half an ans")) is None:
            pytest.skip("this API does not tell of cuts")
        server.script = [Scripted(200, body)]
        result = _one(provider, "Hi")
        assert isinstance(result.error, Truncated)
        assert result.response is not None
        assert result.response.content == "Half an ans"

    @pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"{}", b"", b"[]", b'{"a": 1'])
    def test_what_is_no_answer_is_a_typed_error(
        self, server: ContractServer, provider: Provider, body: bytes
    ) -> None:
        server.script = [Scripted(200, body)]
        assert isinstance(_one(provider, "Hi").error, ProviderError)

    # -- pacing

    def test_never_more_at_once_than_the_bound(
        self, server: ContractServer, provider: Provider
    ) -> None:
        server.script = [self._good()]
        results = run_sync(ParallelLLMExecutor(provider, 3).gather(map(str, range(30))))
        assert all(result.success for result in results)
        assert len(server.requests) == 30
        assert server.most_at_once <= 3

    def test_a_429_is_waited_for_and_is_no_failure(
        self, server: ContractServer, provider: Provider
    ) -> None:
        limited = Scripted(429, self.error("slow down"), {"Retry-After": "0.01"})
        server.script = [limited, limited, self._good()]
        result = _one(provider, "Hi")
        assert result.success
        assert (result.attempts, result.rejected, len(server.requests)) == (3, 2, 3)

    # -- errors and retries

    @pytest.mark.parametrize("status", [500, 502, 503])
    def test_a_fault_is_tried_again(
        self, server: ContractServer, provider: Provider, status: int
    ) -> None:
        server.script = [Scripted(status, self.error("oops")), self._good()]
        result = _one(provider, "Hi")
        assert result.success
        assert result.attempts == len(server.requests) == 2

    def test_a_fault_that_stays_is_told_as_one(
        self, server: ContractServer, provider: Provider
    ) -> None:
        server.script = [Scripted(500, self.error("oops"))]
        result = _one(provider, "Hi")
        assert isinstance(result.error, TransientError)
        assert result.attempts == len(server.requests) == 3

    def test_a_lost_connection_is_tried_again(
        self, server: ContractServer, provider: Provider
    ) -> None:
        server.script = [Scripted(0), self._good()]
        result = _one(provider, "Hi")
        assert result.success
        assert result.attempts == len(server.requests) == 2

    def test_a_bad_request_is_not_tried_again(
        self, server: ContractServer, provider: Provider
    ) -> None:
        server.script = [Scripted(400, self.error("no such parameter"))]
        result = _one(provider, "Hi")
        assert isinstance(result.error, BadRequest)
        assert "no such parameter" in str(result.error)
        assert len(server.requests) == 1

    def test_a_wrong_key_is_said_as_such_and_not_shown(
        self, server: ContractServer, provider: Provider
    ) -> None:
        server.script = [Scripted(401, self.error(f"wrong key {KEY}"))]
        result = _one(provider, "Hi")
        assert isinstance(result.error, AuthFailed)
        assert len(server.requests) == 1
        assert KEY not in f"{result.error!r} {result.error} {provider!r}"

    def test_the_key_travels_in_a_header_alone(
        self, server: ContractServer, provider: Provider
    ) -> None:
        if not self.sends_key:
            pytest.skip("this API has no keys")
        server.script = [self._good()]
        _one(provider, "Hi")
        assert len(server.requests) == 1
        assert any(KEY in value for value in server.requests[0].headers.values())
        assert KEY not in server.requests[0].path
        assert KEY.encode() not in server.requests[0].body

    # -- time

    def test_a_timeout_ends_the_attempt(self, server: ContractServer, provider: Provider) -> None:
        server.script = [Scripted(-1)]
        task = LLMTask("Hi", timeout=0.05, retry=RetryConfig(max_attempts=1))
        assert isinstance(_one(provider, task).error, AttemptTimeout)

    def test_a_cancelled_call_hangs_up(self, server: ContractServer, provider: Provider) -> None:
        server.script = [Scripted(-1)]

        async def cancelled() -> None:
            call = asyncio.ensure_future(_complete(provider))
            while not server.requests:  # noqa: ASYNC110 - the server is in another thread
                await asyncio.sleep(0.001)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

        run_sync(cancelled())
        assert server.hung_up.wait(10)

    # -- what lets answers be remembered

    def test_equal_requests_are_equal_bytes(
        self, server: ContractServer, provider: Provider
    ) -> None:
        if not isinstance(provider, WireProvider):
            pytest.skip("it has no `prepare` and `send`: its answers are not stored")
        one, other = (provider.prepare(_messages(), {"temperature": 0.5}) for _ in range(2))
        assert one == other
        assert one.identity != provider.prepare(_messages("Bye")).body
        assert KEY.encode() not in one.body + one.identity
        assert not server.requests

    def test_a_stored_answer_is_not_asked_for_again(
        self, server: ContractServer, provider: Provider, tmp_path: Path
    ) -> None:
        if not isinstance(provider, WireProvider):
            pytest.skip("it has no `prepare` and `send`: its answers are not stored")
        server.script = [self._good()]
        with Store(tmp_path / "contract.db") as store:
            executor = ParallelLLMExecutor(provider, store=store)
            first, second = (run_sync(executor.gather(["Hi"]))[0] for _ in range(2))
        assert first.unwrap().content == second.unwrap().content
        assert (first.cached, second.cached, len(server.requests)) == (False, True, 1)

    def _good(self, text: str = "Paris") -> Scripted:
        return Scripted(200, self.answer(text))


def _messages(text: str = "Hi") -> list[LLMMessage]:
    return [LLMMessage("user", text)]


async def _complete(provider: Provider) -> LLMResponse:
    return await provider.complete(_messages())


def _one(provider: Provider, task: LLMTask | str) -> TaskResult:
    task = LLMTask(task) if isinstance(task, str) else task
    [result] = run_sync(ParallelLLMExecutor(provider).gather([task]))
    return result


def _strings(value: object) -> list[str]:
    """All strings in a JSON value."""
    if isinstance(value, dict):
        return [text for each in value.values() for text in _strings(each)]
    if isinstance(value, list):
        return [text for each in value for text in _strings(each)]
    return [value] if isinstance(value, str) else []
