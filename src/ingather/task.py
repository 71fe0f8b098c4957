"""What to run: a call to a model, or to a function. Data only, checked as it is made."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from ingather.brief import brief, described
from ingather.task_params import refuse_unknown, with_params

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from typing_extensions import TypeVar as TypeVarWithDefault

    from ingather.response import LLMResponse
    from ingather.retry import RetryConfig

    T_co = TypeVarWithDefault("T_co", covariant=True, default=Any)  # a bare `Task` is of anything
else:
    T_co = TypeVar("T_co", covariant=True)
V = TypeVar("V")


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


class Task(Generic[T_co]):
    """What can be run: an `LLMTask`, a `DeterministicTask` or an `ExtractTask`.

    ``Task[T]`` is one whose result has a value of type T.

    >>> from ingather import LLMTask, Task
    >>> isinstance(LLMTask("Name a prime"), Task)
    True
    """

    __slots__ = ()

    tag: str
    timeout: float | None
    deadline: float | None


@dataclass(slots=True)
class LLMTask(Task[T_co]):
    """One call to a model.

    `messages`: a string (one user message), or a list of `LLMMessage` or mappings.
    `config_overrides`: parameters of this call (``temperature``, ``max_tokens``, ``model``, …),
    over those of the executor. `retry`: over the executor's. `timeout`: seconds for each attempt.
    `deadline`: seconds for the whole task, waiting included: from the call of the method for tasks
    of a dict or a list, from when it is pulled for those of a lazy input. `response_model`: a
    pydantic model, dataclass, ``list[T]``, ``Literal``, ``int``, …: the value is then an instance
    of it. `sample`: distinguishes identical tasks that each need an answer of their own. `reasks`:
    how often an answer that does not fit the response_model is sent back with its error.
    `schema_last`: where the provider takes no schema, put it behind the prompt and not before, for
    tasks that share a long beginning. `system`: text of a system message before the others.
    `params`: further parameters of this call, as in `config_overrides`.

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

    @overload
    def __init__(
        self: LLMTask[LLMResponse],
        messages: str | Sequence[LLMMessage | Mapping[str, object]],
        config_overrides: Mapping[str, object] | None = None,
        retry: RetryConfig | None = None,
        tag: str = "",
        timeout: float | None = None,
        deadline: float | None = None,
        response_model: None = None,
        sample: int = 0,
        *,
        reasks: int = 1,
        schema_last: bool = False,
        system: str | None = None,
        **params: object,
    ) -> None: ...
    @overload
    def __init__(
        self: LLMTask[V],
        messages: str | Sequence[LLMMessage | Mapping[str, object]],
        config_overrides: Mapping[str, object] | None = None,
        retry: RetryConfig | None = None,
        tag: str = "",
        timeout: float | None = None,
        deadline: float | None = None,
        *,
        response_model: type[V],
        sample: int = 0,
        reasks: int = 1,
        schema_last: bool = False,
        system: str | None = None,
        **params: object,
    ) -> None: ...
    @overload
    def __init__(  # a typing form, such as Literal["a", "b"], says no type to type checkers
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
    ) -> None: ...
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
class DeterministicTask(Task[T_co]):
    """One call to a function of your own, beside the calls to models and under the same bound.

    `fn(*args, **kwargs)` may be sync (it runs in a thread, with the caller's context variables) or
    async; whatever it returns is awaited if it can be. `timeout` and `deadline` as in `LLMTask`, in
    seconds. Never retried.

    >>> from ingather import DeterministicTask
    >>> DeterministicTask(max, args=(1, 2)).fn is max
    True
    """

    fn: Callable[..., object]
    args: tuple[object, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    tag: str = ""
    timeout: float | None = None
    deadline: float | None = None

    @overload
    def __init__(
        self: DeterministicTask[V],
        fn: Callable[..., Awaitable[V]],
        args: tuple[object, ...] = (),
        kwargs: dict[str, Any] | None = None,
        tag: str = "",
        timeout: float | None = None,
        deadline: float | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: DeterministicTask[V],
        fn: Callable[..., V],
        args: tuple[object, ...] = (),
        kwargs: dict[str, Any] | None = None,
        tag: str = "",
        timeout: float | None = None,
        deadline: float | None = None,
    ) -> None: ...
    def __init__(  # by hand, so that type checkers know what `fn` gives
        self,
        fn: Callable[..., object],
        args: tuple[object, ...] = (),
        kwargs: dict[str, Any] | None = None,
        tag: str = "",
        timeout: float | None = None,
        deadline: float | None = None,
    ) -> None:
        if not callable(fn):
            raise TypeError(f"fn must be callable, not {fn!r:.80}")
        self.fn, self.args, self.kwargs, self.tag = fn, args, {} if kwargs is None else kwargs, tag
        self.timeout = positive_seconds("timeout", timeout)
        self.deadline = positive_seconds("deadline", deadline)

    def __repr__(self) -> str:
        name = getattr(self.fn, "__qualname__", None) or brief(self.fn, 40)
        return described(self, name, leave_out=("fn",))


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
