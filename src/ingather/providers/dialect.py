"""The seam between the wire, which is the same for all, and a dialect: what makes one API different from another.

A dialect is pure and holds no key: it names paths and headers, translates parameters, encodes
messages, and reads answers. `wire.DialectProvider` does the rest. A new API is one module with one
of these, and a `Home`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ingather.errors import ProviderError
    from ingather.providers.streamed import Stream
    from ingather.response import LLMResponse
    from ingather.schema.ceiling import Ceiling
    from ingather.task import LLMMessage


class Malformed(ValueError):
    """JSON, but no answer of this API; says in what."""


class Answer(NamedTuple):
    """An answer, and what is wrong with it: the error it amounts to and why, or None.

    `problem`: an error object that stands in it, or what else is to be read like one.
    """

    response: LLMResponse
    error: type[ProviderError] | None = None
    why: str = ""
    problem: Mapping[str, object] | None = None


class Dialect(Protocol):
    """One API, as pure functions.

    `name`: tells dialects apart in a request's identity. `noun`: what its answers are called in
    messages. `answer_field`: the field of a body that every answer has, and no error. `request_id`:
    the header with the id that the provider's support asks for. `schema_mode`, `schema_lengths`,
    `schema_words`, `schema_ceiling`, `max_output`: as `base` says.
    """

    @property
    def name(self) -> str: ...
    @property
    def noun(self) -> str: ...
    @property
    def answer_field(self) -> str: ...
    @property
    def request_id(self) -> str: ...
    @property
    def schema_mode(self) -> str | None: ...
    @property
    def schema_lengths(self) -> bool: ...
    @property
    def schema_words(self) -> bool: ...
    @property
    def schema_ceiling(self) -> Ceiling | None: ...
    @property
    def max_output(self) -> int | None: ...

    def url(self, base_url: str, model: str) -> str:
        """Where requests for `model` go; `base_url` has no slash at its end."""
        ...

    def headers(self, key: str) -> Mapping[str, str]:
        """What carries the key, and what else the API wants; `key` is empty where there is none."""
        ...

    def fields(self, params: Mapping[str, object]) -> Mapping[str, object]:
        """The body's fields for `params`, which are checked, without None, and hold ``model``.

        Words of OpenAI's are translated where there is an equal; others go as they are. Raises
        `SetupError`.
        """
        ...

    def encode(self, messages: Sequence[LLMMessage], fields: Mapping[str, object]) -> bytes:
        """The body, the same bytes for the same request. Raises `BadRequest` that names what cannot be sent."""
        ...

    def output_limit(self, fields: Mapping[str, object]) -> object:
        """What `fields` say of the most tokens that an answer may have; None where nothing."""
        ...

    def joined(self, stream: Stream) -> dict[str, object]:
        """The body that a stream is, which came though none was asked for. Raises `Malformed` where it is cut."""
        ...

    def read(self, data: Mapping[str, object]) -> Answer:
        """The one answer in a body. Raises `Malformed` where there is none, or more."""
        ...
