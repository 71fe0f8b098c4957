"""Statements read from the text of a filing that tags nothing: rows of a label and a number for each year.

Every line has its row as proof. Where the years of the columns cannot be told, or few rows are
known, there is no statement: then a language model is left to copy the lines.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from tenk import labels
from tenk.models.shared import MAX_NAME, MAX_QUOTE
from tenk.models.statement import (
    MAX_YEARS,
    PER_SHARE,
    BalanceSheet,
    CashFlowStatement,
    IncomeStatement,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tenk.models.shared import Scale

# what parts a label from its cells, and those from each other
_APART = re.compile(r"\t|[ ]{2,}|[ .]*\.{3,}[ .]*")
_IN_CELL = "0123456789.,$()%—–- "
_CELL = re.compile(
    r"(?P<minus>[(-]\s*\$?\s*-?)?(?P<digits>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)|(?P<nil>[—–-]{1,3})"
)
_NOTES = re.compile(
    r"\s*\((?:notes?|see)\b[^)]*\)|\s*\([a-z0-9]\)$|\s*[–—-]+\s*(?:see )?notes? "
    r".*$"
)
_YEAR = re.compile(r"\b(?:19[89]\d|20[0-4]\d)\b")
_SCALES: tuple[tuple[str, Scale], ...] = (
    (r"(?i)\bbillions\b", "billions"),
    (r"(?i)\bmillions\b", "millions"),
    (r"(?i)\bthousands\b|(?<![\d,])000['’]?s?(?![\d,])", "thousands"),
)
_REACH = 90  # lines of one statement
_HEAD = 16  # lines above its first row, in which its years and scale stand
_SHORTEST = 14  # letters and digits of a row that is quoted alone
_LEAST = 4  # known rows that make a statement
_WINDOWS = 20  # places in the text that are tried
_LARGEST_NOTE = 40  # a first number up to this may be the number of a note
_LONGEST_LINE = 400  # characters of a row


class _Row(NamedTuple):
    """One row that may be a line: on which line it is, its label, its numbers, these as printed, and what proves it."""

    at: int
    label: str
    values: tuple[float, ...]
    cells: str
    text: str


def income_statement(text: str) -> IncomeStatement | None:
    """The income statement that the text prints; None where none is found."""
    made = _read(text, labels.INCOME, "net_income")
    return None if made is None else IncomeStatement.model_validate(made)


def balance_sheet(text: str) -> BalanceSheet | None:
    """The balance sheet that the text prints; None where none is found."""
    made = _read(text, labels.BALANCE, "total_assets") or _read(
        text, labels.BALANCE, "current_assets"
    )
    return None if made is None else BalanceSheet.model_validate(made)


def cash_flow(text: str) -> CashFlowStatement | None:
    """The statement of cash flows that the text prints; None where none is found."""
    made = _read(text, labels.CASH_FLOW, "operating_cash_flow")
    return None if made is None else CashFlowStatement.model_validate(made)


def _read(text: str, patterns: Mapping[str, str], core: str) -> dict[str, object] | None:
    """The fields of the statement at the place of the text that has most of its lines, `core` among them."""
    lines = text.split("\n")
    known = [(concept, row) for row in _rows(lines) if (concept := _concept(row, patterns))]
    for start in _places([(row.at, concept) for concept, row in known], core)[:_WINDOWS]:
        head = lines[max(0, start - _HEAD) : start + 1]
        made = _lines(
            [each for each in known if start <= each[1].at < start + _REACH],
            _years(head),
            list(patterns),
        )
        if len(made) >= _LEAST and any(line["concept"] == core for line in made):
            return {"scale": _scale(head, text), "lines": {"items": made}}
    return None


def _rows(lines: Sequence[str]) -> Iterator[_Row]:
    """The rows in a text. A label may begin on the line above, which then is no row and no heading.

    A row of few letters and digits proves nothing alone: the line above is quoted with it.
    """
    above = before = ""
    for at, line in enumerate(lines):
        own = " ".join(line.split())
        label, cells = _split(line.strip())
        if not cells:
            above = "" if len(own) > MAX_NAME or own.endswith(":") else own
            before = own or before
            continue
        values = tuple(_values(cells))
        yield _Row(
            at,
            label,
            values,
            cells,
            own if sum(map(str.isalnum, own)) >= _SHORTEST else f"{before} {own}",
        )
        if above and (
            label[:1].islower() or label[:1] == "(" or above.endswith((" and", " of", " for", ","))
        ):
            yield _Row(at, f"{above} {label}", values, cells, f"{above} {own}")
        above, before = "", own


def _split(line: str) -> tuple[str, str]:
    """A row's label and its cells, each with single blanks; no cells for a line that is no row."""
    parts = [part.strip() for part in _APART.split(line)] if len(line) <= _LONGEST_LINE else []
    first = len(parts)
    while first > 1 and not parts[first - 1].strip(_IN_CELL):
        first -= 1
    label, cells = " ".join(" ".join(parts[:first]).split()), " ".join(parts[first:]).strip()
    return (
        (label, cells)
        if re.search(r"[^\W\d_]", label) and re.search(r"[\d—–-]", cells)
        else (label, "")
    )


