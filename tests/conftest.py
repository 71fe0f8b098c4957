"""What all tests share: nothing blocks the event loop, examples are drawn the same way, real filings are found."""

import asyncio
import os
import tempfile
from itertools import product
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx
from hypothesis import settings

from tests.virtual_clock import hold_for_threads

FILINGS = Path(__file__).resolve().parents[2] / "shared" / "filings"

# A deadline would make a test fail on a busy machine, and on no other.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# Where something blocks once, at its first use: imports, pydantic's search for plug-ins, the
# opening of a store.
FIRST_USE = [
    ("<frozen importlib._bootstrap>", "_find_and_load"),
    ("pydantic/plugin/_loader.py", "get_plugins"),
    ("ingather/store/file.py", "open_file"),
    ("ingather/learnt.py", "recall"),
]

# What other processes have learnt of limits must not reach tests, nor what tests have learnt reach
# others.
_CACHE = tempfile.TemporaryDirectory(prefix="ingather-tests-")
os.environ["XDG_CACHE_HOME"] = _CACHE.name

# looptime asks for the thread's loop before each test. Told that there is none, asyncio makes none,
# and does not warn.
asyncio.set_event_loop(None)

hold_for_threads()


@pytest.fixture(autouse=True)
def _nothing_blocks_the_loop(request):
    """Our code may not block the loop of an async test; threads may, and so may the test's own lines."""
    is_async = request.node.get_closest_marker("asyncio") is not None
    if not is_async or request.node.get_closest_marker("blocking_ok"):
        yield
    else:
        with blockbuster_ctx("ingather") as guard:
            for function, place in product(guard.functions.values(), FIRST_USE):
                function.can_block_in(*place)
            yield


@pytest.fixture(scope="session")
def filings() -> Path:
    """The folder of real 10-K filings, which lies beside the project and is not part of it."""
    if not FILINGS.is_dir():
        pytest.skip("no ../shared/filings beside the project")
    return FILINGS
