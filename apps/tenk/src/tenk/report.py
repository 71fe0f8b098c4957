"""An analysis as Markdown to read: a chapter for each section, a footnote with its quote for each claim."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import BaseModel

from tenk.models import Evidence, Money, Quantity, RatioList, Statement, StringList
from tenk.outcome import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tenk.models import Section
    from tenk.models.statement import StatementLine
    from tenk.outcome import Analysis, SectionReport

_TITLES = {
    "business": "Business",
    "risk_factors": "Risk factors",
    "mda": "Management's discussion and analysis",
    "financials": "Financial statements",
}
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~])")
_HEADS = (
    "name",
    "title",
    "advantage",
    "risk",
    "exposure",
    "driver",
    "segment",
    "subject",
    "note",
    "area",
    "topic",
)
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_NO_ANSWER = ("not_stated", "other", "not_found")


def markdown(analysis: Analysis) -> str:
    """The report. All that comes from the filing or from a model is text in it: no markup of theirs is followed."""
    report = _Report()
    report.front(analysis)
    for name in SECTIONS:
        if name in analysis.sections:
            report.chapter(_TITLES[name], analysis.sections[name], analysis[name])
    report.notes()
    return "\n".join(report.lines).rstrip() + "\n"


class _Report:
    """The lines so far, and the quotes that they refer to."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._quotes: list[Evidence] = []

    def front(self, analysis: Analysis) -> None:
        shown = sum(section.quotes for section in analysis.sections.values())
        verified = sum(section.verified for section in analysis.sections.values())
        self._add(f"# {text(analysis.company or analysis.filing)}: {text(analysis.form)}", "")
        if analysis.period_end is not None:
            self._add(
                f"Fiscal year ended {analysis.period_end}. File: {text(analysis.filing)}.", ""
            )
        answered = f"{analysis.calls:,} calls in {analysis.seconds:,.1f} s"
        cost = "" if analysis.cost_usd is None else f", {analysis.cost_usd:,.4f} USD"
        tokens = f"{analysis.input_tokens:,} tokens in, {analysis.output_tokens:,} out"
        proven = f"{verified:,} of {shown:,} quotes stand in the filing, word for word."
        self._add(f"Answered by {text(analysis.model)}: {answered}, {tokens}{cost}. {proven}", "")
        if analysis.model.startswith("offline/"):
            self._add(
                "> This is a baseline, not the work of a language model: sentences found by their "
                "words, numbers by "
                "their form. It quotes; it does not understand.",
                "",
            )

    def chapter(self, title: str, report: SectionReport, section: Section | None) -> None:
        place = f", {text(report.place)}" if report.place else ""
        self._add(f"## {title}", "", f"Item {report.item}{place}, {report.words:,} words.", "")
        if section is None:
            self._add(f"*{text(report.reason or 'nothing was found')}*", "")
            return
        for name, component in report.components.items():
            if component.status == "skipped":
                continue
            self._add(f"### {_in_words(name)}", "")
            value = getattr(section, name)
            if component.status == "failed":
                self._add(f"*Failed: {text(component.reason or '')}*", "")
            elif component.status == "empty" or value is None:
                self._add("*The text says nothing of this.*", "")
            else:
                self._component(value)

    def notes(self) -> None:
        if self._quotes:
            self._add("---", "")
        for number, proof in enumerate(self._quotes, 1):
            quote = text(" ".join(proof.quote.split()))
            if proof.verified:
                self._add(
                    f"[^{number}]: “{quote}” (Item {proof.item or '?'}, characters "
                    f"{proof.start}–{proof.end})"
                )
            else:
                self._add(f"[^{number}]: ~~“{quote}”~~ **Not found in the filing.**")

    def _component(self, value: BaseModel) -> None:
        if isinstance(value, Statement):
            self._statement(value)
        elif isinstance(value, RatioList):
            self._ratios(value)
        elif isinstance(items := getattr(value, "items", None), list):
            self._list(items)
        else:
            self._fields(value)
        self._add("")

    def _list(self, items: list[object], indent: str = "") -> None:
        for item in items:
            self._add(
                f"{indent}- {self._claim(item) if isinstance(item, BaseModel) else text(str(item))}"
            )

    def _fields(self, value: BaseModel) -> None:
        """A component that is no list: a line for each of its fields."""
        for name, held in _filled(value):
            if isinstance(held, Evidence):
                continue
            if isinstance(inner := getattr(held, "items", None), list) and not isinstance(
                held, StringList
            ):
                self._add(f"- **{_in_words(name)}**")
                self._list(inner, "  ")
            elif (said := self._said(held)) != "":
                self._add(f"- **{_in_words(name)}:** {said}")
        if (proof := getattr(value, "evidence", None)) is not None:
            self._add(f"- **Evidence:** {self._mark(proof)}")

    def _claim(self, item: BaseModel) -> str:
        """One member of a list in one line: its name, what is said of it, its quote."""
        named = next((name for name in _HEADS if getattr(item, name, None)), None)
        head = "" if named is None else f"**{text(str(getattr(item, named)))}**"
        parts = list[str]()
        mark = ""
        for name, held in _filled(item):
            if isinstance(held, Evidence):
                mark = self._mark(held)
            elif name != named and held not in _NO_ANSWER and (said := self._said(held)) != "":
                is_prose = isinstance(held, str) and " " in held
                parts.append(said if is_prose else f"{name.replace('_', ' ')}: {said}")
        joined = "; ".join(parts)
        return f"{head}{' — ' if head and joined else ''}{joined}{mark}"

    def _said(self, held: object) -> str:
        if isinstance(held, Money):
            return money(held)
        if isinstance(held, Quantity):
            return f"{number(held.value)} {text(held.unit)}"
        if isinstance(held, bool):
            return "yes" if held else "no"
        if isinstance(held, int | float):
            return number(held, grouped=not isinstance(held, int) or abs(held) > 2100)
        if isinstance(held, BaseModel):
            if isinstance(items := getattr(held, "items", None), list):
                return "; ".join(filter(None, map(self._said, items)))
            return self._claim(held)
        return text(str(held).replace("_", " ") if held and " " not in str(held) else str(held))

    def _mark(self, proof: Evidence) -> str:
        self._quotes.append(proof)
        return f"[^{len(self._quotes)}]"

    def _statement(self, statement: Statement) -> None:
        # each statement has lines of its own type
        lines: list[StatementLine] = getattr(statement, "lines").items  # noqa: B009
        years = sorted(
            {value.fiscal_year for line in lines for value in line.values.items}, reverse=True
        )
        source = next((value.source for line in lines for value in line.values.items), "text")
        self._add(
            f"In {statement.currency} {statement.scale}; numbers from the filing's "
            f"{_SOURCES[source]}.",
            "",
        )
        self._add(f"| | {' | '.join(map(str, years))} |", f"| --- |{' ---: |' * len(years)}")
        for line in lines:
            cells = (line.values.of(year) for year in years)
            proof = "" if line.evidence is None else self._mark(line.evidence)
            shown = " | ".join("" if cell is None else number(cell) for cell in cells)
            self._add(f"| {text(line.label)}{proof} | {shown} |")

    def _ratios(self, ratios: RatioList) -> None:
        self._add(
            "Computed by code.", "", "| | year | value | formula |", "| --- | --- | ---: | --- |"
        )
        for ratio in ratios.items:
            unit = {"percent": " %", "times": " ×", "money": ""}[ratio.unit]
            formula = f"{text(ratio.formula)} ({text('; '.join(ratio.inputs.items))})"
            self._add(
                f"| {_in_words(ratio.name)} | {ratio.fiscal_year} | {ratio.value:,.2f}{unit} "
                f"| {formula} |"
            )

    def _add(self, *lines: str) -> None:
        self.lines += lines


