"""What the service is told when it starts. Data only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ingather import Provider
    from tenk.source import FilingSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """What nobody may exceed.

    For one analysis: `upload` bytes, `seconds`, `tokens` (in and out), `usd` (None: 5 where the
    model's price is known), `calls` in flight. `running`: analyses at once; `waiting`: those that
    may wait for their turn. `kept`: analyses that are remembered; the oldest are forgotten.
    `streams`: readers of events at once. `body`: bytes of a request that uploads nothing.
    """

    upload: int = 64 * 2**20
    seconds: float = 900.0
    tokens: int = 20_000_000
    usd: float | None = None
    calls: int = 32
    running: int = 50
    waiting: int = 200
    kept: int = 500
    streams: int = 500
    body: int = 64 * 2**10


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`state`: the SQLite file. `token`: who has it may do everything. `models`: by name, those one may choose from.

    `host`, `port`: where it listens; they decide which ``Host`` a request may name. `tickers`:
    where filings come from, the SEC's EDGAR unless given. `prices`: USD for a million tokens in and
    out, by model, of those that are not known. `usd`: what one analysis may cost, by model; known
    once the service has started.
    """

    state: Path
    token: str = field(repr=False)
    models: Mapping[str, Provider]
    host: str = "127.0.0.1"
    port: int = 8010
    caps: Caps = field(default_factory=Caps)
    tickers: FilingSource | None = None
    prices: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    usd: Mapping[str, float | None] = field(default_factory=dict)
