"""The service under load: how soon a finding reaches a reader, and what many analyses at once cost it.

    python apps/tenk/benchmarks/service.py [--analyses 9] [--latency 5] [--sigma 0.5] [--in-flight 200] [--lazy 20]
                                           [--browser /usr/bin/chromium]

Three processes: `tenk serve`; a model that gives the extractive baseline's answers, made
beforehand, after a time drawn from a lognormal law, and notes when each was sent; and this one,
which reads the events of all analyses at once, and asks for the list of analyses ten times a second
meanwhile. `--lazy` more readers never take what they are sent. The latency of a finding: from the
last byte of its call's answer to the event with its card. With `--browser` one of the analyses is
also watched in its page: when its cards are filled there, and how long the page ever stood still.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import random
import re
import secrets
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import aiohttp
from aiohttp import web

from ingather import ParallelLLMExecutor, connect
from tenk.analysis import ANALYZERS
from tenk.analyzers import FinancialsAnalyzer
from tenk.samples import sample
from tenk.submission import open_submission

NAME = "Quellmark"
MARK = re.compile(r"Quell\d{4}")  # as long as the name, so that nothing moves
QUESTION = re.compile(r"</document[^>]*>.*?\n- (\w+):", re.DOTALL)
TOKEN = secrets.token_urlsafe(32)


async def prepared():
    """The baseline's answer to each component of the sample."""
    submission = open_submission(sample("quellmark-2025").read())
    answers = {}

    class Kept:
        schema_mode = "native"
        schema_lengths = True
        behind = connect("offline/extractive")

        async def complete(self, messages, config_overrides=None):
            answer = await self.behind.complete(messages, config_overrides)
            answers[asked(messages[0].content)] = answer.content
            return answer

    tasks = {}
    for name, kind in ANALYZERS.items():
        analyzer = FinancialsAnalyzer(facts=submission.facts) if name == "financials" else kind()
        tasks[name] = analyzer.task(submission.filing.item(analyzer.item).body)
    await ParallelLLMExecutor(Kept(), max_concurrency=8).execute(tasks)
    return answers


def asked(prompt):
    return QUESTION.findall(prompt)[-1]


