"""The four analysts: each reads the text of one Item and fills its section, every quote looked up in that text.

An analyst asks for each component of its section in a call of its own (`extract_concurrent`), or
for all of them in one prompt (`extract`). What code knows better than a language model is left to
code: tagged numbers, ratios, changes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import create_model

from ingather import ExtractTask, ParallelLLMExecutor, run_sync
from tenk.errors import NothingToAnalyze
from tenk.evidence import QuoteIndex
from tenk.models import (
    BusinessAnalysisSection,
    FinancialsAnalysisSection,
    ItemName,
    MDAAnalysisSection,
    RiskFactorAnalysisSection,
    Section,
)
from tenk.profile import risk_profile
from tenk.ratios import ratios, recompute
from tenk.statements import known, reparse

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ingather import Provider, TaskResult
    from tenk.evidence import Counts
    from tenk.facts import Facts

T = TypeVar("T", bound=Section)
Split = Literal["fields", "single"]

LEAST_WORDS = 50  # fewer are a pointer to somewhere else, or nothing
MAX_CONCURRENCY = 32  # calls in flight: all components of a filing

_INSTRUCTIONS = """\
The document is {what} of a company's annual report (Form 10-K). Report only what it says. Copy every quote from it \
word for word, 20 to 300 characters, nothing left out or added. Give numbers as they are stated, with their unit and \
scale. Where it says nothing, answer with null or an empty list: never guess."""


