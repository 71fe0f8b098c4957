"""Where one looks at things in a notebook: whether this is one, and tables for it."""

from __future__ import annotations

import sys
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def is_notebook() -> bool:
    """Whether a Jupyter kernel runs this code (of JupyterLab, VS Code, Colab, …); IPython in a terminal is none."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Names and what stands at them, as HTML.

    >>> table([("a", "1 < 2")])
    '<table><tr><th style="text-align:left">a</th><td style="text-align:left">1 &lt; 2</td></tr></table>'
    """
    style = 'style="text-align:left"'
    cells = (
        f"<tr><th {style}>{escape(name)}</th><td {style}>{escape(text)}</td></tr>"
        for name, text in rows
    )
    return f"<table>{''.join(cells)}</table>"


def lines(rows: Iterable[tuple[str, str]]) -> str:
    """The same as text, a line each.

    >>> print(lines([("tasks", "3"), ("429s", "none")]))
    tasks  3
    429s   none
    """
    rows = list(rows)
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{name:<{width}}  {text}" for name, text in rows)
