"""The lock that slots, quotas and budgets share, since they are taken together."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ingather.process.fork import renew_in_child

if TYPE_CHECKING:
    from collections.abc import Callable

lock = threading.RLock()

# as the stdlib's Condition asks its lock: whether this very thread holds it
held_here: Callable[[], bool] = lock._is_owned  # type: ignore[attr-defined]  # noqa: SLF001

# it may have been held at the fork, by a thread that is not there
renew_in_child(lock._at_fork_reinit)  # type: ignore[attr-defined]  # noqa: SLF001


def later(action: Callable[..., object], *args: object) -> None:
    """Run `action` in a new thread: for where this very thread holds the lock.

    A garbage collection may close a dead loop's permits at any moment, also while the lock is held.
    """
    threading.Thread(target=action, args=args).start()
