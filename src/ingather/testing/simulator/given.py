"""What all dialects read alike in a request: its JSON, its numbers, its name and what it wants simulated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import orjson

from ingather.testing.simulator.forms import Problem, Unanswerable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# a streamed chunk: a word with the space before it
PIECE = re.compile(r"\s*\S+\s*$|\s*\S+", re.DOTALL)
_CUSTOM_ID = re.compile(r"\[id:\s*([^\]\s]{1,128})\]|\bcustom_id\s*[:=]\s*\"?([\w.:/-]{1,128})")
_ENDS = 400  # characters at each end of a prompt in which a custom id may stand


def bad(message: str) -> Unanswerable:
    """What to raise for a request that cannot be understood."""
    return Unanswerable(Problem("bad_request", message))


def parsed(body: bytes) -> dict[str, object]:
    """The body as a JSON object; Unanswerable for any other."""
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise bad(f"We could not parse the JSON body of your request: {error}") from None
    if not isinstance(given, dict):
        raise bad("The body of the request must be a JSON object.")
    return given


def whole(given: Mapping[str, object], name: str) -> int | None:
    """A positive integer, None where there is none; Unanswerable for any other value."""
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise bad(f"Invalid '{name}': a positive integer is required.")
    return value


def member(given: Mapping[str, object], name: str) -> dict[str, object]:
    """An object within, an empty one where there is none."""
    value = given.get(name)
    return value if isinstance(value, dict) else {}


def custom_id(metadata: Mapping[str, object], turns: Sequence[tuple[str, str]]) -> str | None:
    """What the client calls the request: in its metadata, or as ``[id: …]`` at an end of the prompt."""
    if "custom_id" in metadata:
        return str(metadata["custom_id"])
    text = turns[-1][1] if turns else ""
    for end in (text[:_ENDS], text[-_ENDS:]):
        if ("[id:" in end or "custom_id" in end) and (found := _CUSTOM_ID.search(end)):
            return found[1] or found[2]
    return None


def steps(headers: Mapping[str, str], metadata: Mapping[str, object]) -> tuple[str, ...]:
    """What the request wants simulated, one step for each time that it comes."""
    wanted = headers.get("X-Simulate") or str(metadata.get("simulate") or "")
    return tuple(filter(None, map(str.strip, wanted.split(","))))


def texts(content: object) -> str:
    """The text of a message: itself, or that of its parts, tool results included."""
    if isinstance(content, list):
        said = [texts(part) for part in content]
        return "\n".join(text for text in said if text)
    if isinstance(content, dict):
        return texts(content.get("text") or content.get("content"))
    return content if isinstance(content, str) else ""


def arguments(text: str) -> dict[str, object]:
    """A tool's arguments; none where the text that should hold them is cut or no JSON object."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
