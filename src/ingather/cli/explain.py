"""``ingather cache explain``: for each task, whether its answer is stored, and if not, what differs from what is."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from ingather.cli.cache_command import StoreFile
from ingather.cli.options import (
    Api,
    BaseUrl,
    Ca,
    Format,
    Headers,
    IdColumn,
    Keep,
    KeyVariable,
    Model,
    OwnProvider,
    Params,
    Prompt,
    SchemaFile,
    System,
    Tasks,
    columns,
)

if TYPE_CHECKING:
    from ingather.engine.context import Context
    from ingather.errors import InvalidAnswer
    from ingather.store.nearest import Explanation, Nearest
    from ingather.task import LLMTask

Only = Annotated[str | None, typer.Option(metavar="ID", help="Only the task with this id.")]


def explain(
    tasks: Tasks,
    *,
    store: StoreFile,
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
    format: Format = None,  # noqa: A002 - the option's name
    id: IdColumn = None,  # noqa: A002 - as above
    keep: Keep = None,
    only: Only = None,
) -> None:
    """Say for each task why it would be answered from a store, or why not. Nothing is sent.

    Give it the options of the run: they decide what is asked. Of a task whose answer is not stored
    it is said what differs from the nearest one that is, among the 10,000 that were used last.
    """
    from ingather.admission.permit import Slots
    from ingather.admission.quotas import Quotas
    from ingather.cli.cache_command import existing
    from ingather.cli.fold import say
    from ingather.cli.plan import Ask, Target, make_recipe
    from ingather.engine.context import Context
    from ingather.jobs import BadLine, Source
    from ingather.jobs.check import lines_of
    from ingather.providers.base import WireProvider
    from ingather.stats import counted
    from ingather.store import Store
    from ingather.store.nearest import Nearest

    source = Source(tasks, format)
    target = Target(
        model, base_url, api_key_env, None, None, 600.0, None, api, header or [], ca, provider
    )
    ask = Ask(prompt, system, param or [], schema, format, id=id, keep=columns(keep))
    recipe, asked, _ = make_recipe(source, ask, target)
    if not isinstance(asked, WireProvider):
        say(f"answers of {model} are never stored")
        return
    hits = misses = 0
    with Store(existing(store), read_only=True) as opened:
        context, nearest = Context(asked, Slots(1), Quotas()), Nearest(opened)
        for line in lines_of(source, recipe):
            if only is not None and str(line.id) != only:
                continue
            if isinstance(line, BadLine):
                say(f"{line.id}: no task: {line}")
                continue
            found = _explained(nearest, context, line.task)
            hits, misses = hits + found.is_hit, misses + (not found.is_hit)
            say(f"{line.id}: {_said(found)}")
    if only is not None and not hits + misses:
        say(f"there is no task {only!r} in {source.name}")
    say(f"{counted(hits, 'hit')}, {counted(misses, 'miss', 'misses')}")


def _explained(nearest: Nearest, context: Context, task: LLMTask) -> Explanation:
    from ingather.errors import InvalidAnswer
    from ingather.providers.finish import is_whole
    from ingather.store.key import Key
    from ingather.store.nearest import Explanation

    question = context.question(task)
    request = question.on(context.route).request
    assert request is not None  # noqa: S101 - it is of our dialects
    found = nearest.explain(Key(request, task.sample))
    if found.response is not None and not is_whole(
        found.response, may_be_cut=question.schema is not None
    ):
        return Explanation(
            why="an answer is stored, but it is empty or did not end as it should: "
            "it is asked again"
        )
    if found.response is not None and question.schema is not None:
        try:
            question.schema.parse(found.response.content)
        except InvalidAnswer as error:
            return Explanation(why=f"its answer is stored, but {_without_period(error)}")
    return found


def _without_period(error: InvalidAnswer) -> str:
    return str(error).rstrip(".")


def _said(found: Explanation) -> str:
    if found.is_hit:
        return f"hit, stored {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(found.stored))}"
    differing = "".join(f"\n    {line}" for line in found.differences)
    return f"miss: {found.why}{differing}"
