"""Why a request's answer is stored or not: which part of its key differs from the nearest one that is."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingather.store.answer_table import Row, read
from ingather.store.key import is_prompt, parts

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping

    from ingather.response import LLMResponse
    from ingather.store import Store
    from ingather.store.key import Key

_CANDIDATES = 10_000  # that were used last
_TELLING = 500  # a part that more candidates share says little of which is near


@dataclass(frozen=True, slots=True)
class Explanation:
    """`response`: the answer that is stored, since `stored` (seconds since 1970); else `why` not, and what differs."""

    why: str = ""
    differences: tuple[str, ...] = ()
    response: LLMResponse | None = None
    stored: float = 0.0

    @property
    def is_hit(self) -> bool:
        return self.response is not None


@dataclass(slots=True)
class _Candidates:
    parts: list[dict[str, str]] = field(default_factory=list)
    by_part: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))


class Nearest:
    """Looks for a request in a store, and for what is like it. Waits for the file."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: _Candidates | None = None

    def has(self, key: Key) -> bool:
        """Whether its answer is there."""
        row = self._store.ask(lambda connection: _row(connection, key))
        return (
            row is not None and row.stored >= self._store.since and read(row, key.hash) is not None
        )

    def explain(self, key: Key) -> Explanation:
        """Whether its answer is there, and if not, why."""
        row = self._store.ask(lambda connection: _row(connection, key))
        if row is not None:
            response = read(row, key.hash)
            if response is None:
                return Explanation("what is stored for it is unreadable, or was changed since")
            return Explanation(response=response, stored=row.stored)
        mine = parts(key.asked())
        near = self._nearest(mine)
        if near is None:
            return Explanation("the store is empty")
        return Explanation(
            "not stored; beside the nearest that is:", tuple(differences(mine, near))
        )

    def _nearest(self, mine: Mapping[str, str]) -> Mapping[str, str] | None:
        found = self._candidates
        shared: Counter[int] = Counter()
        for part in mine.items():
            if len(numbers := found.by_part.get(part, ())) <= _TELLING:
                shared.update(numbers)
        if shared:
            most = max(shared.values())
            near = [number for number, count in shared.items() if count == most]
            return min(
                (found.parts[number] for number in near), key=lambda parts: _distance(mine, parts)
            )
        return min(found.parts[:_TELLING], key=lambda parts: _distance(mine, parts), default=None)

    @property
    def _candidates(self) -> _Candidates:
        if self._read is None:
            self._read = _Candidates()
            for number, asked in enumerate(self._store.ask(_newest)):
                self._read.parts.append(parts(asked))
                for part in self._read.parts[number].items():
                    self._read.by_part[part].append(number)
        return self._read

    def __repr__(self) -> str:
        return f"Nearest({self._store!r}, {'read' if self._read else 'not read yet'})"


def differences(mine: Mapping[str, str], near: Mapping[str, str]) -> Iterator[str]:
    """What differs, one part a line.

    >>> list(differences({"model": '"a"', "seed": "1"}, {"model": '"b"'}))
    ['model: "a" here, "b" there', 'seed: 1 here, not set there']
    """
    for name in {**mine, **near}:
        here, there = mine.get(name), near.get(name)
        if here == there:
            continue
        if (
            here is not None
            and there is not None
            and (is_prompt(name) or "#" in (here[0], there[0]))
        ):
            yield f"{name}: another {'text' if is_prompt(name) else 'value'}"
        else:
            yield f"{name}: {_shown(here)} here, {_shown(there)} there"


def _shown(value: str | None) -> str:
    return "not set" if value is None else "there is one" if value.startswith("#") else value


def _distance(mine: Mapping[str, str], near: Mapping[str, str]) -> int:
    return sum(mine.get(name) != near.get(name) for name in {**mine, **near})


def _row(connection: sqlite3.Connection, key: Key) -> Row | None:
    found = connection.execute(
        "SELECT turn, id, digest, stored, used, answer FROM answers WHERE id = ?", (key.id,)
    ).fetchone()
    return None if found is None else Row(*found)


def _newest(connection: sqlite3.Connection) -> list[bytes]:
    return [
        asked
        for (asked,) in connection.execute(
            "SELECT asked FROM answers ORDER BY turn DESC LIMIT ?", (_CANDIDATES,)
        )
    ]
