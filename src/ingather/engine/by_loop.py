"""A set whose members each belong to an event loop, safe to change from several loops at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Iterator


class OnLoop(Protocol):
    """Anything that belongs to one loop."""

    @property
    def loop(self) -> AbstractEventLoop:
        """The loop."""
        ...


T = TypeVar("T", bound=OnLoop)


class ByLoop(Generic[T]):
    """What is open, by loop; adding and discarding take constant time.

    A member is added and discarded on its own loop only, so that no lock is needed: a garbage
    collection that ends one inside another change could not wait for a lock. Iterating goes over a
    copy.
    """

    __slots__ = ("_by_loop",)

    def __init__(self) -> None:
        self._by_loop: dict[AbstractEventLoop, set[T]] = {}  # none of them empty

    def add(self, member: T) -> None:
        """It begins."""
        members = self._by_loop.get(member.loop)
        if members is None:
            self._by_loop[member.loop] = {member}
        else:
            members.add(member)

    def discard(self, member: T) -> None:
        """It is over, if it was not before."""
        members = self._by_loop.get(member.loop)
        if members is not None:
            members.discard(member)
            if not members:
                self._by_loop.pop(member.loop, None)

    def take_dead(self) -> list[T]:
        """Those whose loop was closed before they were over, which are none of these any more."""
        dead = [loop for loop in tuple(self._by_loop) if loop.is_closed()]
        return [member for loop in dead for member in self._by_loop.pop(loop, ())]

    def __contains__(self, member: T) -> bool:
        return member in self._by_loop.get(member.loop, ())

    def __iter__(self) -> Iterator[T]:
        return iter(
            [member for members in tuple(self._by_loop.values()) for member in tuple(members)]
        )

    def __len__(self) -> int:
        return sum(map(len, tuple(self._by_loop.values())))

    def __bool__(self) -> bool:
        return bool(self._by_loop)

    def __repr__(self) -> str:
        return f"ByLoop({len(self)} on {len(self._by_loop)} loops)"
