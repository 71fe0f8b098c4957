import asyncio
import hashlib
import json

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather.testing.simulator.ledger import Ledger
from tests.simulator.asking import asking, body, until


async def test_a_row_says_what_became_of_a_call():
    async with asking(latency=0.01) as (sim, ask):
        await ask("We sell boats. [id: row-7]", max_tokens=3)
        call = sim.ledger[0]
    assert (call.number, call.custom_id, call.model, call.status, call.fault) == (
        0,
        "row-7",
        "any",
        200,
        "",
    )
    assert (call.prompt_tokens, call.completion_tokens, call.charged, call.disconnected) == (
        7,
        3,
        10,
        False,
    )
    assert call.ended is not None
    assert call.ended - call.arrived >= 0.01


@pytest.mark.parametrize(
    "more",
    [
        {"metadata": {"custom_id": "a1"}},
        {"messages": [{"role": "user", "content": 'custom_id: "a1" and ' + "x" * 1000}]},
        {"messages": [{"role": "user", "content": "x" * 1000 + " [id: a1]"}]},
    ],
)
async def test_a_custom_id_may_stand_in_the_metadata_or_at_either_end_of_the_prompt(more):
    async with asking() as (sim, ask):
        await ask(**more)
        assert sim.ledger[0].custom_id == "a1"


async def test_the_fingerprint_is_that_of_the_body_and_comings_are_counted():
    raw = json.dumps(body()).encode()
    async with asking(rpm=60, burst=2) as (sim, ask):
        for _ in range(3):
            await ask(data=raw)
        assert {call.fingerprint for call in sim.ledger} == {hashlib.sha256(raw).digest()}
        assert [(call.seen, call.status) for call in sim.ledger] == [(0, 200), (1, 200), (0, 429)]


async def test_stats_over_http_and_the_reset():
    async with asking() as (sim, ask):
        await ask()
        _, _, stats = await ask(method="GET", path="/stats")
        assert (stats["calls"], stats["by_status"], "ledger" in stats) == (1, {"200": 1}, False)
        _, _, stats = await ask(method="GET", path="/stats?ledger=1")
        row = stats["ledger"][0]
        assert row["fingerprint"] == sim.ledger[0].fingerprint.hex()
        assert {
            "arrived",
            "ended",
            "status",
            "fault",
            "disconnected",
            "custom_id",
            "prompt_tokens",
        } <= row.keys()
        assert (await ask(path="/reset"))[0] == 200
        assert sim.stats()["calls"] == 0
        assert sim.ledger == []


async def test_a_client_that_gives_up_ends_the_call_at_once():
    async with asking(script=["hang"]) as (sim, ask):
        waiting = asyncio.create_task(ask())
        await until(lambda: sim.stats()["in_flight"])
        waiting.cancel()
        await until(lambda: not sim.stats()["in_flight"])
        call = sim.ledger[0]
        assert (call.disconnected, call.status) == (True, 0)
        assert sim.stats()["disconnected"] == 1


async def test_a_client_that_gives_up_within_a_stream_is_seen():
    async with asking(script=["slow:0.01"]) as (sim, _), aiohttp.ClientSession() as session:
        async with session.post(
            f"{sim.base_url}/chat/completions", json=body("many words " * 99, stream=True)
        ) as got:
            await got.content.readline()
            got.close()
        await until(lambda: not sim.stats()["in_flight"])
        assert sim.ledger[0].disconnected


async def test_calls_that_the_simulator_itself_ends_are_not_the_clients_doing():
    async with asking(script=["drop", "truncate", "reset"]) as (sim, ask):
        for _ in range(3):
            with pytest.raises(aiohttp.ClientError):
                await ask()
        assert [call.disconnected for call in sim.ledger] == [False] * 3
        assert [call.status for call in sim.ledger] == [0, 200, 0]


async def test_the_peak_in_flight_is_kept():
    async with asking(script=["hang"] * 20) as (sim, ask):
        held = [asyncio.create_task(ask(str(number))) for number in range(20)]
        await until(lambda: sim.stats()["in_flight"] == 20)
        for task in held:
            task.cancel()
        await until(lambda: not sim.stats()["in_flight"])
        await ask()
        stats = sim.stats()
        assert (stats["peak_in_flight"], stats["in_flight"], stats["calls"]) == (20, 0, 21)


def test_old_rows_go_and_totals_stay():
    ledger = Ledger(now=0.0, size=2)
    for number in range(5):
        call = ledger.open(float(number), b"x")
        call.status = 200
        ledger.close(call, float(number))
    assert [call.number for call in ledger.rows] == [3, 4]
    stats = ledger.stats(9.0)
    assert (
        stats["calls"],
        stats["rows"],
        stats["rows_dropped"],
        stats["answered"],
        stats["seconds"],
    ) == (
        5,
        2,
        3,
        5,
        9.0,
    )


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 99)), max_size=60))
def test_the_longest_minute_is_that_of_a_search_of_all(calls):
    ledger, now, admitted = Ledger(now=0.0), 0.0, list[tuple[float, int]]()
    for gap, tokens in calls:
        now += gap
        ledger.admit(ledger.open(now, b""), now, tokens)
        admitted.append((now, tokens))
    windows = [
        [tokens for at, tokens in admitted if end - 60 < at <= end] for end, _ in admitted
    ] or [[]]
    assert ledger.longest_minute() == {
        "requests": max(map(len, windows)),
        "tokens": max(map(sum, windows)),
    }
