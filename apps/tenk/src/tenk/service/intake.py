"""What comes with a new analysis, checked: names by allow-lists, a model from the list, one source and no more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from tenk.errors import TenkError
from tenk.outcome import SECTIONS
from tenk.samples import SAMPLES
from tenk.samples import sample as sample_of
from tenk.service.state import AnalysisState
from tenk.source import checked_ticker

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tenk.outcome import SectionName

_NOT_IN_NAMES = re.compile(r"[^\w .,()&+-]+")
_LONGEST_NAME = 80  # characters


class BadOrder(TenkError):
    """What is asked for cannot be had."""


class Upload(NamedTuple):
    """A file as it came: its name as the client says it, and its bytes."""

    name: str
    content: bytes


def order(
    upload: Upload | None,
    sample: str | None,
    ticker: str | None,
    model: str | None,
    wanted: Mapping[SectionName, bool],
    models: Collection[str],
) -> tuple[AnalysisState, bytes | None]:
    """A new analysis, and its filing's bytes unless they are to be fetched. Raises `BadOrder`, and `TenkError`s."""
    given = [each for each in (upload, sample, ticker) if each is not None]
    if len(given) != 1:
        raise BadOrder("give one of file, sample and ticker")
    chosen = next(iter(models)) if model is None else model
    if chosen not in models:
        raise BadOrder(f"there is no model {chosen[:80]!r} here; there are: {', '.join(models)}")
    sections = [name for name in SECTIONS if wanted[name]]
    if not sections:
        raise BadOrder("ask for at least one section")
    if upload is not None:
        if not upload.content.strip():
            raise BadOrder("the file is empty")
        state = AnalysisState(
            id="",
            name=shown_name(upload.name),
            kind="file",
            model=chosen,
            created=0,
            wanted=sections,
        )
        return state, upload.content
    if sample is not None:
        found = sample_of(sample) if any(each.name == sample for each in SAMPLES) else None
        if found is None:
            raise BadOrder(
                f"there is no such sample; there are: {', '.join(each.name for each in SAMPLES)}"
            )
        state = AnalysisState(
            id="", name=found.name, kind="sample", model=chosen, created=0, wanted=sections
        )
        return state, found.read()
    name = checked_ticker(ticker or "")
    return AnalysisState(
        id="", name=name, kind="ticker", model=chosen, created=0, wanted=sections
    ), None


def shown_name(given: str) -> str:
    r"""A file's name as it is shown: it names nothing on this machine.

    >>> shown_name("../../etc/pass\x00wd <b>.htm")
    'pass_wd _b_.htm'
    """
    last = given.replace("\\", "/").rpartition("/")[2]
    return _NOT_IN_NAMES.sub("_", last).strip(" .")[:_LONGEST_NAME] or "filing"
