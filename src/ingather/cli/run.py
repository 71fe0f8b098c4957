"""``ingather run``: a file of tasks in, a file of answers out."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from ingather.errors import SetupError, redact
from ingather.providers.presets import DIALECTS, PRESETS

if TYPE_CHECKING:
    from ingather.hedge import Hedge

Seconds = Optional[float]  # noqa: UP045 - typer reads it at run time

Tasks = Annotated[
    str, typer.Argument(metavar="TASKS", help="JSON lines, .csv or .tsv, each also with .gz; - for standard input.")
]
Output = Annotated[
    str,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Where the answers go, one JSON line each; .gz packs them; - for standard output.",
    ),
]
Model = Annotated[
    str,
    typer.Option(
        metavar="PROVIDER/NAME",
        help="Whom to ask, such as openai/gpt-4o-mini, whatever model a line names; 'openai/*' asks each line's own; "
        f"echo needs nobody. Providers: {', '.join((*DIALECTS, *PRESETS))}.",
    ),
]
BaseUrl = Annotated[
    str | None, typer.Option(metavar="URL", help="Another server of that kind, such as http://localhost:8000/v1.")
]
Api = Annotated[
    str | None,
    typer.Option(
        metavar="API",
        help="Which of OpenAI's APIs: chat or responses (for batch lines that of their url, else responses at OpenAI, "
        "chat elsewhere).",
    ),
]
KeyVariable = Annotated[
    str | None,
    typer.Option(
        "--api-key-env",
        metavar="VAR",
        help="The environment variable that holds that server's key; '' if it needs none.",
    ),
]
Headers = Annotated[
    list[str] | None,
    typer.Option(
        "--header", metavar="NAME:VALUE", help="A header of every request, as secret as a key; again for more."
    ),
]
Ca = Annotated[
    str | None,
    typer.Option(
        "--ca",
        metavar="PATH",
        help="Certificates to trust besides the usual ones, for a server with one of its own: a PEM file, or a folder "
        "of such.",
    ),
]
Format = Annotated[
    str | None,
    typer.Option("--format", metavar="FORMAT", help="jsonl, csv or tsv, where the ending of TASKS does not say so."),
]
Concurrency = Annotated[
    Optional[int],  # noqa: UP045 - as above
    typer.Option(min=1, metavar="N", help="Calls in flight at most; otherwise as many as the provider takes."),
]
Rpm = Annotated[float | None, typer.Option(min=1, metavar="N", help="Requests per minute at most.")]
Tpm = Annotated[float | None, typer.Option(min=1, metavar="N", help="Tokens per minute at most, in and out together.")]
SchemaFile = Annotated[
    str | None,
    typer.Option(
        "--schema",
        metavar="FORM",
        help="The form of the answers: FILE.py:Model (pydantic model, dataclass, …) or a JSON schema in FILE.json.",
    ),
]
Prompt = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT", help="The prompt, with {field} for the fields of each row; @FILE reads it from a file."
    ),
]
System = Annotated[
    str | None, typer.Option(metavar="TEXT", help="A system message for rows without one; @FILE reads it from a file.")
]
Params = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        metavar="NAME=VALUE",
        help="A parameter for rows that do not set it, such as temperature=0; any that the server knows, with JSON as "
        "its value; again for more.",
    ),
]
StrictParams = Annotated[
    bool,
    typer.Option("--strict-params", help="A parameter that is likely a slip of a known one is an error."),
]
Timeout = Annotated[float, typer.Option(min=0.001, metavar="S", help="Seconds for each attempt.")]
Retries = Annotated[
    int | None,
    typer.Option(
        min=0, metavar="N", help="Further attempts after a transient fault (2 unless the provider says otherwise)."
    ),
]
MaxTime = Annotated[
    Seconds, typer.Option(min=0.001, metavar="S", help="Stop the run after that many seconds (exit code 4).")
]
MaxCost = Annotated[
    Seconds,
    typer.Option(
        min=0.000001,
        metavar="USD",
        help="Spend no more than that (exit code 4): each call needs a limit on its output.",
    ),
]
MaxTotal = Annotated[
    Optional[int],  # noqa: UP045 - as above
    typer.Option("--max-total-tokens", min=1, metavar="N", help="The same in tokens, in and out together."),
]
Prices = Annotated[
    list[str] | None,
    typer.Option(
        "--price",
        metavar="IN:OUT",
        help="USD for a million tokens in and out, where that is not known; MODEL=IN:OUT for one of several models.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Only say what the run would take: calls, tokens, money, time. Nothing is sent or written."
    ),
]
Grace = Annotated[
    float, typer.Option(min=0, metavar="S", help="Seconds that calls in flight have to end when the run is stopped.")
]
HedgeAfter = Annotated[
    str | None,
    typer.Option(
        "--hedge",
        metavar="WHEN",
        help="Send a slow request a second time: after that percentile of the latest latencies, such as p95, or "
        "after so many seconds. The first answer wins; at most 5 % more calls.",
    ),
]
Ordered = Annotated[bool, typer.Option("--ordered", help="Answers in the order of the tasks, instead of as they come.")]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="Stop at the first task that fails.")]
StoreFile = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="RUN.db",
        help="Remember each answer in this file: the same command again goes on where it ended, however it ended.",
    ),
]
Refresh = Annotated[
    bool,
    typer.Option("--refresh", help="With --store: ask everything anew, and replace the answers in FILE and in RUN.db."),
]
RetryFailed = Annotated[
    bool, typer.Option("--retry-failed", help="With --store: ask again what failed, and take its line out of FILE.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the answers that FILE holds.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No live view, and a closing summary only if not all succeeded.")
]


def run(
    context: typer.Context,
    tasks: Tasks,
    *,
    output: Output,
    model: Model,
    base_url: BaseUrl = None,
    api: Api = None,
    api_key_env: KeyVariable = None,
    header: Headers = None,
    ca: Ca = None,
    prompt: Prompt = None,
    system: System = None,
    schema: SchemaFile = None,
    param: Params = None,
    strict_params: StrictParams = False,
    format: Format = None,  # noqa: A002 - the option's name
    max_concurrency: Concurrency = None,
    rpm: Rpm = None,
    tpm: Tpm = None,
    timeout: Timeout = 600.0,
    retries: Retries = None,
    max_time: MaxTime = None,
    hedge: HedgeAfter = None,
    max_cost: MaxCost = None,
    max_total_tokens: MaxTotal = None,
    price: Prices = None,
    dry_run: DryRun = False,
    grace: Grace = 5.0,
    ordered: Ordered = False,
    fail_fast: FailFast = False,
    overwrite: Overwrite = False,
    store: StoreFile = None,
    refresh: Refresh = False,
    retry_failed: RetryFailed = False,
    quiet: Quiet = False,
) -> None:
    """Send every task of a file to a model, many at once, and append each answer to a file as it arrives.

    \b
    A line of TASKS is
      {"id": "a", "prompt": "…"}     or "messages": [{"role": "user", "content": "…"}] in place of the prompt,
                                     and if you like "params": {"temperature": 0} and "metadata": {…}
    or {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {…}}: an OpenAI batch line, whose
                                     answer is an OpenAI batch output line
    or, with --prompt, any JSON object or row of a table, whose fields the prompt names.

    \b
    Examples:
      ingather run tasks.jsonl -o answers.jsonl --model openai/gpt-4o-mini --rpm 500
      ingather run people.csv -o people.jsonl --model openai/gpt-4o-mini \\
        --prompt 'Who is this? {text}' --schema people.py:Person
      ingather run tasks.jsonl -o answers.jsonl --model openai/gpt-4o-mini --store run.db
      ingather run batch.jsonl -o output.jsonl.gz --model 'openai/*'
      ingather run tasks.jsonl -o - --model openai/llama --base-url http://localhost:8000/v1 | jq .value

    \b
    The whole file is checked before the first call. Ctrl-C stops taking tasks and keeps what is done; with --store, the
    same command goes on from there, and so it does after a crash.
    Exit codes: 0 all succeeded, 2 wrong use or set-up, 3 some failed, 4 time or money was up, 130 interrupted,
    143 terminated.
    """  # noqa: D301 - typer's mark for "keep these lines as they are"
    from ingather.cli.drive import Drive, How
    from ingather.cli.plan import Again, Ask, Whom, make_plan
    from ingather.cli.spending import Spending

    ask = Ask(prompt, system, param or [], schema, format, strict_params)
    whom = Whom(model, base_url, api_key_env, rpm, tpm, timeout, retries, api, header or [], ca)
    again = Again(store, overwrite=overwrite, refresh=refresh, retry_failed=retry_failed, ordered=ordered)
    spending = Spending(max_cost, max_total_tokens, price or [])
    if dry_run:
        from ingather.cli.estimate import estimate

        print(estimate(tasks, ask, whom, again, spending, max_concurrency))
        return
    command = _going_on(context.obj or [])
    how = How(
        max_concurrency, max_time, grace, command, _hedge(hedge), ordered=ordered, fail_fast=fail_fast, quiet=quiet
    )
    raise typer.Exit(Drive(make_plan(tasks, output, ask, whom, again, spending), how).run())


def _hedge(after: str | None) -> Hedge | None:
    if after is None:
        return None
    from ingather.hedge import Hedge

    try:
        return Hedge(after if after.startswith("p") else float(after))
    except ValueError:
        raise SetupError(f"--hedge is a percentile such as p95, or a number of seconds, not {after!r}") from None


def _going_on(arguments: list[str]) -> str:
    """The command that goes on with this one: as it was given, without what would begin anew."""
    once = ("--overwrite", "--refresh", "--retry-failed")
    left = _without_values([argument for argument in arguments if argument not in once])
    return redact(shlex.join(["ingather", *left]))


def _without_values(arguments: list[str]) -> list[str]:
    """Headers are as secret as a key: of theirs, only the names are shown."""
    shown: list[str] = []
    for argument in arguments:
        option, equals, written = argument.partition("=")
        if shown and shown[-1] == "--header":
            shown.append(f"{argument.partition(':')[0]}:…")
        elif option == "--header" and equals:
            shown.append(f"--header={written.partition(':')[0]}:…")
        else:
            shown.append(argument)
    return shown
