"""Everything that is checked, opened and loaded before the first call of a run."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingather.backoff import RetryConfig
from ingather.errors import SetupError
from ingather.jobs import AnswerFile, Job, Recipe, Row, Source, Template, check, checked_params
from ingather.jobs.answer_form import load_form
from ingather.jobs.batch import ENDPOINTS
from ingather.jobs.params import parsed_param
from ingather.limits import Limits
from ingather.providers.base import WireProvider
from ingather.providers.connect import connect
from ingather.providers.responses import ResponsesProvider

if TYPE_CHECKING:
    from collections.abc import Callable

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


@dataclass(frozen=True, slots=True)
class Whom:
    """Who is asked, as written on the command line."""

    model: str
    base_url: str | None
    api_key_env: str | None
    rpm: float | None
    tpm: float | None
    timeout: float
    retries: int | None
    api: str | None = None

    @property
    def each_its_own(self) -> bool:
        """Whether each line names the model that it asks: ``DIALECT/*``."""
        return self.model.endswith("/*")


@dataclass(frozen=True, slots=True)
class Plan:
    """A run that is ready to go.

    `total`: its number of tasks, None for standard input and pipes. `models_vary`: a model that is not there concerns
    only the tasks that ask it.
    """

    job: Job
    answers: AnswerFile
    provider: Provider
    retry: RetryConfig | None
    total: int | None
    models_vary: bool = False


def make_plan(tasks: str, output: str, ask: Ask, whom: Whom, *, overwrite: bool) -> Plan:
    """Check and open everything. Raises SetupError, with nothing sent and nothing left behind."""
    source = Source(tasks, ask.format)
    form = None if ask.schema is None else load_form(ask.schema)
    params = checked_params(dict(map(parsed_param, ask.params)))
    template = None if ask.prompt is None else Template(_text(ask.prompt))
    system = None if ask.system is None else _text(ask.system)
    recipe = Recipe(template, system, params, None if form is None else form.model, whom.each_its_own)
    provider = _provider(whom, whom.api or _api_of_lines(source, recipe, whom))
    recipe = replace(recipe, speaks_responses=isinstance(provider, ResponsesProvider))
    if source.rereadable and output != "-" and Path(output).exists() and Path(output).samefile(tasks):
        raise SetupError(f"the answers would replace the tasks: give another -o than {output}")
    answers = AnswerFile(output, overwrite=overwrite)
    try:
        total = check(source, recipe, _preparing(provider)).tasks if source.rereadable else None
    except BaseException:
        answers.discard()
        raise
    job = Job(source, recipe, None if form is None else form.dump)
    return Plan(job, answers, provider, _retry(provider, whom.retries), total, whom.each_its_own)


def _api_of_lines(source: Source, recipe: Recipe, whom: Whom) -> str | None:
    """Where the first line is one of OpenAI's batch lines, the API that its url is of; None leaves the choice."""
    if not source.rereadable or not whom.model.startswith("openai/"):
        return None
    with closing(source.rows()) as rows:
        first = next(rows, None)
    if not isinstance(first, Row) or not recipe.takes_batch(first):
        return None
    endpoint = ENDPOINTS.get(str(first.fields.get("url")))
    return None if endpoint is None else endpoint.api


def _provider(whom: Whom, api: str | None) -> Provider:
    key = whom.api_key_env and os.environ.get(whom.api_key_env)  # "" is to send none
    if whom.api_key_env and not key:
        raise SetupError(f"--api-key-env: the environment variable {whom.api_key_env} is not set, or empty")
    limits = Limits(requests_per_minute=whom.rpm, tokens_per_minute=whom.tpm)
    try:
        return connect(whom.model, base_url=whom.base_url, api_key=key, limits=limits, timeout=whom.timeout, api=api)
    except SetupError as error:
        raise SetupError(_as_options(str(error))) from error


def _as_options(message: str) -> str:
    """`message` with the command line's words in place of Python's."""
    for python, ours in (
        ('api_key=""', "--api-key-env ''"),
        ("api_key=", "--api-key-env VAR"),
        ("base_url=", "--base-url"),
        ('connect(…, api="chat")', "--api chat"),
        ("api=", "--api"),
        ("base_url", "--base-url"),
    ):
        message = message.replace(python, ours)
    return message


def _preparing(provider: Provider) -> Callable[[LLMTask], object] | None:
    """How a task's request is made: what is wrong with it shows before the first call."""
    if not isinstance(provider, WireProvider):
        return None

    def prepare(task: LLMTask) -> object:
        try:
            return provider.prepare(task.messages, task.config_overrides)
        except SetupError as error:
            raise SetupError(_as_options(str(error))) from error

    return prepare


def _retry(provider: Provider, retries: int | None) -> RetryConfig | None:
    if retries is None:
        return None
    brought = getattr(provider, "retry", None)
    return replace(brought if isinstance(brought, RetryConfig) else RetryConfig(), max_attempts=retries + 1)


def _text(written: str) -> str:
    """What is written, or with ``@`` what stands in that file."""
    if not written.startswith("@"):
        return written
    try:
        return Path(written[1:]).read_text("utf-8").removesuffix("\n")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SetupError(f"cannot read the prompt file {written[1:]}: {reason}") from error
