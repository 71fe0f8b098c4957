"""``ingather simulate``: a provider on this machine, for tests, demos and benchmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ingather.testing.simulator import Simulator
    from ingather.testing.simulator.ledger import Stats

_EVERY = 2.0  # seconds between the lines on a terminal
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_SETUP = 2  # exit code: wrong use or set-up

Host = Annotated[
    str, typer.Option(metavar="H", help="Where to listen; the default lets in this machine only.")
]
Port = Annotated[int, typer.Option(metavar="N", help="0 takes a free one.")]
Model = Annotated[
    str,
    typer.Option(metavar="NAME", help="What it says: extractive (words of the prompt) or echo."),
]
Latency = Annotated[float, typer.Option(metavar="S", help="Median seconds of a call.")]
Sigma = Annotated[
    float, typer.Option(metavar="X", help="Spread of the latency, which is then lognormal.")
]
SlowTail = Annotated[
    str | None,
    typer.Option(metavar="P:X", help="A share P of the calls takes X times as long: 0.02:20."),
]
Rpm = Annotated[float | None, typer.Option(metavar="N", help="Requests per minute.")]
Burst = Annotated[
    float | None,
    typer.Option(metavar="N", help="Requests that its bucket holds (a minute's worth)."),
]
Tpm = Annotated[float | None, typer.Option(metavar="N", help="Tokens per minute.")]
Concurrency = Annotated[
    int | None, typer.Option(metavar="N", help="Calls in flight, beyond which it answers 429.")
]
Change = Annotated[
    list[str] | None,
    typer.Option(
        metavar="T:FACTOR", help="After T seconds the limits times FACTOR; again for more."
    ),
]
NoHeaders = Annotated[
    bool, typer.Option("--no-headers", help="Say nothing of limits, nor how long to wait.")
]
ErrorRate = Annotated[float, typer.Option(metavar="P", help="Share of the calls that fail.")]
Faults = Annotated[str, typer.Option(metavar="LIST", help="How they fail, all kinds alike.")]
Seed = Annotated[int, typer.Option(metavar="N", help="Which calls fail, and how long each takes.")]


def simulate(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8800,
    model: Model = "extractive",
    latency: Latency = 0.0,
    sigma: Sigma = 0.0,
    slow_tail: SlowTail = None,
    rpm: Rpm = None,
    burst: Burst = None,
    tpm: Tpm = None,
    max_concurrency: Concurrency = None,
    change: Change = None,
    no_headers: NoHeaders = False,
    error_rate: ErrorRate = 0.0,
    faults: Faults = "500,503,drop,truncate,slow,malformed,html",
    seed: Seed = 0,
) -> None:
    """Serve a model that costs nothing, with the limits, latency and faults of a real one, until Ctrl-C.

    \b
    It speaks as each of these providers does, with its headers and errors.
    Any key will do:
      OpenAI     base_url http://127.0.0.1:8800/v1  chat completions, responses
      Anthropic  base_url http://127.0.0.1:8800     messages, count_tokens
      Gemini     base_url http://127.0.0.1:8800     generateContent, its stream,
                                                    countTokens

    \b
    Its address is the first line that it prints. What came, and what became
    of it (?ledger=1 adds a row for each call):
      curl http://127.0.0.1:8800/stats
      curl -X POST http://127.0.0.1:8800/reset     begin anew

    \b
    What goes wrong may also be asked for, step by step, in a request's header:
      curl -H 'X-Simulate: 429:2, 529, ok' …
    The steps are explained by
      python -c "help('ingather.testing.simulator.faults')"
    """  # noqa: D301 - typer's mark for "keep these lines as they are"
    import asyncio

    from ingather.cli.streams import nobody_has_to_read
    from ingather.errors import SetupError
    from ingather.testing.simulator import Simulator

    nobody_has_to_read()
    try:
        simulator = Simulator(
            host=host, port=port, model=model, latency=latency, sigma=sigma, slow_tail=slow_tail, rpm=rpm, burst=burst,
            tpm=tpm, max_concurrency=max_concurrency, change=tuple(change or ()), headers=not no_headers,
            error_rate=error_rate, faults=faults, seed=seed,
        )  # fmt: skip
        asyncio.run(_serve(simulator))
    except SetupError as error:
        typer.echo(f"ingather: {error}", err=True)
        raise typer.Exit(_SETUP) from None


async def _serve(simulator: Simulator) -> None:
    import asyncio
    import sys

    from ingather.cli.signals import Interrupts

    stopped = asyncio.Event()
    with Interrupts(lambda _: stopped.set()):
        async with simulator:
            if simulator.host not in _LOOPBACK:
                typer.echo(
                    f"warning: no authentication, and other machines can reach {simulator.host}",
                    err=True,
                )
            print(f"Simulated provider at {simulator.base_url}", flush=True)
            live = asyncio.create_task(_report(simulator)) if sys.stdout.isatty() else None
            await stopped.wait()
            if live is not None:
                live.cancel()
            print(f"\n{_summary(simulator.stats())}", flush=True)


async def _report(simulator: Simulator) -> None:
    import asyncio

    before = simulator.stats()
    while True:
        await asyncio.sleep(_EVERY)
        now = simulator.stats()
        if now["calls"] > before["calls"] or now["in_flight"]:
            print(_line(before, now), flush=True)
        before = now


def _line(before: Stats, now: Stats) -> str:
    rate = (now["calls"] - before["calls"]) / max(1e-9, now["seconds"] - before["seconds"])
    return f"{now['calls']:>9,} calls  {rate:8,.1f}/s  {now['in_flight']:>5,} in flight  {now['rejected']:>7,} × 429"


def _summary(stats: Stats) -> str:
    from ingather.stats import counted

    lines = [
        f"{counted(stats['calls'], 'call')} in {stats['seconds']:.1f} s, at most {stats['peak_in_flight']:,} in flight"
    ]
    if statuses := [
        f"{count:,} × {status if status != '0' else 'no answer'}"
        for status, count in stats["by_status"].items()
    ]:
        lines.append("answers: " + ", ".join(statuses))
    if faults := [f"{count:,} × {fault}" for fault, count in stats["by_fault"].items()]:
        lines.append("faults: " + ", ".join(faults))
    if stats["in_flight"]:
        lines.append(f"still in flight: {stats['in_flight']:,}")
    if stats["disconnected"]:
        lines.append(f"given up by the client: {stats['disconnected']:,}")
    minute = stats["longest_minute"]
    lines.append(
        f"most within a minute: {counted(minute['requests'], 'request')}, "
        f"{counted(minute['tokens'], 'token')}"
    )
    return "\n".join(lines)
