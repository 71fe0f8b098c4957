"""``tenk sections``: a 10-K's items, where each begins and ends, and where pointers lead."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tenk.filing import Filing, Item

Source = Annotated[
    str,
    typer.Argument(metavar="FILE", help="Text, HTML or a full submission, gzip too; or a ticker."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the items with their texts as JSON.")]
Text = Annotated[
    Path | None,
    typer.Option(
        "--text", metavar="PATH", help="Write the plain text there that offsets count in."
    ),
]

_IN_WORDS = {
    "present": "present",
    "incorporated_by_reference": "in another document",
    "pointer_within_document": "elsewhere in this document",
    "not_applicable": "not applicable",
}
_PIPED = 132  # columns where there is no terminal
_TITLE = 16  # columns, at least
_OTHER_COLUMNS = 64


def sections(source: Source, *, json: Json = False, text: Text = None) -> None:
    """Split a 10-K into its items, and follow those that only point elsewhere.

    \b
      tenk sections quellmark-2025
      tenk sections filing.htm
      tenk sections submission.txt.gz --json
    """  # noqa: D301 - typer's mark for "keep these lines as they are"
    from tenk.saving import save
    from tenk.submission import open_submission

    filing = open_submission(source).filing
    if text is not None:
        save(text, filing.text)
    if json:
        _print_json(filing)
    else:
        _print_table(filing, source)


def _print_json(filing: Filing) -> None:
    import sys

    import orjson

    found = [_record(item) for item in filing.items if item.status != "absent"]
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    sys.stdout.buffer.write(orjson.dumps({"form": filing.form, "items": found}, option=options))
    sys.stdout.flush()


def _record(item: Item) -> dict[str, object]:
    target = item.target
    return {
        "item": item.item,
        "title": item.title,
        "status": item.status,
        "start": item.start,
        "end": item.end,
        "text": item.text,
        "target": None
        if target is None
        else {"place": target.place, "start": target.start, "end": target.end, "text": target.text},
    }


def _print_table(filing: Filing, source: str) -> None:
    from textwrap import shorten

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_PIPED)
    table = Table(box=None, pad_edge=False, header_style="bold")
    room = max(_TITLE, console.width - _OTHER_COLUMNS)
    table.add_column("Item")
    table.add_column("Title")
    table.add_column("Words", justify="right")
    table.add_column("Offset", justify="right")
    table.add_column("Status")
    for item in filing.items:
        if item.status != "absent":
            style = "" if item.status == "present" or item.target else "dim"
            words, offset = f"{len(item.text.split()):,}", f"{item.start:,}"
            table.add_row(
                item.item,
                Text(shorten(item.title, room, placeholder="…")),
                words,
                offset,
                Text(_status(item)),
                style=style,
            )
    absent = [item.item for item in filing.items if item.status == "absent"]
    console.print(Text(f"{source}: {filing.form}, {len(filing.text.split()):,} words"))
    console.print(table)
    if absent:
        console.print(Text(f"not in this filing: {', '.join(absent)}", style="dim"))
    console.print(
        Text(
            "--json prints the texts; --text PATH writes the text that offsets count in.",
            style="dim",
        )
    )


def _status(item: Item) -> str:
    words = _IN_WORDS[item.status]
    if item.target is None:
        return words
    return f"{item.target.place}: {len(item.target.text.split()):,} words at {item.target.start:,}"
