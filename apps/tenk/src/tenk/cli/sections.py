"""``tenk sections``: a 10-K's items, where each begins and ends, and where pointers lead."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tenk.filing import Filing, Item

File = Annotated[Path, typer.Argument(metavar="FILE", help="Text, HTML, inline XBRL or a full submission; gzip too.")]
Json = Annotated[bool, typer.Option("--json", help="Print the items with their texts as JSON.")]
Text = Annotated[
    Path | None, typer.Option(metavar="PATH", help="Write the plain text there, which all offsets count in.")
]

_IN_WORDS = {
    "present": "present",
    "incorporated_by_reference": "in another document",
    "pointer_within_document": "elsewhere in this document",
    "not_applicable": "not applicable",
    "absent": "absent",
}


def sections(file: File, *, json: Json = False, text: Text = None) -> None:
    """Split a 10-K into its items.

    \b
    An item that only points elsewhere is followed where its target is in the file:
      tenk sections filing.htm
      tenk sections submission.txt.gz --json
    """  # noqa: D301 - typer's mark for "keep these lines as they are"
    from tenk.errors import TenkError
    from tenk.filing import read_filing

    filing = read_filing(file)
    if text is not None:
        try:
            text.write_text(filing.text, encoding="utf-8")
        except (OSError, ValueError) as error:
            raise TenkError(f"cannot write {str(text)!r}: {getattr(error, 'strerror', None) or error}") from error
    if json:
        _print_json(filing)
    else:
        _print_table(filing)


def _print_json(filing: Filing) -> None:
    import sys

    import orjson

    found = [_row(item) for item in filing.items if item.status != "absent"]
    answer = {"form": filing.form, "items": found}
    sys.stdout.buffer.write(orjson.dumps(answer, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def _row(item: Item) -> dict[str, object]:
    target = item.target
    return {
        "item": item.item,
        "title": item.title,
        "status": item.status,
        "start": item.start,
        "end": item.end,
        "text": item.text,
        "target": target and {"place": target.place, "start": target.start, "end": target.end, "text": target.text},
    }


def _print_table(filing: Filing) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text as Plain

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Item")
    table.add_column("Title", max_width=44, no_wrap=True)
    table.add_column("Status", no_wrap=True)
    table.add_column("Words", justify="right", no_wrap=True)
    table.add_column("Offset", justify="right", no_wrap=True)
    table.add_column("Leads to")
    for item in filing.items:
        words, offset = (f"{len(item.text.split()):,}", f"{item.start:,}") if item.status != "absent" else ("", "")
        dim = "" if item.status == "present" else "dim"
        table.add_row(item.item, item.title, Plain(_IN_WORDS[item.status], dim), words, offset, Plain(_leads_to(item)))
    console = Console()
    console.print(f"{filing.form}, {len(filing.text.split()):,} words")
    console.print(table)
    console.print("--json prints the texts; --text PATH writes the text that the offsets count in.", style="dim")


def _leads_to(item: Item) -> str:
    target = item.target
    if target is None:
        return ""
    return f"{target.place}: {len(target.text.split()):,} words at {target.start:,}"
