"""Who writes a file: one process at a time, by a lock that the system takes back when its owner dies."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from ingather.errors import SetupError

try:
    import fcntl
except ImportError:  # not on Windows
    fcntl = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Owner:
    """A process. `born`: its start in the system's own count, 0 where that is not to be had; `since`: when it began."""

    pid: int
    host: str
    born: int
    since: str

    @classmethod
    def this(cls) -> Owner:
        """This very process, from now on."""
        return cls(
            os.getpid(),
            socket.gethostname(),
            _born(os.getpid()),
            time.strftime("%Y-%m-%d %H:%M:%S"),
        )

    @classmethod
    def read(cls, written: str) -> Owner | None:
        """As `str` wrote it; None for what is no owner."""
        with contextlib.suppress(ValueError, TypeError):
            return cls(**orjson.loads(written))
        return None

    def written(self) -> str:
        """As JSON."""
        return orjson.dumps(asdict(self)).decode()

    @property
    def is_alive(self) -> bool:
        """Whether it runs still, as far as this machine can tell."""
        if self.host != socket.gethostname():
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return not self.born or _born(self.pid) == self.born  # else its number was given to another

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since}"


def take(descriptor: int, name: str, before: Owner | None) -> None:
    """Lock an open file for this process, until it is closed. A dead owner's lock is taken over.

    `before`: who had it last, as far as it is known. Raises SetupError where another process has
    it.
    """
    taken = SetupError(
        f"{name} is being written by {before or 'another process'}; wait for it, or give another -o"
    )
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
    except BlockingIOError:
        raise taken from None
    except OSError:  # this file system has no locks
        pass
    if before is not None and before.is_alive and before.pid != os.getpid():
        raise taken


def _born(pid: int) -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    return 0
