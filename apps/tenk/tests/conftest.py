"""What the project's tests share holds here too: nothing blocks the event loop, real filings are found."""

from tests.conftest import _nothing_blocks_the_loop, filings

__all__ = ["_nothing_blocks_the_loop", "filings"]
