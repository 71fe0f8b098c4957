import asyncio
from contextlib import suppress

import aiohttp
import pytest

from ingather.testing import Fault, Reply, Say
from ingather.testing.simulator.faults import BY_CHANCE, Script
from tests.simulator.asking import asking, body, content


async def raw(sim, session, **more):
    async with session.post(f"{sim.base_url}/chat/completions", json=body(**more)) as got:
        return got.status, got.content_type, await got.read()


async def test_first_a_500_and_then_an_answer():
    async with asking(script=["500", "ok"]) as (sim, ask):
        answers = [await ask() for _ in range(3)]
        assert [status for status, _, _ in answers] == [500, 200, 200]
        assert answers[0][2]["error"]["type"] == "server_error"
        assert [call.fault for call in sim.ledger] == ["500", "", ""]


async def test_a_script_for_the_prompts_that_hold_a_text():
    async with asking(script={"row 1": ["503", "503"], "row 2": ["500"]}) as (_, ask):
        assert [
            (await ask(text))[0] for text in ("row 2", "row 1", "row 3", "row 1", "row 1", "row 2")
        ] == [
            500,
            503,
            200,
            503,
            200,
            200,
        ]


async def test_a_function_decides_by_the_request_and_so_each_time_alike():
    def decide(prompt, schema):
        if "row 8" in prompt and schema is None:
            return Say("no JSON")
        return "400" if "row 7" in prompt else None

    form = {
        "type": "json_schema",
        "json_schema": {"name": "a", "schema": {"type": "object", "properties": {}}},
    }
    async with asking(script=decide) as (sim, ask):
        asked = [
            ("row 7", {}),
            ("row 8", {}),
            ("row 8", {"response_format": form}),
            ("row 9", {}),
            ("row 7", {}),
        ]
        assert [(await ask(text, **more))[0] for text, more in asked] == [400, 200, 200, 200, 400]
        assert [call.fault for call in sim.ledger] == ["400", "said", "", "", "400"]


async def test_a_request_brings_its_own_script():
    async with asking() as (_, ask):
        for more in (
            {"metadata": {"simulate": "502, 429"}},
            {"headers": {"X-Simulate": "502,429"}},
        ):
            assert [(await ask("mine", **more))[0] for _ in range(3)] == [502, 429, 200]


@pytest.mark.parametrize(
    ("step", "status", "kind", "code"),
    [
        ("429", 429, "requests", "rate_limit_exceeded"),
        ("quota", 429, "insufficient_quota", "insufficient_quota"),
        ("too_big", 429, "tokens", "rate_limit_exceeded"),
        ("401", 401, "invalid_request_error", "invalid_api_key"),
        ("403", 403, "request_forbidden", "access_denied"),
        ("404", 404, "invalid_request_error", "model_not_found"),
        ("409", 409, "invalid_request_error", None),
        ("context_length", 400, "invalid_request_error", "context_length_exceeded"),
        ("filtered", 400, "invalid_request_error", "content_filter"),
        ("529", 529, "server_error", None),
    ],
)
async def test_errors_have_the_providers_form(step, status, kind, code):
    async with asking(script=[step]) as (sim, ask):
        got, _, answer = await ask()
        assert (got, answer["error"]["type"], answer["error"]["code"]) == (status, kind, code)
        assert sim.ledger[0].fault == step
        assert (await ask())[0] == 200


async def test_a_scripted_429_says_how_long_to_wait():
    async with asking(script=["429:2.5"]) as (_, ask):
        _, headers, answer = await ask()
    assert (headers["retry-after"], headers["retry-after-ms"]) == ("3", "2500")
    assert "Please try again in 2.5s." in answer["error"]["message"]


async def test_a_connection_dropped_before_any_byte():
    async with asking(script=["drop"]) as (_, ask):
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await ask()
        assert (await ask())[0] == 200


async def test_a_connection_reset():
    async with asking(script=["reset"]) as (_, ask):
        with pytest.raises(aiohttp.ClientOSError, match="reset"):
            await ask()


