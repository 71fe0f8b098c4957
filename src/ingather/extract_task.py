"""A model to be filled from a text, by several calls at once. Data only, checked as it is made."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, overload

from ingather.brief import brief, described
from ingather.task import T_co, Task, positive_seconds
from ingather.task_params import refuse_unknown, with_params

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ingather.retry import RetryConfig
    from ingather.task import V


@dataclass(frozen=True, slots=True)
class Prompt:
    """What to ask for a field of an `ExtractTask`'s model, in place of its description.

    >>> from typing import Annotated
    >>> from ingather import Prompt
    >>> products = Annotated[list[str], Prompt("Every product that is named, as it is named.")]
    """

    text: str

    def __repr__(self) -> str:
        return f"Prompt({brief(self.text, 120)})"


Rung = Literal["retry", "single", "partial"]


@dataclass(slots=True)
class ExtractTask(Task[T_co]):
    """One pydantic model, filled from one text by several calls at once, one for each of its fields.

    `context`: the text; it goes first, so that all calls share a beginning that providers cache.
    `response_model`: a pydantic model, whose fields' descriptions, or `Prompt`, say what to look
    for; or a list. `instructions`: what holds for all fields, before the text. `split`:
    ``"fields"``, one call a field; ``"single"``, one call for all; ``"auto"``: by fields where two
    or more of them are models or lists, else in one call; where the schema is above the provider's
    ceiling, in as few calls as that allows, with one for each model and list where there are two.

    `fallback`: which of these is done, in this order, when a part fails. ``"retry"``: that part is
    asked again, with its error. ``"single"``: one prompt for only what is missing. ``"partial"``:
    what is there is the value, if the fields that are missing have defaults. Without ``"partial"``
    a missing field fails the task. What succeeded stays in `TaskResult.parts` in any case, and is
    asked again only where the model refuses the parts as a whole.

    `prime`: the first part is sent alone, so that the provider's prompt cache holds the text before
    the others come. `functions`: functions of your own that fill fields, by name; each is called
    with the text, under the same bound. `config_overrides`, `retry`, `timeout`: of each call.
    `deadline`: seconds for the whole. `params`: further parameters of each call, as in
    `config_overrides`.

    Raises TypeError or ValueError for what is none of these, and for a parameter that is given
    twice.

    >>> from pydantic import BaseModel
    >>> from ingather import ExtractTask
    >>> class Company(BaseModel):
    ...     products: list[str]
    ...     employees: int
    >>> ExtractTask("We sell boats. We are 12.", Company, split="fields").fallback
    ('retry', 'single', 'partial')
    """

    context: str
    response_model: Any  # as in LLMTask
    instructions: str = ""
    split: Literal["auto", "fields", "single"] = "auto"
    fallback: Sequence[Rung] = ("retry", "single", "partial")
    tag: str = ""
    config_overrides: Mapping[str, object] | None = None
    retry: RetryConfig | None = None
    timeout: float | None = None
    deadline: float | None = None
    prime: bool = False
    _: KW_ONLY
    functions: Mapping[str, Callable[[str], object]] = field(default_factory=dict)

    @overload
    def __init__(
        self: ExtractTask[V],
        context: str,
        response_model: type[V],
        instructions: str = "",
        split: Literal["auto", "fields", "single"] = "auto",
        fallback: Sequence[Rung] = ("retry", "single", "partial"),
        tag: str = "",
        config_overrides: Mapping[str, object] | None = None,
        retry: RetryConfig | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        prime: bool = False,
        *,
        functions: Mapping[str, Callable[[str], object]] | None = None,
        **params: object,
    ) -> None: ...
    @overload
    def __init__(
        self,
        context: str,
        response_model: object,
        instructions: str = "",
        split: Literal["auto", "fields", "single"] = "auto",
        fallback: Sequence[Rung] = ("retry", "single", "partial"),
        tag: str = "",
        config_overrides: Mapping[str, object] | None = None,
        retry: RetryConfig | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        prime: bool = False,
        *,
        functions: Mapping[str, Callable[[str], object]] | None = None,
        **params: object,
    ) -> None: ...
    def __init__(  # by hand, for `params`
        self,
        context: str,
        response_model: object,
        instructions: str = "",
        split: Literal["auto", "fields", "single"] = "auto",
        fallback: Sequence[Rung] = ("retry", "single", "partial"),
        tag: str = "",
        config_overrides: Mapping[str, object] | None = None,
        retry: RetryConfig | None = None,
        timeout: float | None = None,
        deadline: float | None = None,
        prime: bool = False,
        *,
        functions: Mapping[str, Callable[[str], object]] | None = None,
        **params: object,
    ) -> None:
        if "system" in params:
            raise TypeError(
                "ExtractTask takes no system=: what holds for all fields is its `instructions`"
            )
        refuse_unknown(params, type(self))
        self.context, self.response_model, self.instructions = context, response_model, instructions
        self.split, self.fallback, self.tag = split, fallback, tag
        self.config_overrides = with_params(config_overrides, params)
        self.retry, self.timeout, self.deadline, self.prime = retry, timeout, deadline, prime
        self.functions = {} if functions is None else functions
        self._check()

    def _check(self) -> None:
        for name in ("context", "instructions"):
            if not isinstance(getattr(self, name), str):
                raise TypeError(f"{name} is a text, not {getattr(self, name)!r:.80}")
        if self.split not in ("auto", "fields", "single"):
            raise ValueError(f"split is 'auto', 'fields' or 'single', not {self.split!r}")
        is_text = isinstance(self.fallback, str)
        rungs = self.fallback if isinstance(self.fallback, Collection) and not is_text else [None]
        if not all(rung in ("retry", "single", "partial") for rung in rungs):
            raise ValueError(
                f"fallback is any of 'retry', 'single', 'partial', in a tuple: not "
                f"{self.fallback!r}"
            )
        if not isinstance(self.functions, Mapping):
            raise TypeError(
                f"functions is a mapping of field to function, not {self.functions!r:.80}"
            )
        for name, function in self.functions.items():
            if not callable(function):
                raise TypeError(f"functions[{name!r}] must be callable, not {function!r:.80}")
        positive_seconds("timeout", self.timeout)
        positive_seconds("deadline", self.deadline)

    def __repr__(self) -> str:
        given = [
            f"{name}={brief(value, 40)}" for name, value in (self.config_overrides or {}).items()
        ]
        model = getattr(self.response_model, "__qualname__", None) or brief(self.response_model, 40)
        hidden = ("context", "response_model", "config_overrides")
        return described(self, brief(self.context, 60), model, *given, leave_out=hidden)
