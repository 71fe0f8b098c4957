"""``python -m tenk`` is ``tenk``."""

from __future__ import annotations

from tenk.cli import main

main()
