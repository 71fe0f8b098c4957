"""``tenk analyze``: fill a structured analysis from a 10-K, every claim with its proof in the filing."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

import typer

from ingather.cli.fold import say

if TYPE_CHECKING:
    from ingather import Budget, Provider
    from tenk.outcome import Analysis, SectionName

FAILED = 3  # exit code: some components failed
_SPLITS = Literal["fields", "single"]

Source = Annotated[
    str, typer.Argument(metavar="FILE|TICKER", help="A 10-K: text, HTML or submission; or as AAPL.")
]
Model = Annotated[
    str, typer.Option(metavar="MODEL", help="offline/extractive, openai/NAME, anthropic/NAME, …")
]
BaseUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="The server, where it is one of your own.")
]
KeyEnv = Annotated[
    str | None,
    typer.Option("--api-key-env", metavar="VAR", help="The variable that holds the key."),
]
Sections = Annotated[
    str, typer.Option(metavar="NAMES", help="Which of the four, with commas between.")
]
SplitBy = Annotated[
    str, typer.Option(metavar="HOW", help="fields: a call a component; single: a prompt a section.")
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="OUT.json", help="Write all of it as JSON.")
]
Report = Annotated[
    Path | None,
    typer.Option(metavar="OUT.md", help="Write it as Markdown; printed where no file is named."),
]
Concurrency = Annotated[
    int, typer.Option(metavar="N", min=1, help="Calls in flight, over all sections.")
]
Rpm = Annotated[int | None, typer.Option(metavar="N", min=1, help="Requests a minute at most.")]
Tpm = Annotated[int | None, typer.Option(metavar="N", min=1, help="Tokens a minute at most.")]
MaxCost = Annotated[
    float | None,
    typer.Option(
        metavar="USD", min=0.000001, help="Spend no more than that; components may lack then."
    ),
]
Price = Annotated[
    list[str] | None,
    typer.Option(
        metavar="IN:OUT", help="USD for a million tokens in and out, if that is not known."
    ),
]
Year = Annotated[
    int | None, typer.Option(metavar="YEAR", help="With a ticker: in which the fiscal year ended.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No live view.")]


def analyze(
    source: Source,
    *,
    model: Model = "offline/extractive",
    base_url: BaseUrl = None,
    api_key_env: KeyEnv = None,
    sections: Sections = "business,risk_factors,mda,financials",
    split: SplitBy = "fields",
    output: Output = None,
    report: Report = None,
    max_concurrency: Concurrency = 32,
    rpm: Rpm = None,
    tpm: Tpm = None,
    max_cost: MaxCost = None,
    price: Price = None,
    year: Year = None,
    quiet: Quiet = False,
) -> None:
    """Fill a structured analysis from a 10-K.

    \b
    Without a key or a network, by a baseline that is no language model, of the
    bundled sample or a file:
      tenk analyze quellmark-2025
      tenk analyze filing.htm --report analysis.md
    With a model, its key in OPENAI_API_KEY:
      tenk analyze filing.htm --model openai/gpt-5-mini -o analysis.json
    """  # noqa: D301 - typer's mark for "keep these lines as they are"
    from ingather import run_sync
    from tenk.analysis import comprehensive_analysis
    from tenk.live import view_of
    from tenk.saving import check_writable
    from tenk.submission import open_submission

    chosen = _chosen(sections)
    if split not in get_args(_SPLITS):
        raise typer.BadParameter(f"it is fields or single, not {split!r}", param_hint="--split")
    if output is not None:
        check_writable(output, source, (".json",))
    if report is not None:
        check_writable(report, source, (".md", ".markdown", ".txt"))
    provider = _provider(model, base_url, api_key_env, rpm, tpm)
    budget = run_sync(_budget(provider, model, max_cost, price or []))
    submission = open_submission(source, year=year)
    view = None if quiet else view_of(submission, chosen)
    with view or nullcontext():
        analysis = run_sync(
            comprehensive_analysis(
                submission,
                "business" in chosen,
                "mda" in chosen,
                "risk_factors" in chosen,
                "financials" in chosen,
                provider=provider,
                model=model,
                max_concurrency=max_concurrency,
                budget=budget,
                split="single" if split == "single" else "fields",
                on_event=view,
            )
        )
    _write(analysis, output, report)
    if not analysis.succeeded:
        raise typer.Exit(FAILED)


def _chosen(names: str) -> list[SectionName]:
    from tenk.outcome import SECTIONS

    wanted = {name.strip().lower() for name in names.split(",") if name.strip()}
    if unknown := sorted(wanted - set(SECTIONS)):
        raise typer.BadParameter(
            f"there is no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}",
            param_hint="--sections",
        )
    if not wanted:
        raise typer.BadParameter(
            f"name at least one of {', '.join(SECTIONS)}", param_hint="--sections"
        )
    return [name for name in SECTIONS if name in wanted]


def _provider(
    model: str, base_url: str | None, key_env: str | None, rpm: int | None, tpm: int | None
) -> Provider:
    from ingather import Limits, connect
    from ingather.errors import SetupError

    key = None
    if key_env is not None:
        key = os.environ.get(key_env)
        if not key:
            raise SetupError(f"--api-key-env {key_env}: there is no such variable, or it is empty")
    limits = (
        None
        if rpm is None and tpm is None
        else Limits(requests_per_minute=rpm, tokens_per_minute=tpm)
    )
    return connect(model, base_url=base_url, api_key=key, limits=limits)


async def _budget(
    provider: Provider, model: str, max_cost: float | None, prices: list[str]
) -> Budget | None:
    """Raises `NoPrice` where a cap cannot be kept."""
    from ingather import Budget
    from tenk.spending import NoPrice, has_price, parsed_price

    if max_cost is None and not prices:
        return None
    table = dict(map(parsed_price, prices))
    if max_cost is not None and not await has_price(provider, table):
        raise NoPrice(model)
    return Budget(max_cost_usd=max_cost, prices=table)


def _write(analysis: Analysis, output: Path | None, report: Path | None) -> None:
    from tenk.report import markdown
    from tenk.saving import save

    came = any(
        each.status == "ok"
        for section in analysis.sections.values()
        for each in section.components.values()
    )
    texts = {output: lambda: analysis.model_dump_json(indent=2), report: lambda: markdown(analysis)}
    paths = [path for path in (output, report) if path is not None]
    if not paths:
        typer.echo(markdown(analysis))
        return
    kept = [path for path in paths if not came and path.is_file() and path.stat().st_size]
    written = [path for path in paths if path not in kept]
    for path in written:
        save(path, texts[path]())
    said = f" Written: {' and '.join(map(str, written))}." if written else ""
    if kept:  # a server that is down is no reason to lose what it said before
        said += f" Nothing new came, so {' and '.join(map(str, kept))} is as it was."
    say(f"{_closing(analysis)}{said}", error=True)


def _closing(analysis: Analysis) -> str:
    components = [
        each for section in analysis.sections.values() for each in section.components.values()
    ]
    count = {
        status: sum(each.status == status for each in components)
        for status in ("ok", "empty", "failed")
    }
    quotes = sum(section.quotes for section in analysis.sections.values())
    verified = sum(section.verified for section in analysis.sections.values())
    failed = f", {count['failed']} failed" if count["failed"] else ""
    filled = "1 component" if count["ok"] == 1 else f"{count['ok']} components"
    calls = "1 call" if analysis.calls == 1 else f"{analysis.calls} calls"
    return (
        f"{filled} filled, {count['empty']} empty{failed}; {verified} of {quotes} quotes verified; "
        f"{calls} in {analysis.seconds:.1f} s."
    )
