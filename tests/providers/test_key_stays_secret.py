"""The key is in no message, repr, traceback, log or pickle, whatever goes wrong and whatever a server echoes."""

import copy
import gzip
import json
import logging
import pickle
import traceback
from typing import Any

import pytest

from ingather import LLMMessage, connect
from ingather.errors import ProviderError, SetupError
from ingather.providers.api_key import Secret
from ingather.transport import Endpoint
from tests.servers.raw import RawServer, answer, chunked, completion

CANARY = "canary.7f3a9c/do+not=tell"  # no form of key that a pattern knows
HI = [LLMMessage("user", "Hi")]
ECHO = f"your key is {CANARY}, Bearer {CANARY}"
ERROR = json.dumps({"error": {"message": ECHO, "code": CANARY, "type": CANARY}})


async def hang_up(exchange):
    exchange.writer.close()


async def reset(exchange):
    exchange.reset()


async def silence(exchange):
    await exchange.hung_up()


FAULTS = {
    **{
        f"{status}": answer(ERROR, status, x_request_id=CANARY)
        for status in (400, 401, 403, 404, 413, 429, 500, 503)
    },
    "page": answer(f"<html><title>{ECHO}</title></html>", 502),
    "redirect": answer(b"", 307, location=f"https://x:{CANARY}@elsewhere/?key={CANARY}"),
    "error in a 200": answer(ERROR),
    "no JSON": answer(ECHO),
    "the end of a long body": answer("x" * 190 + ECHO),
    "no completion": answer(json.dumps({"choices": ECHO})),
    "cut": answer(completion("half", "length", model=CANARY, id=CANARY)),
    "refused": answer(json.dumps({"choices": [{"message": {"content": None, "refusal": ECHO}}]})),
    "damaged": answer(gzip.compress(ECHO.encode())[:-5], content_encoding="gzip"),
    "encoded": answer(ECHO, content_encoding=CANARY[:20]),
    "chunks": answer(chunked(ECHO.encode())[:-5] + b"\r\nzz\r\n", transfer_encoding="chunked"),
    "no HTTP": f"HTTP/1.1 {ECHO}\r\n\r\n".encode(),
    "hang up": hang_up,
    "reset": reset,
    "silence": silence,
}


def connected(base_url, **options) -> Any:
    return connect("openai/m", base_url=base_url, **options)


def everything_told(error):
    """All that a log, a crash report or a debugger's user may see of an error, the locals of its frames included."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    # that is the answer itself
    attributes = {name: value for name, value in vars(error).items() if name != "response"}
    told = [str(error), repr(error), *shown.format(), repr(attributes)]
    while error is not None:
        told += [str(error), repr(error), repr(error.args)]
        error = error.__cause__ or error.__context__
    return "\n".join(told)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_key_is_in_no_error(fault, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    async with RawServer(fault) as server:
        provider = connected(server.base_url, api_key=CANARY, timeout=0.2)
        with pytest.raises(ProviderError) as caught:
            await provider.complete(HI)
        await provider.aclose()
    assert server.requests[0].headers["authorization"] == f"Bearer {CANARY}"
    told = everything_told(caught.value.with_traceback(_own_frames(caught.value.__traceback__)))
    assert CANARY not in told + caplog.text + "".join(capsys.readouterr())
    assert CANARY[:12] not in told.replace(repr(CANARY[:20]), "")


def _own_frames(trace):
    """Without this test's own frame, whose locals hold the canary."""
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return trace


OTHERS: dict[str, dict] = {
    "openai/m": {"api": "responses"},
    "azure/m": {},
    "ollama/m": {},
    "anthropic/m": {"schema_mode": "tool"},
    "gemini/m": {},
}


@pytest.mark.parametrize(
    "fault", ["400", "401", "429", "error in a 200", "no JSON", "no completion"]
)
@pytest.mark.parametrize(("model", "options"), OTHERS.items())
async def test_key_is_in_no_error_of_a_relative(model, options, fault):
    async with RawServer(FAULTS[fault]) as server:
        provider: Any = connect(model, base_url=server.base_url, api_key=CANARY, **options)
        with pytest.raises(ProviderError) as caught:
            await provider.complete(HI)
        await provider.aclose()
    headers = server.requests[0].headers
    names = ("authorization", "api-key", "x-api-key", "x-goog-api-key")
    assert [headers[name].removeprefix("Bearer ") for name in names if name in headers] == [CANARY]
    assert CANARY not in everything_told(
        caught.value.with_traceback(_own_frames(caught.value.__traceback__))
    )
    assert CANARY not in f"{provider!r} {vars(provider)} {provider.prepare(HI)!r}"


async def test_key_is_in_no_error_of_a_server_that_is_not_there():
    provider = connected("http://127.0.0.1:9/v1", api_key=CANARY)
    with pytest.raises(ProviderError) as caught:
        await provider.complete(HI)
    await provider.aclose()
    assert CANARY not in everything_told(caught.value)


def test_key_is_in_no_repr():
    provider = connected("http://127.0.0.1:9/v1", api_key=CANARY)
    told = f"{provider!r} {provider} {vars(provider)} {provider.prepare(HI)!r}"
    assert CANARY not in told
    assert CANARY not in repr(Endpoint("http://x", {"Authorization": CANARY}))


@pytest.mark.parametrize(
    "keeper", [Secret(CANARY), Endpoint("http://x", {"Authorization": CANARY})], ids=repr
)
def test_keeper_of_a_key_refuses_to_be_pickled(keeper):
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(keeper)
    with pytest.raises(TypeError):
        json.dumps(keeper)


def test_secret_is_copied_as_itself():
    secret = Secret(CANARY)
    assert copy.deepcopy({"a": [secret]})["a"][0] is copy.copy(secret) is secret
    assert secret.reveal() == CANARY


def test_fingerprints_tell_keys_apart():
    assert Secret("a-key").fingerprint == Secret("a-key").fingerprint != Secret("b-key").fingerprint


@pytest.mark.parametrize(
    "key", ["", " ", "sk-abc\n", " sk-abc", "sk abc\r\nX-Evil: 1", "ключ", "sk\0"]
)
def test_key_that_no_header_can_carry_is_refused_and_not_shown(key):
    with pytest.raises(SetupError, match="strip it") as caught:
        Secret(key)
    assert not key.strip() or key not in str(caught.value)


async def test_short_key_does_not_eat_ordinary_words():
    async with RawServer(answer('{"error":{"message":"none of the models"}}', 400)) as server:
        provider = connected(server.base_url, api_key="none")
        with pytest.raises(ProviderError, match="none of the models"):
            await provider.complete(HI)
        await provider.aclose()
