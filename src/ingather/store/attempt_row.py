"""What the journal notes of one attempt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingather.response import LLMResponse


@dataclass(slots=True)
class AttemptRow:
    """An attempt that has ended: of which task, when, and how. Times are seconds of the loop's clock.

    `attempt` counts from 1. `limited_by`: what it waited for longest. `slept`: seconds of backoff
    before it. `response`: the answer, or what came with `error`.
    """

    index: int
    tag: str
    attempt: int
    asked_at: float
    limited_by: str
    slept: float
    granted_at: float
    ended_at: float
    error: BaseException | None
    response: LLMResponse | None
