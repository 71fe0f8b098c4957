"""A file of exchanges with a provider: a JSON line for each, to be read by people, without a key in it."""

from __future__ import annotations

import builtins
import os
import threading
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from ingather import errors, exact_json
from ingather.errors import ProviderError, RateLimited, SetupError
from ingather.redact import redact
from ingather.response import LLMResponse, Usage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ANSWER = (
    "content", "model", "finish_reason", "function_call", "tool_calls", "metadata", "created_at", "cost_usd",
    "request_id", "logprobs",
)  # fmt: skip
_ERROR = ("status", "code", "retry_after", "request_id", "body", "provider", "model")
_SOON = 0.001  # seconds that a replayed 429 asks to wait: there is no quota behind it


class Occurrence(NamedTuple):
    """A request, by its digest, and how often it came before."""

    key: str
    number: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a provider said, an answer or an error, as JSON knows it."""

    answer: dict[str, object] | None = None
    error: dict[str, object] | None = None

    @classmethod
    def of(cls, said: LLMResponse | Exception) -> Outcome:
        if isinstance(said, LLMResponse):
            return cls(answer=_answer(said))
        kind = type(said)
        error: dict[str, object] = {"type": kind.__name__, "message": str(said)}
        if isinstance(said, ProviderError):
            error |= {
                name: value for name in _ERROR if (value := getattr(said, name)) not in {None, ""}
            }
            if said.response is not None:
                error["response"] = _answer(said.response)
        elif not _can_come_again(said):
            error["type"] = f"{kind.__module__}.{kind.__qualname__}"
        return cls(error=error)

    def again(self) -> LLMResponse:
        """The answer; or the error is raised, as the same type where it is one of ours or Python's."""
        if self.answer is not None:
            return _response(self.answer)
        said = dict(self.error or {})
        name, message, answer = (
            str(said.pop("type", "")),
            str(said.pop("message", "")),
            said.pop("response", None),
        )
        kind = getattr(errors, name, None)
        if isinstance(kind, type) and issubclass(kind, ProviderError):
            if issubclass(kind, RateLimited):
                said["retry_after"] = _SOON
            response = _response(answer) if isinstance(answer, dict) else None
            told: dict[str, Any] = {key: said[key] for key in _ERROR if key in said}
            error = kind(message, response=response, **told)
            error.is_replayed = True
            raise error
        kind = kind or getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, Exception):
            raise kind(message)
        raise RuntimeError(f"{name}: {message}")


