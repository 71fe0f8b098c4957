"""ingather beside its peers, each used as its own documents show, as one Markdown table:

    python benchmarks/compare.py [--only NAMES] [--quick] [--runs N] [--python312 PATH] [-o FILE]

Builds an environment for each peer with its newest release (in .benchmarks/, the only part that
needs a network), then runs all of them in turns against one loopback server. A peer that cannot be
installed or run is a row that says why.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import columns
from columns import QUICK, Field, Notes, Size
from harness import NotInstalled
from peers import PEERS, Peer

HEADS = (
    "",
    "version",
    "CPU a call, ms",
    "wall / ideal, 200 in flight",
    "wall / ideal, 1,000 in flight",
    "1,200 RPM: time / ideal",
    "429s",
    "lost",
    "bytes a queued task",
    "import, ms",
    "first answer, ms",
)


def main() -> int:
    arguments = parsed()
    size = QUICK if arguments.quick else Size()
    size = replace(size, rounds=arguments.runs or size.rounds)
    peers = [
        peer
        for peer in PEERS
        if not arguments.only or peer.folder in arguments.only or peer.name in arguments.only
    ]
    if not peers:
        print(f"--only takes names of: {', '.join(peer.name for peer in PEERS)}", file=sys.stderr)
        return 2
    notes = Notes()
    pythons, missing = installed(peers, arguments.python312, notes)
    text = document(
        peers, missing | measured(Field(pythons, size, notes)), size, notes, said(arguments)
    )
    print(text)
    if arguments.output:
        arguments.output.write_text(text + "\n", encoding="utf-8")
    return 0


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = lambda text: {name.strip() for name in text.split(",")}  # noqa: E731
    parser.add_argument(
        "--only", type=names, metavar="NAMES", help="these, with commas: ingather,openai,litellm"
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer calls and runs: a look, not figures to quote"
    )
    parser.add_argument(
        "--runs", type=int, metavar="N", help="rounds of which the median is taken (3; quick: 1)"
    )
    parser.add_argument(
        "--python312", metavar="PATH", default=os.environ.get("PYTHON312"), help="for dataknobs-llm"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write the table there too"
    )
    return parser.parse_args()


def installed(
    peers: list[Peer], python312: str | None, notes: Notes
) -> tuple[dict[Peer, str], dict[Peer, list[str]]]:
    """The interpreters of those that can be had, and the cells of those that cannot."""
    pythons, missing = dict[Peer, str](), dict[Peer, list[str]]()
    for peer in peers:
        columns.progress(f"{peer.name} … ")
        try:
            pythons[peer] = peer.environment(python312)
        except NotInstalled as error:
            missing[peer] = [f"–{notes.mark(str(error))}", *["–"] * (len(HEADS) - 2)]
    return pythons, missing


def measured(field: Field) -> dict[Peer, list[str]]:
    """All cells of those that take part, column by column."""
    cells = {peer: [_version(peer, python, field.notes)] for peer, python in field.pythons.items()}
    size = field.size
    steps: tuple[tuple[str, Callable[[], dict[Peer, str]]], ...] = (
        ("CPU", lambda: columns.cpu(field)),
        ("200 in flight", lambda: columns.wall(field, size.at_200, 200, 0.2)),
        ("1,000 in flight", lambda: columns.wall(field, size.at_1000, 1_000, 0.5)),
    )
    for name, step in steps:
        columns.progress(f"\n{name} ")
        add(cells, {peer: [cell] for peer, cell in step().items()})
    columns.progress("\n1,200 RPM ")
    add(cells, columns.limited(field))
    for name, column in (
        ("memory", columns.memory),
        ("import", columns.imports),
        ("first answer", columns.first_answer),
    ):
        columns.progress(f"\n{name} ")
        add(cells, {peer: [cell] for peer, cell in column(field).items()})
    columns.progress("\n")
    return cells


def add(cells: dict[Peer, list[str]], more: dict[Peer, list[str]]) -> None:
    for peer, texts in more.items():
        cells[peer] += texts


def _version(peer: Peer, python: str, notes: Notes) -> str:
    package, interpreter = peer.version(python)
    own = platform.python_version()
    return (
        package
        if interpreter == own
        else package + notes.mark(f"on Python {interpreter}, all others on {own}")
    )


def said(arguments: argparse.Namespace) -> str:
    """The command, without what is this machine's own."""
    given = {"--only": ",".join(sorted(arguments.only or ())), "--runs": arguments.runs}
    options = [f"{name} {value}" for name, value in given.items() if value]
    return " ".join(["python benchmarks/compare.py", *["--quick"] * arguments.quick, *options])


def document(
    peers: list[Peer], cells: dict[Peer, list[str]], size: Size, notes: Notes, command: str
) -> str:
    """The table with what it was made of."""
    rows = [
        HEADS,
        ("---", "---", *["---:"] * (len(HEADS) - 2)),
        *((peer.name, *cells[peer]) for peer in peers),
    ]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    footnotes = [f"[^{number}]: {text}" for number, text in enumerate(notes.texts, 1)]
    return "\n".join([*lines, "", about(size, command), "", *footnotes]).rstrip()


def about(size: Size, command: str) -> str:
    """What the figures are, and of what."""
    few, many = size.queued
    rounds = f"medians of {size.rounds} alternating runs" if size.rounds > 1 else "one run each"
    return (
        f"Made by `{command}` on {datetime.now(UTC):%d %B %Y}, Python {platform.python_version()}, "
        f"{os.cpu_count()} "
        f"cores, {platform.system()}: {rounds} against one loopback server. CPU: {size.cpu:,} "
        f"calls, 100 in flight. "
        f"Wall: {size.at_200:,} calls of 200 ms, {size.at_1000:,} of 500 ms. 1,200 RPM, 20 at "
        f"once, is what `ingather "
        f"simulate` lets in and no client is told: {size.limited:,} calls of 200 ms, 100 in "
        f"flight, each client's own "
        f"retries as they are by default; the ideal is of the calls that came back. Queued: "
        f"{many:,} tasks less "
        f"{few:,}; ingather's input is pulled lazily, the others hold something for each. "
        f"Instructor parses each "
        "answer into a model, as it is used for; the others take text. First answer: a program "
        "that imports, makes one "
        "call and ends."
    )


if __name__ == "__main__":
    sys.exit(main())
