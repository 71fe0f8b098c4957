"""Through HTTP: CPU a call and wall time, beside a bare aiohttp loop and the openai package, against one server."""

from __future__ import annotations

from collections.abc import Iterator

from figure import Figure
from harness import Client, alternate, environment

OURS = Client("ingather", "ingather_executor.py")
BARE = Client("bare aiohttp", "bare_aiohttp.py")


def figures(*, quick: bool) -> Iterator[Figure]:
    openai = Client("openai", "openai_gather.py", environment("openai", "openai"))
    runs = 3 if quick else 9

    cost = alternate([OURS, BARE], latency=0.0, calls=5_000, concurrency=100, runs=runs)
    ours, bare = cost["ingather"].cpu_per_call, cost["bare aiohttp"].cpu_per_call
    detail = f"{ours * 1e6:.0f} against {bare * 1e6:.0f} µs"
    yield Figure(
        "100 in flight: CPU a call over bare aiohttp's", ours / bare, "x", most=1.5, detail=detail
    )

    cost = alternate([OURS, openai], latency=0.0, calls=1_000, concurrency=100, runs=3)
    ours, usual = cost["ingather"].cpu_per_call, cost["openai"].cpu_per_call
    detail = f"{usual * 1e6:.0f} against {ours * 1e6:.0f} µs"
    yield Figure(
        "100 in flight: CPU a call of openai + gather over ours",
        usual / ours,
        "x",
        least=8,
        detail=detail,
    )

    calls = 5_000 if quick else 10_000
    cost = alternate(
        [OURS, BARE], latency=0.5, calls=calls, concurrency=1_000, runs=1 if quick else 3
    )
    ours, bare = cost["ingather"].wall, cost["bare aiohttp"].wall
    detail = f"{ours:.2f} against {bare:.2f} s, ideal {calls * 0.5 / 1_000:.1f} s"
    yield Figure(
        f"{calls:,} x 500 ms at 1,000: wall over bare aiohttp's",
        ours / bare,
        "x",
        most=1.10,
        detail=detail,
    )
