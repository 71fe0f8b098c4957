"""Everything that is checked, opened and loaded before the first call of a run."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from ingather.cli.again import Again, keep_apart, what_is_there
from ingather.cli.fold import say
from ingather.cli.own_provider import factory_at
from ingather.cli.spending import Appraiser, Spending, as_options
from ingather.cli.streams import check_interrupted, interrupts_held
from ingather.errors import SetupError
from ingather.jobs import (
    AnswerFile,
    Fingerprint,
    Job,
    Recipe,
    Resume,
    Row,
    Source,
    Template,
    check,
)
from ingather.jobs.answer_form import AnswerForm, load_form
from ingather.jobs.batch import ENDPOINTS
from ingather.jobs.owner import Owner
from ingather.jobs.params import run_params
from ingather.jobs.place import is_stream
from ingather.jobs.typos import Typos
from ingather.limits import Limits
from ingather.providers.capabilities import capabilities_of
from ingather.providers.connect import connect, spoken
from ingather.providers.directory import HOMES
from ingather.providers.own_headers import parsed_header
from ingather.providers.plugins import made
from ingather.providers.responses import ResponsesProvider
from ingather.redact import redact
from ingather.retry import RetryConfig
from ingather.store import Store
from ingather.task_params import names_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingather.money.budget import Budget
    from ingather.providers.base import Provider
    from ingather.task import LLMTask


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked, as written on the command line."""

    prompt: str | None
    system: str | None
    params: list[str]
    schema: str | None
    format: str | None = None
    strict_params: bool = False
    id: str | None = None
    keep: tuple[str, ...] = ()

    @property
    def files(self) -> list[str]:
        """Files that say what is asked."""
        texts = [
            text[1:]
            for text in (self.prompt, self.system)
            if text is not None and text.startswith("@")
        ]
        return (
            texts
            if self.schema is None
            else [*texts, self.schema.rpartition(".py:")[0] + ".py", self.schema]
        )


@dataclass(frozen=True, slots=True)
class Target:
    """Who is asked, as written on the command line."""

    model: str
    base_url: str | None
    api_key_env: str | None
    rpm: float | None
    tpm: float | None
    timeout: float
    retries: int | None
    api: str | None = None
    headers: list[str] = field(default_factory=list)
    ca: str | None = None
    provider: str | None = None

    @property
    def each_its_own(self) -> bool:
        """Whether each line names the model that it asks: ``DIALECT/*``."""
        return self.model.endswith("/*")


