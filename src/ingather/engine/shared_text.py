"""One text about which several requests ask: if it is too long for one, it is for all."""

from __future__ import annotations

from ingather.errors import TooLong
from ingather.extract.worth_asking import refuses_cap


class SharedText:
    """Of an extraction. `too_long`: the error of the first request that found it so."""

    __slots__ = ("fits", "too_long")

    def __init__(self) -> None:
        self.too_long: TooLong | None = None
        self.fits = False

    def answered(self) -> None:
        """A request about it was answered."""
        self.fits = True

    def failed(self, error: Exception) -> None:
        """A request about it has failed."""
        if isinstance(error, TooLong) and not self.fits and not refuses_cap(error):
            self.too_long = error

    def __repr__(self) -> str:
        return f"SharedText(fits={self.fits}, too_long={self.too_long!r})"
