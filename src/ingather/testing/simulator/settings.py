"""How a simulated provider shall behave: checked as it is made, the same words as on the command line."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ingather.errors import SetupError
from ingather.testing.simulator.faults import BY_CHANCE, DRAWN, Script

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingather.testing.simulator.faults import Steps

MODELS = ("extractive", "echo")


class Change(NamedTuple):
    """From `at` seconds after the first call on, the limits are `factor` times those that were set."""

    at: float
    factor: float


class Tail(NamedTuple):
    """A `share` of the calls, between 0 and 1, takes `times` as long."""

    share: float
    times: float


@dataclass(kw_only=True, repr=False, eq=False)
class Settings:
    """What a simulated provider does. Seconds, requests per minute, tokens per minute; shares between 0 and 1.

    `host`, `port`: where it listens; port 0 takes a free one. `model`: ``"extractive"`` answers
    from the prompt's own words, ``"echo"`` gives the prompt back. `api_key`: the only key that is
    let in; None: any, or none.

    `latency`: median seconds of a call; with `sigma` it is lognormal. `slow_tail`: ``"0.02:20"``
    makes 2 % of the calls 20 times as long. `rpm`, `tpm`: token buckets; `burst`: requests that the
    bucket holds, by default a minute's worth. `max_concurrency`: calls in flight, beyond which it
    answers 429. `change`: ``"60:0.5"`` halves the limits 60 seconds after the first call; several
    in a list, each relative to the limits as set. `headers`: False leaves out rate-limit headers
    and retry hints.

    `error_rate`: share of the admitted calls that fail, by one of `faults` (see
    `simulator.faults`). `seed`: which, and how long each call takes; decided by the request itself
    and how often it came, not by the order of arrival. `trickle`: seconds between the pieces of a
    slow body. `script`: what to do instead, for tests; see `Script`. `ledger_size`: calls of which
    it keeps a row; the totals hold all.

    Raises SetupError that names the setting.
    """

    host: str = "127.0.0.1"
    port: int = 0
    model: str = "extractive"
    api_key: str | None = field(default=None, repr=False)
    latency: float = 0.0
    sigma: float = 0.0
    slow_tail: str | Tail | None = None
    rpm: float | None = None
    tpm: float | None = None
    burst: float | None = None
    max_concurrency: int | None = None
    change: str | Sequence[str | Change] = ()
    headers: bool = True
    error_rate: float = 0.0
    faults: str | Sequence[str] = BY_CHANCE
    trickle: float = 1.0
    seed: int = 0
    script: Steps = None
    ledger_size: int = 100_000
    tail: Tail | None = field(init=False)
    changes: tuple[Change, ...] = field(init=False)
    kinds: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        _require(self.model in MODELS, "model", self.model, f"one of {', '.join(MODELS)}")
        _require(0 <= self.port <= 65535, "port", self.port, "between 0 and 65535")
        for name in ("latency", "sigma", "trickle"):
            _require(
                _is_finite(getattr(self, name)) and getattr(self, name) >= 0,
                name,
                getattr(self, name),
                "0 or more",
            )
        for name in ("rpm", "tpm", "burst", "max_concurrency"):
            value = getattr(self, name)
            _require(value is None or (_is_finite(value) and value > 0), name, value, "positive")
        _require(
            self.burst is None or self.burst >= 1,
            "burst",
            self.burst,
            "1 or more: a smaller bucket admits nothing",
        )
        _require(
            self.burst is None or self.rpm is not None,
            "burst",
            self.burst,
            "used together with rpm",
        )
        _require(0 <= self.error_rate <= 1, "error_rate", self.error_rate, "between 0 and 1")
        _require(self.ledger_size >= 0, "ledger_size", self.ledger_size, "0 or more")
        self.kinds = tuple(self.faults.split(",") if isinstance(self.faults, str) else self.faults)
        for kind in self.kinds:
            known = 500 <= int(kind) <= 599 if kind.isdecimal() else kind in DRAWN
            _require(
                known, "faults", kind, f"a status from 500 to 599 or one of {', '.join(DRAWN)}"
            )
        _require(
            bool(self.kinds) or not self.error_rate,
            "faults",
            self.faults,
            "at least one kind with an error_rate",
        )
        self.tail = _tail(self.slow_tail)
        self.changes = tuple(
            sorted(map(_change, [self.change] if isinstance(self.change, str) else self.change))
        )
        Script(self.script)  # which raises for a step that it does not know

    @property
    def by_chance(self) -> bool:
        """Whether anything is left to chance."""
        return self.error_rate > 0 or self.sigma > 0 or self.tail is not None


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _require(holds: bool, name: str, value: object, wanted: str) -> None:
    if not holds:
        raise SetupError(f"{name} must be {wanted}, not {value!r}")


def _pair(name: str, text: str, form: str) -> tuple[float, float]:
    first, _, second = text.partition(":")
    try:
        return float(first), float(second)
    except ValueError:
        raise SetupError(f"{name} must look like {form}, not {text!r}") from None


def _tail(value: str | Tail | None) -> Tail | None:
    if value is None:
        return None
    tail = Tail(
        *(
            _pair("slow_tail", value, "SHARE:TIMES, such as 0.02:20")
            if isinstance(value, str)
            else value
        )
    )
    _require(0 <= tail.share <= 1, "slow_tail's share", tail.share, "between 0 and 1")
    _require(
        _is_finite(tail.times) and tail.times > 0, "slow_tail's factor", tail.times, "positive"
    )
    return tail


def _change(value: str | Change) -> Change:
    change = Change(
        *(
            _pair("change", value, "SECONDS:FACTOR, such as 60:0.5")
            if isinstance(value, str)
            else value
        )
    )
    _require(
        _is_finite(change.at) and change.at >= 0, "change's time", change.at, "0 seconds or more"
    )
    _require(
        _is_finite(change.factor) and change.factor > 0,
        "change's factor",
        change.factor,
        "positive",
    )
    return change
