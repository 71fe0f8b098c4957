"""How a run deals with what there is of it already: its output, a part of one, and what a store knows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingather.errors import SetupError
from ingather.jobs import AnswerFile, Fingerprint, Resume, Written, read_written
from ingather.jobs.owner import Owner
from ingather.jobs.place import PART, is_stream
from ingather.store import Store
from ingather.store.output_rows import OutputRows


@dataclass(frozen=True, slots=True)
class Again:
    """How a run deals with what there is of it, as written on the command line."""

    store: str | None = None
    overwrite: bool = False
    refresh: bool = False
    resume: bool = False
    retry_failed: bool = False
    ordered: bool = False

    def __post_init__(self) -> None:
        if self.refresh and self.store is None:
            raise SetupError(
                "--refresh goes with a --store; without one, --overwrite asks all anew"
            )
        if self.anew and (self.resume or self.retry_failed):
            begins, goes_on = "--refresh" if self.refresh else "--overwrite", "--resume"
            goes_on = goes_on if self.resume else "--retry-failed"
            raise SetupError(f"{begins} begins anew, and {goes_on} goes on: give one of them")

    @property
    def by_id(self) -> bool:
        """Whether the output is gone on with, whatever a store knows of it."""
        return self.resume or self.retry_failed

    @property
    def goes_on(self) -> bool:
        """Whether what the output has is not asked again."""
        return not self.anew and (self.by_id or self.store is not None)

    @property
    def anew(self) -> bool:
        """Whether nothing of the output stays."""
        return self.overwrite or self.refresh


def what_is_there(
    store: Store | None, answers: AnswerFile, asked: Fingerprint, again: Again
) -> Resume | None:
    """What the output has already, where it is a file that is gone on with, or is known to the store."""
    if not answers.place.is_file:
        if again.by_id:
            option = "--resume" if again.resume else "--retry-failed"
            raise SetupError(
                f"{option} goes on with a file of answers, which {answers.name} is "
                f"not: give -o FILE"
            )
        return None
    rows = None if store is None else OutputRows(store, str(answers.file))
    answers.lock(None if rows is None or rows.known is None else Owner.read(rows.known.owner))
    if store is not None and rows is not None and rows.known is not None and not again.anew:
        store.since = rows.known.since
    if not again.goes_on and store is None:
        return None
    if again.anew or not answers.file.stat().st_size:
        written = Written()
    elif rows is not None and rows.known is None and not again.by_id:
        raise SetupError(
            f"{answers.name} already exists, and the store {again.store} does not know it: "
            f"--resume goes on with it "
            "by its ids, --overwrite replaces it, another -o leaves it as it is"
        )
    else:
        written = read_written(answers.file)
    return Resume(written, asked, rows, in_order=again.ordered, retry_failed=again.retry_failed)


def keep_apart(tasks: str, output: str, read: Sequence[str], again: Again) -> None:
    """Raises SetupError where what is written would take the place of what is read."""
    if output != "-" and not is_stream(output):
        for what, path in (("tasks", tasks), *(("prompt or schema", path) for path in read)):
            if _same(path, output) or _same(path, output + PART):
                raise SetupError(
                    f"the answers would replace the {what}: give another -o than {output}"
                )
    if again.store is not None and any(
        _same(again.store, path) for path in (tasks, output, output + PART)
    ):
        raise SetupError(
            f"the store would replace the tasks or the answers: give another --store "
            f"than {again.store}"
        )


def _same(one: str, other: str) -> bool:
    """Whether two paths lead, or would lead, to one file."""
    if "-" in (one, other):
        return False
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):  # one of them is not there
        return os.path.realpath(one) == os.path.realpath(other)
