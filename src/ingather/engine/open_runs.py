"""The runs of an executor that have begun and are not over, by the loop that each is on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Iterator

    from ingather.engine.run import Run


class OpenRuns:
    """A set of runs that several loops, each in its thread, may change at once; no change takes longer than another.

    A run is added and discarded on its own loop only, so that no lock is needed: a garbage
    collection that ends a run inside another change could not wait for one. Iterating goes over a
    copy.
    """

    __slots__ = ("_by_loop",)

    def __init__(self) -> None:
        self._by_loop: dict[AbstractEventLoop, set[Run]] = {}  # none of them empty

    def add(self, run: Run) -> None:
        """It begins."""
        runs = self._by_loop.get(run.loop)
        if runs is None:
            self._by_loop[run.loop] = {run}
        else:
            runs.add(run)

    def discard(self, run: Run) -> None:
        """It is over, if it was not before."""
        runs = self._by_loop.get(run.loop)
        if runs is not None:
            runs.discard(run)
            if not runs:
                self._by_loop.pop(run.loop, None)

    def take_dead(self) -> list[Run]:
        """Those whose loop was closed before they were over, which are none of these any more."""
        dead = [loop for loop in tuple(self._by_loop) if loop.is_closed()]
        return [run for loop in dead for run in self._by_loop.pop(loop, ())]

    def __contains__(self, run: Run) -> bool:
        return run in self._by_loop.get(run.loop, ())

    def __iter__(self) -> Iterator[Run]:
        return iter([run for runs in tuple(self._by_loop.values()) for run in tuple(runs)])

    def __len__(self) -> int:
        return sum(map(len, tuple(self._by_loop.values())))

    def __bool__(self) -> bool:
        return bool(self._by_loop)

    def __repr__(self) -> str:
        return f"OpenRuns({len(self)} on {len(self._by_loop)} loops)"