async def test_a_truncated_body():
    async with asking(script=["truncate"]) as (_, ask):
        with pytest.raises(aiohttp.ClientPayloadError):
            await ask()


async def test_a_slow_body_comes_in_pieces_and_whole():
    async with asking(script=["slow:0.001"]) as (sim, _), aiohttp.ClientSession() as session:
        async with session.post(f"{sim.base_url}/chat/completions", json=body()) as got:
            pieces = [piece async for piece in got.content.iter_any()]
            assert got.status == 200
        assert len(pieces) > 5
        assert b"Oslo" in b"".join(pieces)


@pytest.mark.parametrize(
    ("step", "kind", "start"),
    [
        ("html", "text/html", b"<!DOCTYPE"),
        ("empty", "application/json", b""),
        ("null", "application/json", b"null"),
        ("malformed", "application/json", b'{"id"'),
    ],
)
async def test_a_200_that_is_no_answer(step, kind, start):
    async with asking(script=[step]) as (sim, ask), aiohttp.ClientSession() as session:
        status, content_type, got = await raw(sim, session)
        assert (status, content_type) == (200, kind)
        assert got.startswith(start)
        assert not got.endswith(b"}")
        assert (await ask())[0] == 200


@pytest.mark.parametrize(
    ("step", "finish", "field"),
    [
        ("length", "length", "content"),
        ("content_filter", "content_filter", "content"),
        ("refusal", "stop", "refusal"),
    ],
)
async def test_an_answer_that_ends_early(step, finish, field):
    async with asking(script=[step]) as (_, ask):
        _, _, answer = await ask()
        whole = content((await ask())[2])
    choice = answer["choices"][0]
    assert choice["finish_reason"] == finish
    assert choice["message"][field]
    assert choice["message"]["content"] != whole


async def test_an_answer_that_hangs_for_a_while():
    async with asking(script=["hang:0.05"]) as (sim, ask):
        assert (await ask())[0] == 200
        assert sim.ledger[0].ended - sim.ledger[0].arrived >= 0.05


async def test_what_is_said_and_replied_word_for_word():
    replied = Reply(
        529, '{"type":"error"}', {"Content-Type": "text/plain", "retry-after": "-5"}, delay=0
    )
    async with asking(script=[Say('{"a": 1}'), Say("cut", "length"), replied, Fault("500")]) as (
        _,
        ask,
    ):
        _, _, said = await ask()
        _, _, cut = await ask()
        assert (content(said), said["choices"][0]["finish_reason"]) == ('{"a": 1}', "stop")
        assert (content(cut), cut["choices"][0]["finish_reason"]) == ("cut", "length")
        async with asyncio.timeout(5):
            with pytest.raises(aiohttp.ContentTypeError) as failure:
                await ask()
        assert failure.value.status == 529
        assert failure.value.headers is not None
        assert failure.value.headers["retry-after"] == "-5"
        assert (await ask())[0] == 500


async def run_with_faults(order, **settings):
    fates = {}
    async with asking(error_rate=0.5, trickle=0, **settings) as (sim, ask):
        for number in order:
            with suppress(aiohttp.ClientError, ValueError):
                await ask(f"row {number}")
        for call in sim.ledger:
            fates[call.fingerprint, call.seen] = call.fault
    return fates


async def test_faults_follow_from_the_seed_and_not_from_the_order():
    forth = await run_with_faults([*range(40), *range(40)], seed=7)
    back = await run_with_faults([*reversed(range(40)), *range(40)], seed=7)
    assert forth == back
    assert forth != await run_with_faults([*range(40), *range(40)], seed=8)
    assert {*forth.values()} == {"", *BY_CHANCE}


def test_a_script_is_followed_in_turn():
    script = Script({"a": ["500", "drop"], "": ["503"]})
    assert [str(script.next(text)) for text in ("xax", "b", "a", "a", "b")] == [
        "500",
        "503",
        "drop",
        "None",
        "None",
    ]
    assert not script
    assert repr(script) == "Script(0 steps left)"
