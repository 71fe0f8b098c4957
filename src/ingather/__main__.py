"""``python -m ingather`` is ``ingather``."""

from __future__ import annotations

from ingather.cli import main

main()