class BaseAnalyzer(Generic[T]):
    """Fills a section of an analysis from the text of its Item.

    `provider`: a provider of ingather's, or its name for `ingather.connect`; the default needs no
    key and no network, and is a baseline, not a language model. `use_concurrent`: what `analyze`
    does. `max_concurrency`: calls in flight.

    A component that could not be filled is None and in ``section.missing``. All methods raise
    `NothingToAnalyze` for a text of less than 50 words, and an error of `ingather.errors` where no
    component at all could be filled.

    >>> from tenk import open_submission
    >>> text = open_submission("quellmark-2025").filing.item("1").body
    >>> section = BusinessAnalyzer().extract_concurrent(text)
    >>> section.operational_overview.evidence.verified
    True
    """

    name: ClassVar[str]
    item: ClassVar[ItemName]
    what: ClassVar[str]
    model: type[T]

    def __init__(
        self,
        provider: Provider | str = "offline/extractive",
        use_concurrent: bool = True,
        *,
        max_concurrency: int = MAX_CONCURRENCY,
    ) -> None:
        self.provider = provider
        self.use_concurrent = use_concurrent
        self.max_concurrency = max_concurrency

    def analyze(self, text: str) -> T:
        """`extract_concurrent` or `extract`, as `use_concurrent` says."""
        return run_sync(self.analyze_async(text))

    async def analyze_async(self, text: str) -> T:
        """As `analyze`, to be awaited."""
        return await self._extracted(text, "fields" if self.use_concurrent else "single")

    def extract(self, text: str) -> T:
        """The whole section by one prompt."""
        return run_sync(self.extract_async(text))

    async def extract_async(self, text: str) -> T:
        """As `extract`, to be awaited."""
        return await self._extracted(text, "single")

    def extract_concurrent(self, text: str) -> T:
        """One focused call for each component, all at once; what fails is asked again, then by one prompt for it."""
        return run_sync(self.extract_concurrent_async(text))

    async def extract_concurrent_async(self, text: str) -> T:
        """As `extract_concurrent`, to be awaited."""
        return await self._extracted(text, "fields")

    def task(self, text: str, split: Split = "fields", only: Collection[str] = ()) -> ExtractTask:
        """The extraction as a task, to be run beside others under one bound. `only`: some components, by name.

        A component is asked for in the same words alone as among others.
        """
        if len(text.split(maxsplit=LEAST_WORDS)) < LEAST_WORDS:
            raise NothingToAnalyze(
                f"{self.what}: less than {LEAST_WORDS} words are no text to analyze"
            )
        functions = self._functions(text)
        return ExtractTask(
            text,
            _part_of(self.model, only) if only else self.model,
            instructions=_INSTRUCTIONS.format(what=self.what),
            split=split,
            tag=self.name,
            functions={
                name: function
                for name, function in functions.items()
                if name in (only or functions)
            },
        )

    def finished(self, result: TaskResult, index: QuoteIndex) -> tuple[T, Counts]:
        """The section of a task's result, its quotes looked up in `index`, and completed by code. Raises `failure`."""
        if (error := failure(result)) is not None:
            raise error
        by_code = {field for field, part in (result.parts or {}).items() if part.origin == "code"}
        return self.proven(result.unwrap(), by_code, index)

    def proven(self, section: T, by_code: Collection[str], index: QuoteIndex) -> tuple[T, Counts]:
        """The section, its quotes looked up in `index`, and completed by code. `by_code`: components that code made."""
        index.verify(section, self.item)
        self._complete(section, by_code)
        return section, index.verify(section, self.item)

    async def _extracted(self, text: str, split: Split) -> T:
        task = self.task(text, split)
        async with ParallelLLMExecutor(
            self.provider, max_concurrency=self.max_concurrency
        ) as executor:
            [result] = await executor.gather([task])
        section, _ = self.finished(result, QuoteIndex(text))
        return section

    def _functions(self, _text: str) -> Mapping[str, Callable[[str], object]]:
        """The components that code fills from the text."""
        return {}

    def _complete(self, section: T, by_code: Collection[str]) -> None:
        """What code adds to a section whose quotes are verified. `by_code`: the components that code made."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.provider!r}, use_concurrent={self.use_concurrent})"


def _part_of(model: type[Section], names: Collection[str]) -> type[Section]:
    """A model of some components of a section, each as it is there."""
    fields: dict[str, Any] = {
        name: (info.annotation, info) for name, info in model.model_fields.items() if name in names
    }
    return create_model(model.__name__, __base__=Section, __doc__=model.__doc__, **fields)


def failure(result: TaskResult) -> Exception | None:
    """What an extraction as a whole failed with: where every component failed, that of the first."""
    parts = (result.parts or {}).values()
    if result.success and parts and not any(part.success for part in parts):
        return next(part.error for part in parts)
    return result.error


class BusinessAnalyzer(BaseAnalyzer[BusinessAnalysisSection]):
    """Item 1: what the company does, sells and plans, against whom, for whom, under which rules."""

    name = "business"
    item = "1"
    what = "Item 1, Business,"
    model = BusinessAnalysisSection


class RiskFactorAnalyzer(BaseAnalyzer[RiskFactorAnalysisSection]):
    """Item 1A: the gravest risks, what has happened already, what depends on whom. The profile is counted by code."""

    name = "risk_factors"
    item = "1A"
    what = "Item 1A, Risk Factors,"
    model = RiskFactorAnalysisSection

    def _functions(self, _text: str) -> Mapping[str, Callable[[str], object]]:
        return {"category_profile": risk_profile}


class MDAAnalyzer(BaseAnalyzer[MDAAnalysisSection]):
    """Item 7: how the year went and why, liquidity, outlook. Changes in percent are computed by code."""

    name = "mda"
    item = "7"
    what = "Item 7, Management's Discussion and Analysis,"
    model = MDAAnalysisSection

    def _complete(self, section: MDAAnalysisSection, _by_code: Collection[str]) -> None:
        recompute(section)


class FinancialsAnalyzer(BaseAnalyzer[FinancialsAnalysisSection]):
    """Item 8: the statements, ratios, notes, and the audit.

    `facts`: the numbers that the filing tags: statements are made of those, and none is asked of a
    model. Without any code reads the text's own rows; what it cannot find a model copies. A line
    whose numbers are not in its own quote is dropped. Ratios are computed.
    """

    name = "financials"
    item = "8"
    what = "Item 8, Financial Statements and Supplementary Data,"
    model = FinancialsAnalysisSection

    def __init__(
        self,
        provider: Provider | str = "offline/extractive",
        use_concurrent: bool = True,
        *,
        facts: Facts | None = None,
        max_concurrency: int = MAX_CONCURRENCY,
    ) -> None:
        super().__init__(provider, use_concurrent, max_concurrency=max_concurrency)
        self.facts = facts

    def _functions(self, text: str) -> Mapping[str, Callable[[str], object]]:
        return {
            name: partial(_already, statement)
            for name, statement in known(self.facts, text).items()
        }

    def _complete(self, section: FinancialsAnalysisSection, by_code: Collection[str]) -> None:
        for name in _STATEMENTS:
            statement = getattr(section, name)
            if statement is not None:
                statement.lines.items = reparse(statement.lines.items, by_code=name in by_code)
                if not statement.lines.items:
                    setattr(section, name, None)
        section.ratios = ratios(*(getattr(section, name) for name in _STATEMENTS))
        recompute(section)


_STATEMENTS = ("income_statement", "balance_sheet", "cash_flow")


def _already(statement: object, _text: str) -> object:
    return statement
