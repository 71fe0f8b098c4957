"""A message as Chat Completions take it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingather.task import LLMMessage

# fields of a message that LLMMessage keeps in its metadata
_CARRIED = ("tool_call_id", "refusal", "audio")


def on_wire(message: LLMMessage) -> dict[str, object]:
    wire: dict[str, object] = {"role": message.role, "content": message.content}
    if message.name is not None:
        wire["name"] = message.name
    if message.tool_calls is not None:
        wire["tool_calls"] = message.tool_calls
    if message.function_call is not None:
        wire["function_call"] = message.function_call
    if message.metadata:
        wire.update((name, message.metadata[name]) for name in _CARRIED if name in message.metadata)
    return wire