class Recording:
    """The exchanges of one file, and how often each request has been asked for since it was opened. Thread-safe.

    >>> Recording("answers.jsonl")
    Recording('answers.jsonl', not read yet)
    """

    def __init__(self, path: str | os.PathLike[str], *, anew: bool = False) -> None:
        self.path = Path(path)
        self.is_read = False
        self._anew = anew
        # failures that came before the first answer, of a file that begins anew
        self._held: list[bytes] | None = None
        self._lock = threading.Lock()
        self._outcomes: dict[Occurrence, Outcome] = {}
        self._asked: dict[str, int] = {}

    def read(self) -> None:
        """Read the file, once; one that begins anew stays until its first answer. Raises SetupError for others."""
        with self._lock:
            if self.is_read:
                return
            if self._anew:
                self._held = []
            elif self.path.exists():
                self._take(list(enumerate(self.path.read_bytes().splitlines(), 1)))
            self.is_read = True

    def next(self, key: str) -> Occurrence:
        """The occurrence of a request that is asked for now."""
        with self._lock:
            number = self._asked.get(key, 0)
            self._asked[key] = number + 1
        return Occurrence(key, number)

    def find(self, occurrence: Occurrence) -> Outcome | None:
        return self._outcomes.get(occurrence)

    def times(self, key: str) -> int:
        """How often the file has this request."""
        return sum(occurrence.key == key for occurrence in self._outcomes)

    def add(self, occurrence: Occurrence, request: object, outcome: Outcome) -> None:
        """Append an exchange, and whatever looks like a key taken out of it."""
        line = {"key": occurrence.key, "occurrence": occurrence.number, "request": request}
        told = asdict(outcome)
        clean = _without_keys(
            {**line, **{name: said for name, said in told.items() if said is not None}}
        )
        encoded = exact_json.dumps(
            clean, default=repr, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
        )
        with self._lock:
            if self._held is None:
                self._append(self.path, encoded)
            elif outcome.answer is None and self.path.exists() and self.path.stat().st_size:
                # a server that is down is no reason to lose what was recorded before
                self._held.append(encoded)
            else:
                self._begin_anew(b"".join([*self._held, encoded]))
            self._outcomes[occurrence] = outcome

    def _begin_anew(self, lines: bytes) -> None:
        target = Path(os.path.realpath(self.path))
        draft = target.with_name(f".{target.name}.draft")
        draft.unlink(missing_ok=True)
        self._append(draft, lines)
        draft.replace(target)
        self._held = None

    def _append(self, path: Path, lines: bytes) -> None:
        descriptor = self._open(path)
        before = os.fstat(descriptor).st_size
        try:
            rest = memoryview(lines)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        except OSError:
            os.ftruncate(descriptor, before)  # half a line would spoil the file
            raise
        finally:
            os.close(descriptor)

    def _open(self, path: Path) -> int:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        path.chmod(0o600)  # it holds what was asked and said
        return descriptor

    def _take(self, lines: Sequence[tuple[int, bytes]]) -> None:
        """A request that was cancelled, such as the slower copy of two, has left no line: those after it move up."""
        found = sorted(
            (self._exchange(number, line) for number, line in lines),
            key=lambda exchange: exchange[0],
        )
        counts: Counter[str] = Counter()
        for occurrence, outcome in found:
            self._outcomes[Occurrence(occurrence.key, counts[occurrence.key])] = outcome
            counts[occurrence.key] += 1

    def _exchange(self, number: int, line: bytes) -> tuple[Occurrence, Outcome]:
        try:
            row = exact_json.loads(line)
            occurrence = Occurrence(row["key"], int(row["occurrence"]))
            outcome = Outcome(row.get("answer"), row.get("error"))
        except (ValueError, KeyError, TypeError) as error:
            how = "delete the line, or the file, and record anew"
            raise SetupError(
                f"{self.path}, line {number}: no recorded exchange ({error!r}); {how}"
            ) from None
        return occurrence, outcome

    def __repr__(self) -> str:
        state = f"{len(self._outcomes)} exchanges" if self.is_read else "not read yet"
        return f"Recording({str(self.path)!r}, {state})"


def _can_come_again(error: Exception) -> bool:
    """Whether its type is known by its name, and is made from a message."""
    kind, name = type(error), type(error).__name__
    known = getattr(errors, name, None) is kind or getattr(builtins, name, None) is kind
    return known and not isinstance(error, UnicodeError | ExceptionGroup)


def _answer(response: LLMResponse) -> dict[str, object]:
    said = {name: getattr(response, name) for name in _ANSWER}
    usage = None if response.usage is None else asdict(response.usage)
    return {
        **{name: value for name, value in said.items() if value is not None},
        "usage": usage,
        "raw": response.raw,
    }


def _response(answer: Mapping[str, object]) -> LLMResponse:
    said = {name: answer.get(name) for name in _ANSWER if name in answer}
    usage = answer.get("usage")
    response = LLMResponse(**{"content": "", "finish_reason": None, **said})  # type: ignore[arg-type]
    body = None if answer.get("raw") is None else exact_json.dumps(answer["raw"])
    return replace(response, usage=Usage(**usage) if isinstance(usage, dict) else None, body=body)


def _without_keys(value: object) -> object:
    """`value` with every string in it redacted; names stay, and JSON in a string stays the JSON that it is."""
    if isinstance(value, dict):
        return {name: _without_keys(within) for name, within in value.items()}
    if isinstance(value, list | tuple):
        return [_without_keys(within) for within in value]
    if not isinstance(value, str) or redact(value) == value:
        return value
    try:
        within = exact_json.loads(value)
    except exact_json.JSONDecodeError:
        return redact(value)
    return (
        exact_json.dumps(_without_keys(within)).decode()
        if isinstance(within, dict | list)
        else redact(value)
    )