_SOURCES = {
    "xbrl": "XBRL tags",
    "schedule": "financial data schedule",
    "text": "text, each line checked against its quote",
}


def text(words: str) -> str:
    r"""Words of a filing or a model as plain Markdown: no markup in them has an effect.

    >>> text("a <b>*bold*</b> claim")
    'a \\<b\\>\\*bold\\*\\</b\\> claim'
    """
    return _SPECIAL.sub(r"\\\1", " ".join(words.split()))


def money(amount: Money) -> str:
    """An amount as one writes it.

    >>> money(Money(amount=-1.5, scale="billions"))
    '-$1.5 billion'
    """
    sign = "-" if amount.amount < 0 else ""
    symbol = _SYMBOLS.get(amount.currency, f"{text(amount.currency)} ")
    scale = "" if amount.scale == "units" else f" {amount.scale.removesuffix('s')}"
    return f"{sign}{symbol}{number(abs(amount.amount))}{scale}"


def number(value: float, *, grouped: bool = True) -> str:
    """A number with no more places than it has.

    >>> number(1234.5), number(2024, grouped=False)
    ('1,234.5', '2024')
    """
    rounded = round(value, 4)
    whole = int(rounded) if rounded == int(rounded) else rounded
    return f"{whole:,}" if grouped else f"{whole}"


def _in_words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _filled(value: BaseModel) -> Iterator[tuple[str, object]]:
    held = ((name, getattr(value, name)) for name in type(value).model_fields)
    return ((name, each) for name, each in held if each is not None and each != "")
