"""Which of several values in one answer is the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ingather.schema.form import Found, Miss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingather.schema.form import Form
    from ingather.schema.lenient import Candidate


class _Fit(NamedTuple):
    found: Found
    candidate: Candidate
    is_asked: bool


class Choice:
    """Takes what may be the answer, in the text's order, and says which one is.

    The last value that fits is the answer, unless another follows it that was meant to be one and
    does not fit, or it stands in a sentence while a different value fits too: it may be a
    quotation, or a second thought. Then none is.
    """

    def __init__(self, forms: Sequence[Form]) -> None:
        """`forms`: those that an answer may have, first the one that was asked for."""
        self.misses: list[Miss] = []
        self._forms = forms
        self._fits: list[_Fit] = []
        # what was meant to be an answer, behind the last that is one
        self._failed: Miss | None = None

    def offer(self, candidate: Candidate) -> None:
        misses: list[Miss] = []
        for form in self._forms:
            outcome = form.read(candidate.text)
            if isinstance(outcome, Found):
                self._fits.append(_Fit(outcome, candidate, is_asked=form is self._forms[0]))
                if candidate.stands or form is self._forms[0]:
                    self._failed = None
                return
            misses.append(outcome)
        self.misses += misses
        asked = self._forms[0]
        if candidate.text.lstrip()[:1] in ("{", "[") and (
            asked.names(candidate.text) or (candidate.stands and misses[0].nearness != 1)
        ):
            self._failed = misses[0]

    def made(self) -> tuple[Found | None, str]:
        """The answer; or None, and why there is none although something fits."""
        fits = self._fits
        # what lacks its wrapper may be any list or text of the prose
        if any(fit.is_asked for fit in fits):
            fits = [fit for fit in fits if fit.is_asked or fit.candidate.stands]
        if not fits:
            return None, ""
        last = fits[-1]
        if self._failed is not None:
            return None, self._failed.problems
        if not last.candidate.stands and any(not _same(fit.found, last.found) for fit in fits[:-1]):
            several = f"it holds {len(fits)} values that fit"
            return None, f"{several}, and does not say which of them is the answer"
        return last.found, ""


def _same(one: Found, other: Found) -> bool:
    return one.json == other.json or one.document == other.document
