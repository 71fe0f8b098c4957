"""``ingather run``: a file of tasks in, a file of answers out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from ingather.cli.options import (
    Api,
    BaseUrl,
    Ca,
    Concurrency,
    DryRun,
    FailFast,
    Format,
    Grace,
    Headers,
    HedgeAfter,
    IdColumn,
    Keep,
    KeyVariable,
    MaxCost,
    MaxTime,
    MaxTotal,
    Model,
    Ordered,
    Output,
    Overwrite,
    OwnProvider,
    Params,
    Prices,
    Prompt,
    Quiet,
    Refresh,
    Resume,
    Retries,
    RetryFailed,
    Rpm,
    SchemaFile,
    StoreFile,
    StrictParams,
    System,
    Tasks,
    Timeout,
    Tpm,
    columns,
)
from ingather.errors import SetupError

if TYPE_CHECKING:
    from ingather.hedge import Hedge


def run(
    context: typer.Context,
    tasks: Tasks,
    *,
    output: Output,
    model: Model,
    provider: OwnProvider = None,
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
    id: IdColumn = None,  # noqa: A002 - as above
    keep: Keep = None,
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
    resume: Resume = False,
    retry_failed: RetryFailed = False,
    quiet: Quiet = False,
) -> None:
    """Send every task of a file to a model, many at once, and append each answer to a file as it arrives.

    \b
    A line of TASKS is
      {"id": "a", "prompt": "…"}
    or "messages": [{"role": "user", "content": "…"}] in place of the prompt, and
    if you like "params": {"temperature": 0} and "metadata": {…};
    or an OpenAI batch line, whose answer is an OpenAI batch output line:
      {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions",
       "body": {…}}
    or, with --prompt, any JSON object or row of a table, whose fields it names.

    \b
    Examples:
      ingather run tasks.jsonl -o answers.jsonl --model openai/gpt-4o-mini
      ingather run people.csv -o people.jsonl --model openai/gpt-4o-mini \\
        --prompt 'Who is this? {text}' --schema people.py:Person --id name
      ingather run tasks.jsonl -o answers.jsonl --model openai/gpt-4o-mini \\
        --store run.db
      ingather run batch.jsonl -o output.jsonl.gz --model 'openai/*'
      ingather run tasks.jsonl -o - --model openai/llama \\
        --base-url http://localhost:8000/v1 | jq .value

    The whole file is checked before the first call. Ctrl-C stops taking tasks and keeps what is done; the command that
    it prints goes on from there. After a crash, --resume does, or with --store the same command.

    Exit codes: 0 all succeeded, 2 wrong use or set-up, 3 some failed, 4 time or money was up, 130 interrupted, 143
    terminated.
    """  # noqa: D301 - typer's mark for "keep these lines as they are"
    from ingather.cli.again import Again
    from ingather.cli.drive import Drive, RunOptions
    from ingather.cli.plan import Ask, Target, make_plan
    from ingather.cli.spending import Spending

    ask = Ask(prompt, system, param or [], schema, format, strict_params, id, columns(keep))
    target = Target(
        model, base_url, api_key_env, rpm, tpm, timeout, retries, api, header or [], ca, provider
    )
    again = Again(store, overwrite, refresh, resume, retry_failed, ordered)
    spending = Spending(max_cost, max_total_tokens, price or [])
    if dry_run:
        _say_estimate(tasks, ask, target, again, spending, max_concurrency, _hedge(hedge))
        return
    command = ["ingather", *(context.obj or [])]
    bounds = (max_concurrency, max_time, grace, command, _hedge(hedge))
    options = RunOptions(*bounds, ordered=ordered, fail_fast=fail_fast, quiet=quiet)
    raise typer.Exit(Drive(make_plan(tasks, output, ask, target, again, spending), options).run())


def _hedge(after: str | None) -> Hedge | None:
    if after is None:
        return None
    from ingather.hedge import Hedge

    try:
        return Hedge(after if after.startswith("p") else float(after))
    except ValueError:
        raise SetupError(
            f"--hedge is a percentile such as p95, or a number of seconds, not {after!r}"
        ) from None


def _say_estimate(*asked: Any) -> None:  # those of `estimate`
    from ingather.cli.estimate import estimate
    from ingather.cli.fold import say

    say(estimate(*asked))
