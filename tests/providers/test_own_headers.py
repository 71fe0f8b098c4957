"""Headers of the user's own: sent with every request, told to nobody, and never in place of what the wire needs."""

import json
import pickle
import traceback
from contextlib import suppress

import pytest

from ingather import LLMMessage, LLMTask, ParallelLLMExecutor, Store, connect
from ingather.errors import ProviderError, SetupError
from ingather.providers.dialect_provider import DialectProvider
from ingather.providers.own_headers import OwnHeaders, parsed_header
from ingather.testing.recorder import Recorder
from tests.servers.raw import RawServer, answer, completion

CANARY = "canary.7f3a9c/do+not=tell"
HI = [LLMMessage("user", "Hi")]
ECHO = json.dumps({"error": {"message": f"you said {CANARY}", "code": CANARY}})


def made(*, base_url="http://localhost:8000/v1", model="openai/m", **options):
    provider = connect(model, base_url=base_url, **options)
    assert isinstance(provider, DialectProvider)
    return provider


def request_of(provider):
    return provider.prepare(HI)


@pytest.mark.parametrize("model", ["openai/m", "anthropic/m", "gemini/m", "vllm/m", "groq/m"])
async def test_headers_go_with_every_request(model):
    async with RawServer(answer(completion())) as server:
        provider = made(
            base_url=server.url, model=model, headers={"X-Team": "search", "User-Agent": "mine"}
        )
        for _ in range(2):
            with suppress(ProviderError):  # of a dialect with other answers
                await provider.complete(HI)
        await provider.aclose()
    assert {(each.headers["x-team"], each.headers["user-agent"]) for each in server.requests} == {
        ("search", "mine")
    }


async def error_of(provider):
    """Asked here, where no local variable holds what the server was sent."""
    with pytest.raises(ProviderError) as caught:
        await provider.complete(HI)
    await provider.aclose()
    return caught.value


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
async def test_values_are_in_no_error(status):
    async with RawServer(answer(ECHO, status, x_request_id=CANARY)) as server:
        provider = made(
            base_url=server.base_url,
            headers={"Authorization": f"Bearer {CANARY}", "X-Gateway": CANARY},
        )
        error = await error_of(provider)
        assert server.requests[0].headers["authorization"] == f"Bearer {CANARY}"
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    told = [
        *shown.format(),
        repr(vars(error)),
        repr(provider),
        repr(vars(provider)),
        repr(request_of(provider)),
    ]
    assert [line for line in told if CANARY in line] == []


@pytest.mark.blocking_ok  # the store is opened and closed here
async def test_values_are_in_no_store_and_no_recording(tmp_path):
    async with RawServer(answer(completion())) as server:
        provider = made(
            base_url=server.base_url, headers={"X-Portkey-Config": CANARY, "X-Api-Token": CANARY}
        )
        recorder = Recorder(provider, tmp_path / "said.jsonl")
        with Store(tmp_path / "run.db") as store:
            async with ParallelLLMExecutor(recorder, store=store) as executor:
                (result,) = await executor.gather([LLMTask("Hi")])
        assert result.success
    assert [path.name for path in tmp_path.iterdir() if CANARY.encode() in path.read_bytes()] == []


@pytest.mark.parametrize(
    "value", [f"Bearer {CANARY}", f"a=b; session={CANARY}", f"Key  {CANARY}, other"]
)
async def test_pieces_of_a_secret_are_secret_too(value):
    async with RawServer(answer(ECHO, 400)) as server:
        error = await error_of(made(base_url=server.base_url, headers={"Cookie": value}))
    assert CANARY not in f"{error} {error.body}"


def test_repr_and_pickle_tell_nothing():
    headers = OwnHeaders({"X-Team": CANARY})
    assert repr(headers) == "OwnHeaders(X-Team)"
    with pytest.raises(TypeError):
        pickle.dumps(headers)


@pytest.mark.parametrize(
    "name",
    [
        "Host",
        "content-length",
        "Transfer-Encoding",
        "Connection",
        "Content-Type",
        "Accept-Encoding",
        "TE",
    ],
)
def test_headers_of_the_connection_are_refused(name):
    with pytest.raises(SetupError, match="belongs to the connection"):
        made(headers={name: "x"})


@pytest.mark.parametrize(
    "name", ["", "X Team", "X-Team:", "X-Tëam", "X-Team\r\nX-Other", f"X: {CANARY}", 5]
)
def test_name_that_is_none(name):
    with pytest.raises(SetupError, match="is not the name of a header") as caught:
        made(headers={name: "x"})
    assert CANARY not in str(caught.value)


