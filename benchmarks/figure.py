"""One measured figure, beside what it has to reach."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """`value` in `unit`, to be at most `most` or at least `least`; `detail`: what it was made from."""

    what: str
    value: float
    unit: str
    most: float | None = None
    least: float | None = None
    detail: str = ""

    @property
    def reached(self) -> bool:
        return (self.most is None or self.value <= self.most) and (
            self.least is None or self.value >= self.least
        )

    def __str__(self) -> str:
        bound = f"at most {self.most:g}" if self.most is not None else f"at least {self.least:g}"
        mark = "ok    " if self.reached else "MISSED"
        aside = "; ".join(filter(None, (bound, self.detail)))
        return f"{mark} {self.what:<58} {self.value:>9.2f} {self.unit:<8} ({aside})"
