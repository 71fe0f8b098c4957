"""What a task asks, as sixteen hex digits on its answer line: a run goes on with lines that were asked the same."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import TYPE_CHECKING

from ingather.jobs.encoding import encoded

if TYPE_CHECKING:
    from ingather.task import LLMTask

_BATCH = "batch_req_"
_DIGITS = re.compile(r"[0-9a-f]{16}")


class Fingerprint:
    """Hashes of tasks. `model`: who is asked, as far as tasks do not say so themselves.

    >>> from ingather import LLMTask
    >>> asked = Fingerprint("openai/any")
    >>> asked.text(LLMTask("Hi")) == asked.text(LLMTask("Hi")) != asked.text(LLMTask("Ho"))
    True
    """

    def __init__(self, model: str) -> None:
        self.model = model
        self._forms: dict[int, object] = {}

    def __repr__(self) -> str:
        return f"Fingerprint({self.model!r})"

    def of(self, task: LLMTask) -> bytes:
        """A hash of what `task` asks, whatever dialect carries it."""
        said = [
            {
                "role": one.role,
                "content": one.content,
                "name": one.name,
                "calls": one.tool_calls or one.function_call,
            }
            for one in task.messages
        ]
        params = dict(task.config_overrides or {})
        asked = {
            "model": self.model,
            "messages": said,
            "params": params,
            "form": self._form(task.response_model),
        }
        return hashlib.sha256(encoded(asked)).digest()[:16]

    def text(self, task: LLMTask) -> str:
        """Its first half, in hex digits, as it stands on an answer line."""
        return self.of(task)[:8].hex()

    def number(self, task: LLMTask) -> int:
        """The same as `read_print` gives it."""
        return read_print(self.text(task))

    def _form(self, model: object) -> object:
        if model is None:
            return None
        if id(model) not in self._forms:  # one for all tasks of a run
            from ingather.schema import Schema

            self._forms[id(model)] = Schema.of(model).response_format()
        return self._forms[id(model)]


def batch_id(asked: str | None) -> str:
    """An id for a batch output line, which tells what was asked: there is no other place for it in such a line."""
    own = f"{asked}{secrets.token_hex(4)}" if asked is not None else secrets.token_hex(12)
    return f"{_BATCH}{own}{_check(own) if asked is not None else secrets.token_hex(4)}"


def read_batch_id(written: object) -> int:
    """A fingerprint as a batch output line has it, as a number; 0 for an id that others made.

    >>> read_batch_id(batch_id("00000000000000ff")), read_batch_id("batch_req_" + "0" * 32)
    (255, 0)
    """
    own = written.removeprefix(_BATCH) if isinstance(written, str) else ""
    return read_print(own[:16]) if len(own) == 32 and _check(own[:24]) == own[24:] else 0


def _check(own: str) -> str:
    return hashlib.sha256(f"asked {own}".encode()).hexdigest()[:8]


def read_print(written: object) -> int:
    """A fingerprint as an answer line has it, as a number; 0 for what is none.

    >>> read_print("00000000000000ff"), read_print("soon"), read_print(None)
    (255, 0, 0)
    """
    return int(written, 16) if isinstance(written, str) and _DIGITS.fullmatch(written) else 0