@pytest.mark.parametrize(
    "value", [f"{CANARY}\r\nX-Other: 1", f"{CANARY}\n", f"{CANARY}\0", f"{CANARY}ä", 5, None]
)
def test_value_that_is_none(value):
    with pytest.raises(SetupError, match="the value of the header X-Team") as caught:
        made(headers={"X-Team": value})
    assert CANARY not in str(caught.value)


def test_name_that_is_there_twice():
    with pytest.raises(SetupError, match="twice"):
        made(headers={"X-Team": "a", "x-team": "b"})


@pytest.mark.parametrize("headers", ["X-Team: a", [("X-Team", "a")], 5])
def test_headers_are_a_mapping(headers):
    with pytest.raises(SetupError, match="headers are a mapping"):
        made(headers=headers)


def test_header_that_is_a_key_stands_in_place_of_the_key(monkeypatch):
    provider = made(base_url="https://gateway.example/v1", headers={"authorization": "Bearer mine"})
    assert provider._endpoint.headers.get("Authorization") is None
    assert provider._endpoint.headers["authorization"] == "Bearer mine"
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    home = made(base_url="https://api.openai.com/v1", headers={"Authorization": "Bearer mine"})
    assert CANARY not in str(dict(home._endpoint.headers))
    with pytest.raises(SetupError, match=r"api_key= and the header Authorization are both a key"):
        made(api_key=CANARY, headers={"Authorization": "Bearer mine"})


@pytest.mark.parametrize(
    ("model", "header"),
    [
        ("openai/m", "Authorization"),
        ("groq/m", "Authorization"),
        ("anthropic/m", "X-Api-Key"),
        ("gemini/m", "x-goog-api-key"),
        ("azure/m", "api-key"),
    ],
)
def test_header_that_a_key_travels_in_is_not_both(model, header):
    with pytest.raises(SetupError, match=f"api_key= and the header {header} are both a key"):
        made(model=model, api_key=CANARY, headers={header: "x"})


@pytest.mark.parametrize("header", ["x-api-key", "Ocp-Apim-Subscription-Key", "x-portkey-api-key"])
def test_key_of_a_gateway_stands_beside_ours(header, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "https://gateway.example/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine-1234")
    sent = made(base_url=None, headers={header: CANARY})._endpoint.headers
    assert (sent[header], sent["Authorization"]) == (CANARY, "Bearer sk-mine-1234")


def test_token_in_place_of_the_key_of_anthropic_or_azure():
    for model in ("anthropic/m", "azure/m", "gemini/m"):
        sent = made(
            model=model, base_url="https://gateway.example", headers={"Authorization": "Bearer t"}
        )
        assert sent._endpoint.headers["Authorization"] == "Bearer t"


@pytest.mark.parametrize("name", ["Authorization", "X-Api-Key", "Cookie", "X-Auth-Token"])
def test_secret_does_not_cross_the_internet_unencrypted(name):
    with pytest.raises(SetupError, match="unencrypted"):
        made(base_url="http://gateway.example/v1", api_key="", headers={name: CANARY})
    assert made(base_url="http://gateway.example/v1", api_key="", headers={"X-Team": "a"})


def test_accounts_have_quotas_of_their_own():
    plain, same, *others = (
        request_of(made(api_key=CANARY, headers=headers)).quota.key
        for headers in (
            {},
            {"X-Title": "App"},
            {"OpenAI-Organization": "a"},
            {"OpenAI-Organization": "b"},
        )
    )
    assert plain == same
    assert len({plain, *others}) == 3
    assert CANARY not in "".join((plain, *others))


def test_what_may_change_an_answer_is_in_its_identity_and_what_may_not_is_not():
    identities = {
        name: request_of(made(headers=headers)).identity
        for name, headers in {
            "none": {},
            "beta": {"Anthropic-Beta": "a"},
            "other beta": {"Anthropic-Beta": "b"},
            "trace": {"X-Request-Id": "1", "traceparent": "2"},
            "key": {"Authorization": "Bearer a"},
        }.items()
    }
    assert identities["none"] == identities["trace"] == identities["key"]
    assert len({identities["none"], identities["beta"], identities["other beta"]}) == 3


def test_header_as_it_is_written_on_the_command_line():
    assert parsed_header("X-Team:search") == ("X-Team", "search")
    assert parsed_header("X-Url: http://a:1") == ("X-Url", "http://a:1")
    for written in (CANARY, f": {CANARY}"):
        with pytest.raises(SetupError, match="NAME:VALUE") as caught:
            parsed_header(written)
        assert CANARY not in str(caught.value)


@pytest.mark.parametrize("model", ["echo", "offline/extractive"])
def test_what_has_no_server_takes_no_headers(model):
    with pytest.raises(SetupError, match="has no server"):
        connect(model, headers={"X-Team": "a"})
