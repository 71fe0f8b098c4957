"""What was learnt about one quota, as data: to be kept, and to begin with another time."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

DAY = 86_400.0
"""Seconds for which it is believed."""

# a second, or at once: a file that says less or more is not believed
_LEAST, _LEAST_TOKENS, _MOST = 1 / 60, 1.0, 1e9


@dataclass(frozen=True, slots=True)
class Learnt:
    """Requests and tokens a second that 429s have shown; what headers announce, as ``[rate, depth]`` by resource.

    `cap`: calls in flight that 429s or a knee have shown; `flying`: how many were in flight. None:
    not known.

    >>> Learnt.read(Learnt(requests=5.0).written()) == Learnt(requests=5.0)
    True
    """

    requests: float | None = None
    tokens: float | None = None
    cap: float | None = None
    flying: float | None = None
    announced_requests: tuple[float, float] | None = None
    announced_tokens: tuple[float, float] | None = None
    announced_input: tuple[float, float] | None = None
    announced_output: tuple[float, float] | None = None

    @property
    def announced(self) -> tuple[tuple[float, float] | None, ...]:
        """In the order of `sent.Amounts`."""
        return (
            self.announced_requests,
            self.announced_tokens,
            self.announced_input,
            self.announced_output,
        )

    def written(self) -> dict[str, object]:
        """As JSON takes it."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def read(cls, written: Mapping[str, object]) -> Learnt:
        """Whatever of `written` makes sense: a file may hold anything."""
        found: dict[str, float | tuple[float, float]] = {}
        for item in fields(cls):
            value = written.get(item.name)
            least = _LEAST_TOKENS if item.name.endswith(("tokens", "input", "output")) else _LEAST
            if item.name.startswith("announced"):
                if (
                    isinstance(value, list | tuple)
                    and len(value) == 2
                    and all(_is_likely(number, least) for number in value)
                ):
                    found[item.name] = (float(value[0]), float(value[1]))
            elif isinstance(value, int | float) and _is_likely(value, least):
                found[item.name] = float(value)
        return cls(**found)  # type: ignore[arg-type]

    def __str__(self) -> str:
        """In words, empty where nothing is known.

        >>> str(Learnt(requests=20.0, cap=64.0))
        '1,200 requests a minute, 64 calls in flight'
        """
        rates = {"requests": self.requests, "tokens": self.tokens}
        for name, told in zip(
            ("requests", "tokens", "input tokens", "output tokens"), self.announced, strict=True
        ):
            if told is not None:
                rates[name] = min(told[0], rates.get(name) or math.inf)
        words = [
            f"{rate * 60:,.0f} {name} a minute" for name, rate in rates.items() if rate is not None
        ]
        return ", ".join(
            [*words, *([] if self.cap is None else [f"{self.cap:,.0f} calls in flight"])]
        )


def _is_likely(value: object, least: float) -> bool:
    return (
        isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= _MOST
    )
