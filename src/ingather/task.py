"""What to run: a call to a model, to a function, a model filled by parts. Data only, checked as it is made."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ingather.brief import brief, described
from ingather.task_params import refuse_unknown, with_params

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingather.retry import RetryConfig


@dataclass(slots=True)
class LLMMessage:
    """One message of a conversation. `content` is text, or a list of parts in the provider's own form.

    >>> from ingather import LLMMessage
    >>> LLMMessage("user", "Hello").role
    'user'
    """

    role: str
    content: str | list[dict[str, object]] | None = ""
    name: str | None = None
    function_call: Mapping[str, object] | None = None
    tool_calls: list[Mapping[str, object]] | None = None
    metadata: dict[str, object] = field(default_factory=dict)

    @classmethod
    def of(cls, message: object) -> LLMMessage:
        """The message itself, or one made from a mapping with at least a ``role``; raises TypeError otherwise."""
        if isinstance(message, LLMMessage):
            return message
        if not isinstance(message, Mapping) or not isinstance(message.get("role"), str):
            raise TypeError(
                f"a message is an LLMMessage or a mapping with a 'role' and 'content', "
                f"not {message!r:.80}"
            )
        known = {
            key: message[key]
            for key in ("role", "content", "name", "function_call", "tool_calls")
            if key in message
        }
        rest = {key: value for key, value in message.items() if key not in known}
        return cls(**known, metadata={**rest.pop("metadata", {}), **rest})

    def __repr__(self) -> str:
        return described(
            self, repr(self.role), brief(self.content, 80), leave_out=("role", "content")
        )


@dataclass(slots=True)
class LLMTask:
    """One call to a model.

    `messages`: a string (one user message), or a list of `LLMMessage` or mappings.
    `config_overrides`: parameters of this call (``temperature``, ``max_tokens``, ``model``, …),
    over those of the executor. `retry`: over the executor's. `timeout`: seconds for each attempt.
    `deadline`: seconds for the whole task, waiting included: from the call of the method for tasks
    of a dict or a list, from when it is pulled for those of a lazy input. `response_model`: a
    pydantic model, dataclass, ``list[T]``, ``Literal``, ``int``, …: the value is then an instance
    of it. `sample`: tells apart equal tasks that shall have an answer each. `reasks`: how often an
    answer that does not fit the response_model is sent back with its error. `schema_last`: where
    the provider takes no schema, put it behind the prompt and not before, for tasks that share a
    long beginning. `system`: text of a system message before the others. `params`: further
    parameters of this call, as in `config_overrides`.

    Raises TypeError for messages of another form, for a parameter that is given twice, and for a
    name that is none (such as ``respons_model``); ValueError for times that are not positive.

    >>> from ingather import LLMTask
    >>> LLMTask("Name a prime", system="Be brief.", temperature=0)
    LLMTask('Name a prime', system='Be brief.', temperature=0)
    """

    messages: Sequence[LLMMessage]
    config_overrides: Mapping[str, object] | None = None
    retry: RetryConfig | None = None
    tag: str = ""
    timeout: float | None = None
    deadline: float | None = None
    response_model: Any = None  # a type, or a typing form such as list[T]: no common supertype
    sample: int = 0
    reasks: int = 1
    schema_last: bool = False

    def __init__(  # by hand, so that a string and mappings are messages for type checkers too
        self,
        messages: str | Sequence[LLMMessage | Mapping[str, object]],
        config_overrides: Mapping[str, object] | None = None,
        retry: RetryConfig | None = None,
        tag: str = "",
        timeout: float | None = None,
        deadline: float | None = None,
        response_model: object = None,
        sample: int = 0,
        *,
        reasks: int = 1,
        schema_last: bool = False,
        system: str | None = None,
        **params: object,
    ) -> None:
        refuse_unknown(params, type(self), "system")
        self.messages = with_system(system, as_messages(messages))
        self.config_overrides = with_params(config_overrides, params)
        self.retry = retry
        self.tag = tag
        self.timeout = positive_seconds("timeout", timeout)
        self.deadline = positive_seconds("deadline", deadline)
        self.response_model = response_model
        self.sample = sample
        self.reasks = reasks
        self.schema_last = schema_last

    def __repr__(self) -> str:
        """As it is written, where it is short."""
        said = {message.role: message.content for message in self.messages}
        is_plain = [message.role for message in self.messages] in (["user"], ["system", "user"])
        shown = [brief(said["user"], 80) if is_plain else brief(self.messages, 120)]
        if is_plain and "system" in said:
            shown.append(f"system={brief(said['system'], 40)}")
        shown += [
            f"{name}={brief(value, 40)}" for name, value in (self.config_overrides or {}).items()
        ]
        return described(self, *shown, leave_out=("messages", "config_overrides"))


@dataclass(slots=True)
class DeterministicTask:
    """One call to a function of your own, beside the calls to models and under the same bound.

    `fn(*args, **kwargs)` may be sync (it runs in a thread, with the caller's context variables) or
    async; whatever it returns is awaited if it can be. `timeout` and `deadline` as in `LLMTask`, in
    seconds. Never retried.

    >>> from ingather import DeterministicTask
    >>> DeterministicTask(max, args=(1, 2)).fn is max
    True
    """

    fn: Callable[..., object]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    tag: str = ""
    timeout: float | None = None
    deadline: float | None = None

    def __post_init__(self) -> None:
        if not callable(self.fn):
            raise TypeError(f"fn must be callable, not {self.fn!r:.80}")
        positive_seconds("timeout", self.timeout)
        positive_seconds("deadline", self.deadline)

    def __repr__(self) -> str:
        name = getattr(self.fn, "__qualname__", None) or brief(self.fn, 40)
        return described(self, name, leave_out=("fn",))


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
class ExtractTask:
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


Task = LLMTask | DeterministicTask | ExtractTask


def positive_seconds(name: str, seconds: float | None) -> float | None:
    """`seconds` unchanged; ValueError where it is neither None nor a positive number. `name` is for the message."""
    if seconds is not None and not (seconds > 0 and math.isfinite(seconds)):
        raise ValueError(f"{name} is a positive number of seconds or None, not {seconds!r}")
    return seconds


def as_messages(messages: str | Sequence[LLMMessage | Mapping[str, object]]) -> list[LLMMessage]:
    """A string as one user message; mappings as messages. Raises TypeError for messages of another form."""
    if isinstance(messages, str):
        return [LLMMessage("user", messages)]
    if isinstance(messages, Mapping | bytes | LLMMessage) or not isinstance(messages, Sequence):
        raise TypeError(f"messages is a string or a list of messages, not {messages!r:.80}")
    return [LLMMessage.of(message) for message in messages]


def with_system(system: str | None, messages: list[LLMMessage]) -> list[LLMMessage]:
    """`messages` behind a system message; TypeError where they have one already, or where `system` is no text."""
    if system is None:
        return messages
    if not isinstance(system, str):
        raise TypeError(f"system is a text, not {brief(system, 80)}")
    if any(message.role in ("system", "developer") for message in messages):
        raise TypeError("the system message is given twice: by system= and in the messages")
    return [LLMMessage("system", system), *messages]
