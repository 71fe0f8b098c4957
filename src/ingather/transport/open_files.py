"""How many connections this process may open, and what to do where those are too few."""

from __future__ import annotations

import sys

from ingather.errors import SetupError

# descriptors for everything that is no connection: files, pipes, the loop's own; at most half
_OWN_FILES = 64


def check_file_descriptors(max_concurrency: float) -> None:
    """Raise `SetupError` where this process may not open `max_concurrency` connections at once.

    >>> check_file_descriptors(10)
    """
    allowed, _ = _file_descriptors()
    most = most_connections()
    if max_concurrency <= most:
        return
    # the first that leave so many connections
    needed = max_concurrency + min(_OWN_FILES, max_concurrency)
    raise SetupError(
        f"max_concurrency={max_concurrency:.0f} needs {needed:.0f} open files, this process may "
        f"have {allowed:.0f}: "
        f"{more_files(needed)}, or lower max_concurrency to at most {most:.0f}"
    )


def more_files(needed: float | None = None) -> str:
    """What can be done so that this process may open `needed` files, or simply more.

    >>> more_files(10)
    'run `ulimit -n 10` first'
    """
    allowed, ceiling = _file_descriptors()
    if needed is None and allowed < ceiling:
        return f"raise `ulimit -n`, which is {allowed:.0f}"
    if needed is None or needed > ceiling:
        return f"have the hard limit of {ceiling:.0f} raised (`ulimit -Hn`)"
    return f"run `ulimit -n {needed:.0f}` first"


def most_connections() -> float:
    """How many connections at once this process may open.

    >>> most_connections() > 1
    True
    """
    allowed = _file_descriptors()[0]
    return max(1, allowed - min(_OWN_FILES, allowed // 2))


def _file_descriptors() -> tuple[float, float]:
    """How many files this process may open: now, and at most."""
    if sys.platform == "win32":
        return float("inf"), float("inf")
    import resource  # there is none on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return tuple(
        float("inf") if limit == resource.RLIM_INFINITY else limit for limit in (soft, hard)
    )  # type: ignore[return-value]
