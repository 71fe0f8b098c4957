"""Virtual time that waits for threads: looptime's clock jumps only when none of ours is at work.

On a busy machine a thread may be slow to start, or to go on after it was woken. Were the clock to
jump meanwhile to the next timer, a function that takes no time would hold its slot for a virtual
second, or run into a virtual deadline.
"""

import sys
import threading
import time
import weakref
from types import FrameType

from looptime._internal.loops import LoopTimeEventLoop

from ingather.process import threads
from ingather.store.writer import Writer

PATIENCE = 5.0  # real seconds: a function that blocks in C for good shall not hold up its test
LOOK_AGAIN = 0.001
# that were at it for so long, and still are
given_up: weakref.WeakSet[threading.Thread] = weakref.WeakSet()

_SELECT = "_LoopTimeEventLoop__replaced_select"
_select = getattr(LoopTimeEventLoop, _SELECT)


def is_at_work(thread: threading.Thread, frame: FrameType | None) -> bool:
    """Whether a thread of ours has something to do now, rather than waiting for somebody."""
    if frame is None:
        return True
    if frame.f_code is threads._Thread._next.__code__:
        return not frame.f_locals["self"].jobs.empty()
    where = frame.f_code.co_filename.rpartition("/")[2]
    if where == "threading.py":
        # of a condition; without one it is joining a thread, which ends soon
        waiter = frame.f_locals.get("waiter")
        return waiter is None or not waiter.locked()  # notified, and not yet awake
    if frame.f_code is Writer._serve.__code__:
        return not frame.f_locals["self"]._jobs.empty()
    return where != "selectors.py"


def at_work() -> set[threading.Thread]:
    """The threads that run functions or write a store, and are at it."""
    ours = [
        thread
        for thread in threading.enumerate()
        if thread.name in ("ingather-function", "ingather-store")
    ]
    if not ours:
        return set()
    frames = sys._current_frames()
    return {thread for thread in ours if is_at_work(thread, frames.get(thread.ident or 0))}


def patient_select(self, timeout):
    """Let threads do their work before the clock moves."""
    if self.looptime_on and timeout != 0:
        real_select = self._LoopTimeEventLoop__original_select
        until = time.monotonic() + PATIENCE
        while (busy := at_work()).difference(given_up):
            if real_select(LOOK_AGAIN):
                break  # it has news for the loop
            if time.monotonic() > until:
                given_up.update(busy)
        given_up.intersection_update(busy)
    return _select(self, timeout)


def hold_for_threads() -> None:
    """From now on, for all loops of virtual time."""
    setattr(LoopTimeEventLoop, _SELECT, patient_select)
