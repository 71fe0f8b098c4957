import asyncio
import re

import pytest

from ingather.testing.simulator.openai_server import go_duration
from tests.simulator.asking import asking, until


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (0.0001, "1ms"), (0.012, "12ms"), (1, "1s"), (1.5, "1.5s"), (59.9999, "1m0s"), (60, "1m0s"),
        (90.951, "1m30.951s"), (360, "6m0s"), (3723, "1h2m3s"),
    ],
)  # fmt: skip
def test_durations_are_written_as_go_writes_them(seconds, text):
    assert go_duration(seconds) == text


async def test_every_answer_tells_the_limits():
    async with asking(rpm=600, tpm=6000, burst=10) as (_, ask):
        _, headers, _ = await ask("x" * 40, max_tokens=90)
        assert headers["x-ratelimit-limit-requests"] == "600"
        assert headers["x-ratelimit-remaining-requests"] == "9"
        assert headers["x-ratelimit-limit-tokens"] == "6000"
        assert headers["x-ratelimit-remaining-tokens"] == "5900"
        assert re.fullmatch(r"\d+ms", headers["x-ratelimit-reset-requests"])
        assert (
            headers["x-ratelimit-reset-tokens"].startswith("99")
            or headers["x-ratelimit-reset-tokens"] == "1s"
        )
        status, headers, _ = await ask(messages=[])
        assert (status, headers["x-ratelimit-limit-requests"]) == (400, "600")


async def test_too_many_requests():
    async with asking(rpm=1, burst=1) as (sim, ask):
        assert (await ask())[0] == 200
        status, headers, answer = await ask()
        assert status == 429
        assert headers["x-ratelimit-remaining-requests"] == "0"
        assert 50 < int(headers["retry-after"]) <= 60
        assert 50_000 < int(headers["retry-after-ms"]) <= 60_000
        error = answer["error"]
        assert (error["type"], error["code"]) == ("requests", "rate_limit_exceeded")
        assert re.search(
            r"on requests per min \(RPM\): Limit 1, Used 1, Requested 1\. Please try again in "
            r"(5\d\.\d+s|1m0s)\.",
            error["message"],
        )
        assert sim.stats()["rejected"] == 1


async def test_too_many_tokens():
    async with asking(tpm=100) as (_, ask):
        assert (await ask("x" * 40, max_tokens=80))[0] == 200
        status, _, answer = await ask("x" * 40, max_tokens=80)
    assert (status, answer["error"]["type"]) == (429, "tokens")
    assert "Limit 100, Used 90, Requested 90" in answer["error"]["message"]


async def test_a_request_that_never_fits():
    async with asking(tpm=100) as (sim, ask):
        status, headers, answer = await ask("x" * 40, max_tokens=91)
        assert (status, answer["error"]["code"]) == (429, "rate_limit_exceeded")
        assert "Request too large" in answer["error"]["message"]
        assert "Limit 100, Requested 101" in answer["error"]["message"]
        assert "retry-after" not in headers
        assert sim.stats()["admitted_tokens"] == 0


async def test_without_headers_nothing_is_said_of_limits():
    async with asking(rpm=1, burst=1, headers=False) as (_, ask):
        answers = [await ask(), await ask()]
    assert [status for status, _, _ in answers] == [200, 429]
    for _, headers, answer in answers:
        assert not [
            name for name in headers if "ratelimit" in name.lower() or "retry" in name.lower()
        ]
        assert "try again" not in str(answer)


async def test_the_hint_is_enough():
    async with asking(rpm=120, burst=1) as (_, ask):
        status, headers = 200, {}
        while status == 200:
            status, headers, _ = await ask()
        await asyncio.sleep(int(headers["retry-after-ms"]) / 1000)
        assert (await ask())[0] == 200


async def test_calls_in_flight_are_capped():
    async with asking(max_concurrency=2, script=["hang", "hang"]) as (sim, ask):
        held = [asyncio.create_task(ask(f"hold {number}")) for number in range(2)]
        await until(lambda: sim.stats()["in_flight"] == 2)
        status, _, answer = await ask("third")
        assert (status, answer["error"]["code"]) == (429, "rate_limit_exceeded")
        assert "concurrent" in answer["error"]["message"]
        held[0].cancel()
        await until(lambda: sim.stats()["in_flight"] == 1)
        assert (await ask("fourth"))[0] == 200
        held[1].cancel()
        await asyncio.gather(*held, return_exceptions=True)


async def test_limits_change_over_time():
    async with asking(rpm=600, change="0.2:0.5") as (_, ask):
        limits = [int((await ask())[1]["x-ratelimit-limit-requests"])]
        await asyncio.sleep(0.21)
        limits.append(int((await ask())[1]["x-ratelimit-limit-requests"]))
    assert limits == [600, 300]


async def test_the_ledger_knows_the_longest_minute():
    async with asking(rpm=60, burst=3) as (sim, ask):
        for number in range(6):
            await ask(f"{number:04}" * 10, max_tokens=5)
        assert sim.stats()["longest_minute"] == {"requests": 3, "tokens": 45}
        assert [call.charged for call in sim.ledger] == [15, 15, 15, None, None, None]
