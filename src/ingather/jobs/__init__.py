"""Jobs: files of tasks in, files of answers out, checked before anything is paid for.

`Source` reads rows, `Recipe` makes a task of each, `check` goes over all of them first, `Job` feeds
an executor and turns its results into answer lines, `AnswerFile` appends them.
"""

from __future__ import annotations

from ingather.jobs.answer_file import AnswerFile, OutputFailed
from ingather.jobs.answer_line import answer_line
from ingather.jobs.check import Checked, check
from ingather.jobs.fingerprint import Fingerprint
from ingather.jobs.job import Job
from ingather.jobs.params import checked_params
from ingather.jobs.recipe import Line, Recipe
from ingather.jobs.resume import Resume
from ingather.jobs.row_source import Source
from ingather.jobs.rows import BadLine, Row
from ingather.jobs.template import Template
from ingather.jobs.written import Written, read_written

__all__ = [
    "AnswerFile", "BadLine", "Checked", "Fingerprint", "Job", "Line",
    "OutputFailed", "Recipe", "Resume", "Row", "Source", "Template", "Written",
    "answer_line", "check", "checked_params", "read_written",
]  # fmt: skip
