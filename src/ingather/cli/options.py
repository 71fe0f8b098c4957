"""The options and arguments of commands, as typer reads them."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from ingather.providers.presets import DIALECTS, PRESETS

Seconds = Optional[float]  # noqa: UP045 - typer reads it at run time

Tasks = Annotated[
    str,
    typer.Argument(
        metavar="TASKS", help="JSON lines, .csv or .tsv, each also with .gz; - for standard input."
    ),
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
        help="Target to ask, such as openai/gpt-4o-mini, whatever model a line names; 'openai/*' "
        "asks each line's own; "
        f"echo needs nobody. Providers: {', '.join((*DIALECTS, *PRESETS))}.",
    ),
]
OwnProvider = Annotated[
    str | None,
    typer.Option(
        "--provider",
        metavar="MODULE:FACTORY",
        help="A provider of your own: what the factory makes of the model's name; MODULE may be a "
        "FILE.py.",
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="Another server of that kind, such as http://localhost:8000/v1."
    ),
]
Api = Annotated[
    str | None,
    typer.Option(
        metavar="API",
        help="Which of OpenAI's APIs: chat or responses (for batch lines that of their url, else "
        "responses at OpenAI, "
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
        "--header",
        metavar="NAME:VALUE",
        help="A header of every request, as secret as a key; again for more.",
    ),
]
Ca = Annotated[
    str | None,
    typer.Option(
        "--ca",
        metavar="PATH",
        help="Certificates to trust besides the usual ones, for a server with one of its own: a "
        "PEM file, or a folder "
        "of such.",
    ),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="jsonl, csv or tsv, where the ending of TASKS does not say so.",
    ),
]
Concurrency = Annotated[
    int | None,
    typer.Option(
        min=1, metavar="N", help="Calls in flight at most; otherwise as many as the provider takes."
    ),
]
Rpm = Annotated[float | None, typer.Option(min=1, metavar="N", help="Requests per minute at most.")]
Tpm = Annotated[
    float | None,
    typer.Option(min=1, metavar="N", help="Tokens per minute at most, in and out together."),
]
SchemaFile = Annotated[
    str | None,
    typer.Option(
        "--schema",
        metavar="FORM",
        help="The form of the answers: FILE.py:Model (pydantic model, dataclass, …) or a JSON "
        "schema in FILE.json.",
    ),
]
Prompt = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        help="The prompt, with {field} for the fields of each row; @FILE reads it from a file.",
    ),
]
System = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT", help="A system message for rows without one; @FILE reads it from a file."
    ),
]
Params = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        metavar="NAME=VALUE",
        help="A parameter for rows that do not set it, such as temperature=0; any that the server "
        "knows, with JSON as "
        "its value; again for more.",
    ),
]
StrictParams = Annotated[
    bool,
    typer.Option(
        "--strict-params", help="A parameter that is likely a slip of a known one is an error."
    ),
]
Timeout = Annotated[float, typer.Option(min=0.001, metavar="S", help="Seconds for each attempt.")]
Retries = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        help="Further attempts after a transient fault (2 unless the provider says otherwise).",
    ),
]
MaxTime = Annotated[
    Seconds,
    typer.Option(
        min=0.001, metavar="S", help="Stop the run after that many seconds (exit code 4)."
    ),
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
    int | None,
    typer.Option(
        "--max-total-tokens", min=1, metavar="N", help="The same in tokens, in and out together."
    ),
]
Prices = Annotated[
    list[str] | None,
    typer.Option(
        "--price",
        metavar="IN:OUT",
        help="USD for a million tokens in and out, where that is not known; MODEL=IN:OUT for one "
        "of several models.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Only say what the run would take: calls, tokens, money, time. Nothing "
        "is sent or written.",
    ),
]
Grace = Annotated[
    float,
    typer.Option(
        min=0, metavar="S", help="Seconds that calls in flight have to end when the run is stopped."
    ),
]
HedgeAfter = Annotated[
    str | None,
    typer.Option(
        "--hedge",
        metavar="WHEN",
        help="Send a slow request a second time: after that percentile of the latest latencies, "
        "such as p95, or "
        "after so many seconds. The first answer wins; at most 5 % more calls.",
    ),
]
Ordered = Annotated[
    bool,
    typer.Option("--ordered", help="Answers in the order of the tasks, instead of as they come."),
]
FailFast = Annotated[bool, typer.Option("--fail-fast", help="Stop at the first task that fails.")]
StoreFile = Annotated[
    str | None,
    typer.Option(
        "--store",
        metavar="RUN.db",
        help="Remember each answer in this file: the same command again goes on where it ended, "
        "however it ended.",
    ),
]
Refresh = Annotated[
    bool,
    typer.Option(
        "--refresh",
        help="With --store: ask everything anew, and replace the answers in FILE and in RUN.db.",
    ),
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on with FILE, by the ids of its answers: what is there is not asked again.",
    ),
]
RetryFailed = Annotated[
    bool,
    typer.Option(
        "--retry-failed",
        help="The same, and what failed is asked again; its line goes out of FILE.",
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Ask all, and replace FILE when the new answers are there."),
]
IdColumn = Annotated[
    str | None,
    typer.Option(
        "--id",
        metavar="COLUMN",
        help="The field that tells rows apart, and that answers carry as their id.",
    ),
]
Keep = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMNS",
        help="Fields of a row that its answer carries in 'metadata', with commas between; or all.",
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", help="No live view, and a closing summary only if not all succeeded."
    ),
]


def columns(written: list[str] | None) -> tuple[str, ...]:
    """The names of columns, as --keep takes them.

    >>> columns(["name, city", "age"])
    ('name', 'city', 'age')
    """
    names = [name.strip() for each in written or [] for name in each.split(",")]
    return tuple(dict.fromkeys(name for name in names if name))