def _plain(label: str) -> str:
    """A label in lower case, without the references to notes."""
    return _NOTES.sub("", label.lower()).strip(" .:,*$-")


def _values(cells: str) -> Iterator[float]:
    for match in _CELL.finditer(cells):
        value = 0.0 if match["nil"] else float(match["digits"].replace(",", ""))
        yield -value if match["minus"] and value else value


def _concept(row: _Row, patterns: Mapping[str, str]) -> str | None:
    name = _plain(row.label)
    found = (concept for concept, pattern in patterns.items() if re.fullmatch(pattern, name))
    return next(
        (concept for concept in found if concept not in PER_SHARE or "." in row.cells), None
    )


def _places(found: list[tuple[int, str]], core: str) -> list[int]:
    """The lines at which a statement may begin: those with most different concepts behind them first."""
    sizes = list[tuple[int, int]]()
    for index, (start, _) in enumerate(found):
        inside = {
            concept for at, concept in found[index : index + 2 * _REACH] if at < start + _REACH
        }
        if core in inside:
            sizes.append((-len(inside), start))
    return [start for _, start in sorted(sizes)]


def _years(head: Sequence[str]) -> list[int]:
    """The years of the columns: the last that are named one after the other, on one line or on up to three."""
    for end in range(len(head), 0, -1):
        for begin in range(end - 1, max(0, end - 3) - 1, -1):
            years = _run([int(year) for year in _YEAR.findall(" ".join(head[begin:end]))])
            if len(years) > 1:
                return years
    return []


def _run(years: list[int]) -> list[int]:
    """The longest end of a list in which the years rise by one, or fall: of *1994 1993 1994 1993* the last two."""
    for begin in range(len(years) - 1):
        run = years[begin:]
        if {later - year for year, later in pairwise(run)} in ({1}, {-1}):
            return run
    return []


def _scale(head: Sequence[str], text: str) -> Scale:
    """What the numbers count in, as said above the rows, else anywhere first in the text."""
    for place in ("\n".join(head), text):
        said = [
            (found.start(), scale)
            for pattern, scale in _SCALES
            if (found := re.search(pattern, place))
        ]
        if said:
            return min(said)[1] if place is text else max(said)[1]
    return "units"


def _lines(
    known: Sequence[tuple[str, _Row]], years: Sequence[int], order: Sequence[str]
) -> list[dict[str, object]]:
    """The first row of each concept, or its total, as the fields of a line."""
    chosen = dict[str, _Row]()
    for concept, row in known:
        values = row.values
        if (
            len(values) == len(years) + 1
            and 0 < values[0] <= _LARGEST_NOTE
            and values[0].is_integer()
        ):
            values = values[1:]
        better = concept not in chosen or (_is_total(row) and not _is_total(chosen[concept]))
        if len(values) == len(years) and better:
            chosen[concept] = row._replace(values=values)
    return [_line(concept, chosen[concept], years) for concept in order if concept in chosen]


def _is_total(row: _Row) -> bool:
    return row.label.lower().startswith("total")


def _line(concept: str, row: _Row, years: Sequence[int]) -> dict[str, object]:
    newest_first = sorted(zip(years, row.values, strict=True), reverse=True)[:MAX_YEARS]
    return {
        "concept": concept,
        "label": row.label,
        "values": {
            "items": [{"fiscal_year": year, "value": value} for year, value in newest_first]
        },
        "evidence": {"quote": row.text[-MAX_QUOTE:]},
    }
