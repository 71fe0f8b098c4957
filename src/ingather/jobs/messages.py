"""The messages of a line: checked before anything is sent, so that the fault has a line number."""

from __future__ import annotations

from ingather.errors import SetupError
from ingather.task import LLMMessage

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")


def read_messages(messages: object) -> list[LLMMessage]:
    """`messages` of a line, each with a role and content. Raises SetupError that says which is not, and why.

    >>> read_messages([{"role": "user", "content": "Hi"}])[0].content
    'Hi'
    """
    if not isinstance(messages, list) or not messages:
        raise SetupError(
            '\'messages\' is a list such as [{"role": "user", "content": "…"}], and not empty'
        )
    return [_message(number, message) for number, message in enumerate(messages, 1)]


def _message(number: int, message: object) -> LLMMessage:
    if not isinstance(message, dict) or message.get("role") not in _ROLES:
        raise SetupError(f"message {number} has no 'role' that is one of {', '.join(_ROLES)}")
    content = message.get("content")
    calls_only = content is None and message.get("role") == "assistant" and _calls(message)
    if not isinstance(content, str | list) and not calls_only:
        raise SetupError(f"message {number} has no 'content' that is text or a list of parts")
    if isinstance(content, list) and not all(
        isinstance(part, dict) and part.get("type") for part in content
    ):
        raise SetupError(f"message {number}: each part of its 'content' is an object with a 'type'")
    if not isinstance(message.get("metadata", {}), dict):
        raise SetupError(
            f"message {number}: its 'metadata' is an object, not {message['metadata']!r:.60}"
        )
    return LLMMessage.of(message)


def _calls(message: dict[str, object]) -> bool:
    return bool(message.get("tool_calls") or message.get("function_call") or message.get("refusal"))
