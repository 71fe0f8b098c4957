"""From a row to a task: how each line of the input becomes one call to the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from ingather.errors import SetupError
from ingather.jobs.batch import RESPONSES, is_batch, read_batch
from ingather.jobs.messages import read_messages
from ingather.jobs.params import TYPES, checked_params
from ingather.jobs.typos import Typos
from ingather.task import LLMMessage, LLMTask
from ingather.task_params import names_in

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from ingather.jobs.batch import Endpoint
    from ingather.jobs.rows import Row
    from ingather.jobs.template import Template

_LINE_FIELDS = ("id", "custom_id", "prompt", "messages", "params", "metadata", "model")
_NO_RESPONSES = (
    "'url' is '/v1/responses', which is not how this provider is asked: --model openai/NAME is, for lines on standard "
    "input with --api responses"
)
_BATCH_ONLY = (
    "--keep and --id are not for OpenAI batch lines, which are known by their custom_id, and whose answers "
    "have no room for other fields"
)
ALL = "all"


@dataclass(slots=True)
class Line:
    """One task of a job: what the answer is filed under, what to ask, and what travels along to the answer.

    `endpoint`: that of an OpenAI batch line, whose answer is a batch output line; None for lines of
    our own.
    """

    id: str | int
    task: LLMTask
    metadata: Mapping[str, object] | None = None
    endpoint: Endpoint | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a row becomes a task.

    `template`: the prompt, made of the row's fields; None where rows hold their own ``prompt`` or
    ``messages``, or are OpenAI batch lines. `system`: a system message for rows without one of
    their own. `params`: parameters for rows that do not set them. `response_model`: the form of the
    answer. `own_models`: each row names the model that it asks; else a model that it names does not
    matter. `speaks_responses`: the provider takes batch lines of OpenAI's Responses API. `typos`:
    what is done about parameters that are likely slips. `id_column`: the field that tells rows
    apart. `keep`: fields that come back in the answer's metadata, ``("all",)`` for every one.

    >>> from ingather.jobs import Row, Template
    >>> Recipe(Template("Who wrote {title}?")).line(Row(1, {"title": "Emma"})).id
    'line-1'
    """

    template: Template | None = None
    system: str | None = None
    params: Mapping[str, object] = field(default_factory=dict)
    response_model: Any = None  # as in LLMTask
    own_models: bool = False
    speaks_responses: bool = False
    typos: Typos = field(default_factory=Typos)
    id_column: str | None = None
    keep: tuple[str, ...] = ()

    @property
    def keeps_all(self) -> bool:
        """Whether all fields of a row come back on its answer."""
        return self.keep == (ALL,)

    def row_id(self, row: Row) -> str | int:
        """What the row's answer is filed under: its `id_column`, else its ``id`` or ``custom_id``, else its line.

        Raises SetupError for what is no id.
        """
        if (self.keep or self.id_column not in {None, "custom_id"}) and self.takes_batch(row):
            raise SetupError(_BATCH_ONLY)
        for name in ("id", "custom_id") if self.id_column is None else (self.id_column,):
            value = row.fields.get(name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
                raise SetupError(f"{name!r} is text or a whole number, not {value!r:.60}")
            return value
        if self.id_column is None:
            return f"line-{row.line}"
        if self.id_column in row.fields:
            raise SetupError(f"the field {self.id_column!r}, which --id names, is null")
        raise SetupError(
            f"--id names the field {self.id_column!r}; there are: {_names(row.fields)}"
        )

    def takes_batch(self, row: Row) -> bool:
        """Whether `row` is an OpenAI batch line, rather than a line of ours or data for the template."""
        return self.template is None and is_batch(row.fields)

    def line(self, row: Row) -> Line:
        """The row's task. Raises SetupError that says what is wrong with the row and what to do."""
        key = self.row_id(row)
        endpoint, metadata = None, None
        own: Mapping[str, object]
        if self.takes_batch(row):
            endpoint, messages, own = read_batch(row.fields)
            if endpoint is RESPONSES and not self.speaks_responses:
                raise SetupError(_NO_RESPONSES)
        else:
            messages, own = self._asked(row.fields)
            metadata = self._kept(row.fields, _metadata(row.fields, strict=self.template is None))
        if self.system is not None and messages[0].role not in ("system", "developer"):
            messages.insert(0, LLMMessage("system", self.system))
        params = self.params
        if own:
            checked = checked_params(own)
            self.typos.check(names_in(checked), f"line {row.line}")
            params = {**params, **checked}
        if self.own_models:
            params = {**params, "model": _model(own)}
        if self.response_model is not None and "response_format" in params:
            raise SetupError(
                "'response_format' and --schema both say which form the answer has; "
                "give one of them"
            )
        if self.response_model is not None and "n" in params:
            raise SetupError(
                "'n' is above 1, and --schema makes one value of an answer: leave out one of them"
            )
        task = LLMTask(messages, params or None, tag=str(key), response_model=self.response_model)
        return Line(key, task, metadata, endpoint)

    def _asked(self, fields: Mapping[str, object]) -> tuple[list[LLMMessage], Mapping[str, object]]:
        if self.template is not None:
            own = {"model": fields["model"]} if self.own_models and "model" in fields else {}
            return [LLMMessage("user", self.template.render(fields))], own
        known = fields if self.keeps_all else (*self.keep, self.id_column)
        messages, params = _own_messages(fields, known), fields.get("params") or {}
        if not isinstance(params, dict):
            raise SetupError(
                f"'params' is an object such as {{\"temperature\": 0}}, not {params!r:.60}"
            )
        return messages, {**params, "model": fields["model"]} if "model" in fields else params

    def _kept(
        self, fields: Mapping[str, object], metadata: Mapping[str, object] | None
    ) -> Mapping[str, object] | None:
        if not self.keep:
            return metadata
        chosen = fields if self.keeps_all else [name for name in self.keep if name in fields]
        own = metadata or {}
        return {
            **own,
            **{name: fields[name] for name in chosen if name != "metadata" or metadata is None},
        }


def _names(fields: Mapping[str, object]) -> str:
    return f"{', '.join(map(repr, fields)) or 'none':.300}"


def _own_messages(fields: Mapping[str, object], known: Container[str | None]) -> list[LLMMessage]:
    _refuse_unknown(fields, known)
    prompt, messages = fields.get("prompt"), fields.get("messages")
    if (prompt is None) == (messages is None):
        said = (
            "neither 'prompt' nor 'messages'" if prompt is None else "both 'prompt' and 'messages'"
        )
        raise SetupError(f"has {said}; a line has one of them")
    if prompt is not None:
        if not isinstance(prompt, str) or not prompt.strip():
            raise SetupError(f"'prompt' is the text to send, not {prompt!r:.60}")
        return [LLMMessage("user", prompt)]
    return read_messages(messages)


def _model(own: Mapping[str, object]) -> str:
    model = own.get("model")
    if not isinstance(model, str) or not model.strip():
        said = (
            "has no 'model'"
            if model is None
            else f"'model' is the name of a model, not {model!r:.60}"
        )
        raise SetupError(
            f"{said}; --model DIALECT/* asks for each line's own, --model "
            f"DIALECT/NAME for one for all"
        )
    return model


def _refuse_unknown(fields: Mapping[str, object], known: Container[str | None]) -> None:
    unknown = [name for name in fields if name not in _LINE_FIELDS and name not in known]
    if not unknown:
        return
    name = unknown[0]
    if "prompt" not in fields and "messages" not in fields:
        raise SetupError(
            f"has neither 'prompt' nor 'messages'; give --prompt with a text that names its "
            f"fields, "
            f"such as {{{name}}} (there are: {', '.join(map(repr, fields)):.300})"
        )
    if name in TYPES and isinstance(fields[name], TYPES[name][0]):
        raise SetupError(f"the field {name!r} is a parameter: put it under 'params'")
    close = get_close_matches(name, _LINE_FIELDS, n=1)
    meant = f": did you mean {close[0]!r}?" if close else "."
    raise SetupError(
        f"the field {name!r} is not known{meant} Put it under 'metadata', or give --prompt "
        f"'{{prompt}}' to take "
        "the row as data"
    )


def _metadata(fields: Mapping[str, object], *, strict: bool) -> Mapping[str, object] | None:
    value = fields.get("metadata")
    if value is None or isinstance(value, dict):
        return value
    if strict:
        raise SetupError(f"'metadata' is an object, not {value!r:.60}")
    return None  # with a template, a column that happens to have this name is data
