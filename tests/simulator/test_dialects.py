"""Limits, faults, scripts, chance, keys and the ledger are the same in every dialect."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest

from ingather.testing import Simulator
from tests.simulator.asking import until


@dataclass(frozen=True)
class Form:
    """How one provider is asked."""

    path: str
    key: str
    more: dict

    def body(self, text, limit=None):
        return {**self.more, **SAYS[self.path](text, limit)}

    def headers(self, key):
        named = {self.key: f"Bearer {key}" if self.key == "Authorization" else key}
        return {
            **named,
            **({"anthropic-version": "2023-06-01"} if self.path == "/v1/messages" else {}),
        }


def limited(name, limit):
    return {} if limit is None else {name: limit}


SAYS = {
    "/v1/chat/completions": lambda text, limit: {
        "messages": [{"role": "user", "content": text}],
        **limited("max_tokens", limit),
    },
    "/v1/responses": lambda text, limit: {"input": text, **limited("max_output_tokens", limit)},
    "/v1/messages": lambda text, limit: {
        "messages": [{"role": "user", "content": text}],
        "max_tokens": limit or 16,
    },
    "/v1beta/models/m:generateContent": lambda text, limit: {
        "contents": [{"parts": [{"text": text}]}],
        "generationConfig": limited("maxOutputTokens", limit),
    },
}
FORMS = [
    Form("/v1/chat/completions", "Authorization", {"model": "m"}),
    Form("/v1/responses", "Authorization", {"model": "m"}),
    Form("/v1/messages", "x-api-key", {"model": "m"}),
    Form("/v1beta/models/m:generateContent", "x-goog-api-key", {}),
]
every_dialect = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.path)


@asynccontextmanager
async def asking(**settings):
    async with Simulator(**settings) as sim, aiohttp.ClientSession() as session:

        async def ask(form, text="We sell boats.", limit=None, key="k", **headers):
            url, body = sim.origin + form.path, form.body(text, limit)
            async with session.post(
                url, json=body, headers={**form.headers(key), **headers}
            ) as got:
                return got.status, await got.text()

        yield sim, ask


@every_dialect
async def test_the_answer_holds_the_same_words(form):
    async with asking() as (_, ask):
        status, said = await ask(form)
    assert (status, "We sell boats." in said) == (200, True)


@every_dialect
async def test_the_ledger_has_the_same_row(form):
    async with asking(tpm=1000) as (sim, ask):
        await ask(form, "[id: row-7] We sell boats.", limit=16)
    (call,) = sim.ledger
    assert (call.model, call.custom_id, call.status, call.fault, call.seen) == (
        "m",
        "row-7",
        200,
        "",
        0,
    )
    assert (call.prompt_tokens, call.charged) == (7, 23)
    assert call.completion_tokens > 0


async def test_all_draw_on_one_quota():
    async with asking(rpm=60, burst=len(FORMS)) as (sim, ask):
        assert [(await ask(form))[0] for form in FORMS] == [200] * len(FORMS)
        assert [(await ask(form))[0] for form in FORMS] == [429] * len(FORMS)
    assert sim.stats()["admitted_requests"] == len(FORMS)


@every_dialect
async def test_a_script_is_followed(form):
    async with asking(script=["500", "529", "429:3", "404", "ok"]) as (_, ask):
        assert [(await ask(form))[0] for _ in range(6)] == [500, 529, 429, 404, 200, 200]


@every_dialect
async def test_a_request_may_say_what_shall_become_of_it(form):
    async with asking() as (_, ask):
        assert [(await ask(form, **{"X-Simulate": "503,ok"}))[0] for _ in range(2)] == [503, 200]


@every_dialect
async def test_a_fault_that_there_is_not_is_a_400(form):
    async with asking() as (_, ask):
        status, said = await ask(form, **{"X-Simulate": "nonsense"})
    assert status == 400
    assert "no fault is called 'nonsense'" in json.loads(said)["error"]["message"]


@every_dialect
@pytest.mark.parametrize("step", ["drop", "reset", "truncate"])
async def test_a_connection_breaks(form, step):
    async with asking(script=[step]) as (sim, ask):
        with pytest.raises(aiohttp.ClientError):
            await ask(form)
    assert [call.fault for call in sim.ledger] == [step]


@every_dialect
@pytest.mark.parametrize(("step", "said"), [("empty", ""), ("null", "null")])
async def test_a_body_that_is_no_answer(form, step, said):
    async with asking(script=[step, "html", "malformed"]) as (_, ask):
        assert await ask(form) == (200, said)
        assert "<html>" in (await ask(form))[1]
        with pytest.raises(json.JSONDecodeError):
            json.loads((await ask(form))[1])


@every_dialect
async def test_a_slow_body_comes_whole(form):
    async with asking(script=["slow:0.001"]) as (_, ask):
        assert json.loads((await ask(form))[1]).keys() == json.loads((await ask(form))[1]).keys()


@every_dialect
async def test_chance_depends_on_the_seed_and_not_on_the_order(form):
    async def fates(rows):
        async with asking(error_rate=0.4, faults="500,503", seed=3) as (_, ask):
            return {row: (await ask(form, f"row {row}"))[0] for row in rows}

    forwards = await fates(range(20))
    assert forwards == await fates(reversed(range(20)))
    assert set(forwards.values()) == {200, 500, 503}


@every_dialect
async def test_only_the_right_key_is_let_in_and_none_is_repeated(form):
    async with asking(api_key="right-key") as (_, ask):
        status, said = await ask(form, key="wrong-key")
        assert 400 <= status <= 401
        assert "-key." not in said
        assert (await ask(form, key="right-key"))[0] == 200


@every_dialect
async def test_too_many_at_once_are_told(form):
    async with asking(max_concurrency=1, script=["hang"]) as (sim, ask):
        first = asyncio.create_task(ask(form))
        await until(lambda: sim.ledger)
        assert (await ask(form))[0] == 429
        first.cancel()