async def model(port, latency, sigma):
    """Serve the answers; `GET /ended` tells when each was sent."""
    answers = await prepared()
    chance = random.Random(0)
    ended, in_flight, peak = {}, 0, 0

    async def answer(request):
        nonlocal in_flight, peak
        in_flight += 1
        peak = max(peak, in_flight)
        prompt = json.loads(await request.read())["messages"][0]["content"]
        component, mark = asked(prompt), MARK.search(prompt)[0]
        await asyncio.sleep(latency * math.exp(chance.gauss(0, sigma)))
        text = answers[component].replace(NAME, mark)
        body = {
            "choices": [
                {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            ]
        }
        body |= {
            "model": "bench",
            "usage": {"prompt_tokens": len(prompt) // 4, "completion_tokens": len(text) // 4},
        }
        ended[f"{mark}.{component}"] = time.monotonic()
        in_flight -= 1
        return web.json_response(body)

    async def tell(_request):
        return web.json_response({"ended": ended, "peak": peak})

    app = web.Application(client_max_size=2**26)
    app.add_routes([web.post("/v1/chat/completions", answer), web.get("/ended", tell)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


async def watched(session, base, analysis, mark, arrived):
    """Read an analysis' events to the end; gives how many numbers were left out."""
    numbers = []
    seen = set()
    kind = None
    async with session.get(
        f"{base}/api/analyses/{analysis}/events", timeout=aiohttp.ClientTimeout(None)
    ) as answer:
        async for line in answer.content:
            if line.startswith(b"event: "):
                kind = line[7:].strip()
            elif line.startswith(b"id: "):
                numbers.append(int(line.rsplit(b"-")[-1]))
            elif line.startswith(b"data: "):
                now = time.monotonic()
                for section in json.loads(line[6:]).get("sections", {}).values():
                    for name, card in section.get("cards", {}).items():
                        if card["status"] in ("ok", "empty") and name not in seen:
                            seen.add(name)
                            arrived[f"{mark}.{name}"] = now
                if kind == b"end":
                    break
    return sum(after - before - 1 for before, after in pairwise(numbers)), len(seen)


async def polled(session, base, waits, stop):
    while not stop.is_set():
        begun = time.monotonic()
        async with session.get(f"{base}/api/analyses") as answer:
            await answer.read()
        waits.append(time.monotonic() - begun)
        await asyncio.sleep(0.1)


WATCH = """() => {
    window.filled = {};
    window.still = [];
    let last = performance.now();
    const frame = (now) => { window.still.push(now - last); last = now; requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
    const look = () => {
        for (const card of document.querySelectorAll(".card[data-status=ok], .card[data-status=empty]"))
            window.filled[card.id.split("-")[2]] ??= performance.timeOrigin + performance.now();
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
}"""


async def seen(base, executable, ready, begun, over):
    """When each card of an analysis was filled in the page (of the monotonic clock), and the gaps between frames."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--no-proxy-server"]
        )
        page = await browser.new_page()
        await page.goto(f"{base}/?token={TOKEN}")
        await page.evaluate(WATCH)
        await page.locator(".drop").wait_for()
        ready.set()
        await page.evaluate(f"location.hash = '#/a/{await begun}'")
        await over.wait()
        await page.locator(".status .chip.done").wait_for()
        filled, still = await page.evaluate("[window.filled, window.still]")
        await browser.close()
    shift = time.monotonic() - time.time()
    return {name: at / 1000 + shift for name, at in filled.items()}, sorted(still)


async def lazy(base, analysis):
    """A reader that asks for events and takes none."""
    host, port = base.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port), limit=1024)
    asking = f"GET /api/analyses/{analysis}/events HTTP/1.1\r\nhost: {host}\r\nx-tenk-token: {TOKEN}\r\n\r\n"
    writer.write(asking.encode())
    return writer


async def load(base, options):
    """All analyses at once; gives what was measured."""
    content = sample("quellmark-2025").read()
    arrived, waits, stop, ready = {}, [], asyncio.Event(), asyncio.Event()
    first = asyncio.get_running_loop().create_future()
    page = None
    if options.browser:
        page = asyncio.create_task(seen(base, options.browser, ready, first, stop))
        await ready.wait()
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        headers={"x-tenk-token": TOKEN}, connector=connector, trust_env=False
    ) as session:
        begun = time.monotonic()

        async def one(number):
            mark = f"Quell{1000 + number}"
            form = aiohttp.FormData()
            form.add_field("file", content.replace(NAME.encode(), mark.encode()), filename="f.htm")
            async with session.post(f"{base}/api/analyses", data=form) as answer:
                analysis = (await answer.json())["id"]
            idle = [await lazy(base, analysis) for _ in range(options.lazy if number == 0 else 0)]
            if number == 0:
                first.set_result(analysis)
            lost, cards = await watched(session, base, analysis, mark, arrived)
            async with session.get(f"{base}/api/analyses/{analysis}") as answer:
                state = await answer.json()
            for writer in idle:
                writer.close()
            return lost, cards, state

        poll = asyncio.create_task(polled(session, base, waits, stop))
        done = await asyncio.gather(*(one(number) for number in range(options.analyses)))
        wall = time.monotonic() - begun
        stop.set()
        await poll
        filled, still = ({}, []) if page is None else await page
        async with session.get(f"{options.model}/ended", headers={}) as answer:
            told = await answer.json()
    late = sorted(arrived[key] - at for key, at in told["ended"].items())
    states = [state for _, _, state in done]
    assert {state["status"] for state in states} == {"done"}, {state["status"] for state in states}
    soonest = min(told["ended"].values())
    shown = [
        filled[key.split(".")[1]] - at
        for key, at in told["ended"].items()
        if key.startswith("Quell1000.") and filled
    ]
    return {
        "shown": sorted(shown),
        "still": still,
        "late": late,
        "peak": told["peak"],
        "wall": wall,
        "lost": sum(lost for lost, _, _ in done),
        "cards": sum(cards for _, cards, _ in done),
        "waits": sorted(waits),
        "first": min(arrived[key] for key, at in told["ended"].items() if at == soonest) - soonest,
        "serial": sum(state["ledger"]["serial_ms"] for state in states) / 1000,
    }


def quantile(values, share):
    return values[min(len(values) - 1, int(share * len(values)))]


def memory(pid):
    """The most that a process has held, in MiB."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


async def started(*command, **environment):
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, env={**os.environ, **environment}, limit=2**20
    )
    assert process.stdout is not None
    return process, (await process.stdout.readline()).decode()


async def main(options):
    with tempfile.TemporaryDirectory() as folder:
        itself = [
            sys.executable,
            __file__,
            "--serve-model",
            str(options.port),
            "--latency",
            str(options.latency),
        ]
        server, _ = await started(*itself, "--sigma", str(options.sigma))
        options.model = f"http://127.0.0.1:{options.port}"
        command = [
            sys.executable,
            "-m",
            "tenk.cli",
            "serve",
            "--port",
            "0",
            "--state",
            f"{folder}/t.db",
        ]
        command += ["--model", "openai/bench", "--max-concurrency", str(options.in_flight)]
        service, address = await started(
            *command, OPENAI_BASE_URL=f"{options.model}/v1", TENK_TOKEN=TOKEN
        )
        base = re.search(r"http://[^/]+", address)[0]
        try:
            found = await load(base, options)
            found["memory"] = memory(service.pid)
        finally:
            service.terminate()
            server.terminate()
            await service.wait()
            await server.wait()
    late, waits = found["late"], found["waits"]
    rows = [
        ("analyses at once", f"{options.analyses}", ""),
        ("calls, most in flight", f"{len(late)}, {found['peak']}", ""),
        ("wall; one after another", f"{found['wall']:.1f} s; {found['serial']:.0f} s", ""),
        ("finding after its call's end, median", f"{quantile(late, 0.5) * 1000:.0f} ms", ""),
        ("  95th percentile", f"{quantile(late, 0.95) * 1000:.0f} ms", "at most 100"),
        ("  99th percentile, longest", f"{quantile(late, 0.99) * 1000:.0f} ms, {late[-1] * 1000:.0f} ms", ""),
        ("first card after the fastest call", f"{found['first'] * 1000:.0f} ms", "at most 300"),
        ("events lost", f"{found['lost']}", "none"),
        ("cards shown", f"{found['cards']} of {29 * options.analyses}", "all"),
        ("the list meanwhile, median", f"{quantile(waits, 0.5) * 1000:.0f} ms", ""),
        ("  95th percentile, longest", f"{quantile(waits, 0.95) * 1000:.0f} ms, {waits[-1] * 1000:.0f} ms", ""),
        ("memory of the service, most", f"{found['memory']:.0f} MiB", ""),
    ]  # fmt: skip
    if found["shown"]:
        shown, still = found["shown"], found["still"]
        middle, longest = quantile(shown, 0.5) * 1000, shown[-1] * 1000
        rows += [
            ("in the page, median and longest", f"{middle:.0f} ms, {longest:.0f} ms", ""),
            (
                "page between frames, 99th, longest",
                f"{quantile(still, 0.99):.0f} ms, {still[-1]:.0f} ms",
                "",
            ),
        ]
    for name, value, goal in rows:
        print(f"{name:38}{value:>22}  {goal}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--analyses", type=int, default=9)
    parser.add_argument("--latency", type=float, default=5.0)
    parser.add_argument("--sigma", type=float, default=0.5)
    parser.add_argument("--in-flight", type=int, default=200)
    parser.add_argument("--lazy", type=int, default=20)
    parser.add_argument("--port", type=int, default=8790)
    parser.add_argument("--browser")
    parser.add_argument("--serve-model", type=int)
    given = parser.parse_args()
    asyncio.run(
        model(given.serve_model, given.latency, given.sigma) if given.serve_model else main(given)
    )
