"""``python -m tenk.cli`` is ``tenk``."""

from __future__ import annotations

from tenk.cli import main

main()