class Arguments(TypedDict):
    """Those of `connect` that the command line has."""

    base_url: str | None
    api_key: str | None
    limits: Limits
    timeout: float
    api: str | None
    headers: dict[str, str]
    ca: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A run that is ready to go.

    `total`: its number of tasks, None for standard input and pipes. `models_vary`: a model that is
    not there concerns only the tasks that ask it.
    """

    job: Job
    answers: AnswerFile
    provider: Provider
    retry: RetryConfig | None
    total: int | None
    models_vary: bool = False
    store: Store | None = None
    again: Again = Again()  # noqa: RUF009 - frozen
    budget: Budget | None = None

    @property
    def resume(self) -> Resume | None:
        """What there is of it already, with a store."""
        return self.job.resume

    @property
    def left(self) -> int | None:
        """How many tasks are to be done still."""
        return (
            self.total
            if self.total is None or self.resume is None
            else self.total - self.resume.done
        )

    def begin(self) -> None:
        """The run starts: only now is anything changed in what was there."""
        kept = 0 if self.resume is None else self.resume.written.size
        self.answers.begin(kept, spare=self.store is None)
        if self.store is not None and self.resume is not None and self.resume.rows is not None:
            # a refresh that was cut short goes on as one
            since = 0.0 if self.again.overwrite else None
            since = self.store.since if self.again.refresh else since
            self.resume.rows.begin(Owner.this().written(), since=since, anew=self.again.anew)

    def close(self) -> None:
        """Nothing more is stored."""
        if self.store is not None:
            self.store.close()


def make_plan(
    tasks: str,
    output: str,
    ask: Ask,
    target: Target,
    again: Again,
    spending: Spending = Spending(),  # noqa: B008 - frozen
) -> Plan:
    """Check and open everything. Raises SetupError, with nothing sent and nothing left behind."""
    source = Source(tasks, ask.format)
    recipe, provider, form = make_recipe(source, ask, target)
    budget = spending.budget()
    appraiser = Appraiser(provider, recipe, budget)
    keep_apart(tasks, output, ask.files, again)
    asked = Fingerprint(target.model)
    with ExitStack() as undo:
        with (
            nullcontext() if is_stream(output) else interrupts_held()
        ):  # a pipe waits for its reader
            answers = AnswerFile(output, overwrite=again.anew, resume=again.goes_on)
            undo.callback(answers.discard)
        store = None if again.store is None else Store(again.store, refresh=again.refresh)
        if store is not None:
            undo.callback(store.close)
        resume = what_is_there(store, answers, asked, again)
        total = (
            check(source, recipe, _preparing(appraiser, resume)).tasks
            if source.rereadable
            else None
        )
        if resume is not None:
            resume.begin()
        check_interrupted()
        undo.pop_all()
    job = Job(source, recipe, None if form is None else form.dump, resume, asked)
    retry = _retry(provider, target.retries)
    return Plan(job, answers, provider, retry, total, target.each_its_own, store, again, budget)


def make_recipe(
    source: Source, ask: Ask, target: Target
) -> tuple[Recipe, Provider, AnswerForm | None]:
    """How rows become tasks, who is asked, and the form of answers. Raises SetupError."""
    form = None if ask.schema is None else load_form(ask.schema)
    typos = Typos(ask.strict_params, lambda said: say(f"warning: {said}", error=True))
    params = run_params(ask.params)
    template = None if ask.prompt is None else Template(_text(ask.prompt))
    system = None if ask.system is None else _text(ask.system)
    model = None if form is None else form.model
    recipe = Recipe(
        template,
        system,
        params,
        model,
        target.each_its_own,
        typos=typos,
        id_column=ask.id,
        keep=ask.keep,
    )
    provider = _provider(target, target.api or _api_of_lines(source, recipe, target))
    typos.check(names_in(params), "--param")
    return replace(recipe, speaks_responses=isinstance(provider, ResponsesProvider)), provider, form


def _api_of_lines(source: Source, recipe: Recipe, target: Target) -> str | None:
    """Where the first line is one of OpenAI's batch lines, the API that its url is of; None leaves the choice."""
    provider = HOMES.get(target.model.partition("/")[0])
    if not source.rereadable or provider is None or "api" not in provider.takes:
        return None
    with closing(source.rows()) as rows:
        first = next(rows, None)
    if not isinstance(first, Row) or not recipe.takes_batch(first):
        return None
    endpoint = ENDPOINTS.get(str(first.fields.get("url")))
    return None if endpoint is None else endpoint.api


def _provider(target: Target, api: str | None) -> Provider:
    key = target.api_key_env and os.environ.get(target.api_key_env)  # "" is to send none
    if (
        target.api_key_env
        and not key
        and (redact(target.api_key_env) != target.api_key_env or "-" in target.api_key_env)
    ):
        raise SetupError(
            "--api-key-env: the name of an environment variable that holds the key, "
            "not the key itself"
        )
    if target.api_key_env and not key:
        raise SetupError(
            f"--api-key-env: the environment variable {target.api_key_env} is not set, or empty"
        )
    limits = Limits(requests_per_minute=target.rpm, tokens_per_minute=target.tpm)
    options: Arguments = {
        "base_url": target.base_url,
        "api_key": key,
        "limits": limits,
        "timeout": target.timeout,
        "api": api,
        "headers": _headers(target.headers),
        "ca": target.ca,
    }
    try:
        if target.provider is not None:
            return made(
                factory_at(target.provider), target.provider, target.model, spoken(**options)
            )
        return connect(target.model, **options)
    except SetupError as error:
        raise SetupError(as_options(str(error))) from error


def _headers(written: list[str]) -> dict[str, str]:
    pairs = [parsed_header(each) for each in written]
    headers = dict(pairs)
    if len(headers) < len(pairs):
        raise SetupError("--header: a name is there twice")
    return headers


def _preparing(appraiser: Appraiser, resume: Resume | None) -> Callable[[LLMTask], object]:
    """How a line's request is made, and compared with what there is: what is wrong shows before the first call."""

    def prepare(task: LLMTask) -> None:
        check_interrupted()
        appraiser.prepared(task)
        if resume is not None:
            resume.check(task.tag, task)  # which is the line's id

    return prepare


def _retry(provider: Provider, retries: int | None) -> RetryConfig | None:
    if retries is None:
        return None
    return replace(capabilities_of(provider).retry or RetryConfig(), max_attempts=retries + 1)


def _text(written: str) -> str:
    """What is written, or with ``@`` what stands in that file."""
    if not written.startswith("@"):
        return written
    try:
        return Path(written[1:]).read_text("utf-8").removesuffix("\n")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SetupError(f"cannot read the prompt file {written[1:]}: {reason}") from error
