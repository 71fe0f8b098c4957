"""What a provider says of itself, in one place: whoever stands around a provider passes it on whole."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from ingather.schema.ceiling import Ceiling, ceiling_of

if TYPE_CHECKING:
    from ingather.limits import Limits
    from ingather.retry import RetryConfig

_ANY_SCHEMA = Ceiling()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the engine knows of a provider besides how to ask it; each may be an attribute of the provider's own.

    `model`: the one that is asked where a task names none. `retry`: the policy of tasks that bring
    none. `limits`: of its pool. `schema_mode`: ``"native"`` or ``"tool"`` where it takes a JSON
    schema in ``config_overrides["response_format"]``, in OpenAI's form. `schema_lengths`: and it
    keeps to the lengths in it. `schema_words`: it wants the schema in the prompt besides, for its
    model does not see the other form. `schema_ceiling`: the largest schema that it takes.
    `max_output`: the most tokens of an answer. `is_free`: its calls cost 0 USD.

    >>> from ingather import EchoProvider
    >>> capabilities_of(EchoProvider()).is_free
    True
    """

    model: str = ""
    retry: RetryConfig | None = None
    limits: Limits | None = None
    schema_mode: str | None = None
    schema_lengths: bool = False
    schema_words: bool = False
    schema_ceiling: Ceiling = _ANY_SCHEMA
    max_output: int | None = None
    is_free: bool = False


NAMES = frozenset(each.name for each in fields(Capabilities))


def capabilities_of(provider: object) -> Capabilities:
    """What `provider` says of itself: its ``capabilities``, where those are `Capabilities`, else its attributes.

    So a wrapper passes on all of it by ``self.capabilities = capabilities_of(provider)``.
    """
    told = getattr(provider, "capabilities", None)
    if isinstance(told, Capabilities):
        return told
    said: dict[str, Any] = {
        name: getattr(provider, name) for name in NAMES if getattr(provider, name, None) is not None
    }
    return Capabilities(**said | {"schema_ceiling": ceiling_of(said.get("schema_ceiling"))})
