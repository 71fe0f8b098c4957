"""What is said at the end of a run: what came of it, where the answers are, and the command that goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingather.cli.failing import SETUP
from ingather.cli.spending import as_options
from ingather.errors import StoreError
from ingather.report.text import one_line, summary_text
from ingather.stats import counted

if TYPE_CHECKING:
    from ingather.cli.drive import Drive
    from ingather.cli.plan import Plan
    from ingather.cli.settle import Settled

SOME_FAILED = 3
CAP_REACHED = 4
_ONCE = ("--overwrite", "--refresh", "--resume", "--retry-failed")


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The end of `drive`, whose output is as `settled` says."""

    drive: Drive
    settled: Settled

    @property
    def code(self) -> int:
        """The exit code."""
        drive = self.drive
        finished = drive.succeeded + drive.failed == drive.plan.left
        if isinstance(drive.cause, StoreError) or self.settled.trouble:
            return SETUP
        if drive.stopped_by and not (drive.stopped_by == CAP_REACHED and finished):
            return drive.stopped_by
        if drive.short:
            return CAP_REACHED
        incomplete = drive.left_out or drive.cause is not None
        failed_before = drive.plan.resume is not None and drive.plan.resume.failed
        return (
            SOME_FAILED
            if drive.failed or incomplete or failed_before or self.settled.waiting
            else 0
        )

    def text(self) -> str:
        """The closing text, without a line break at the end."""
        drive = self.drive
        lines = [as_options(summary_text(drive.report.summary(), is_command=True))]
        if drive.cause is not None:
            why = "" if isinstance(drive.cause, StoreError) else ", since no call can succeed"
            lines.append(f"stopped{why}: {one_line(drive.why(), 400)}")
        if drive.short:
            lines.append(
                f"budget: {drive.plan.budget}; it was too little for {counted(drive.short, 'task')}"
            )
        lines += self.settled.trouble
        lines.append(f"{self._where()}{self._how_to_go_on()}")
        return "\n".join(lines)

    def _where(self) -> str:
        answers, settled = self.drive.plan.answers, self.settled
        if settled.lines is None:
            return f"what is left of the answers is in {answers.name}"
        there = f"{counted(settled.lines, 'answer is', 'answers are')} in {answers.name}"
        if settled.waiting and answers.place.target.exists():
            return f"{there}, and {answers.path} is as it was"
        if settled.old is not None:
            return (
                f"{there}; the earlier answers, also to what failed now, are in {settled.old.name}"
            )
        return there

    def _how_to_go_on(self) -> str:
        drive, settled = self.drive, self.settled
        is_file, stored = drive.plan.answers.place.is_file, drive.plan.store is not None
        failed = settled.failed if is_file else 0
        which = f"{failed:,} are failures" if failed != 1 else "1 is a failure"
        again = f"; {which}, which --retry-failed asks again" if failed else ""
        if drive.complete and settled.is_whole:
            return (
                f"{again}:\n  {going_on(drive.options.command, '--retry-failed')}" if failed else ""
            )
        if not is_file and not stored:
            return "; a run with -o FILE can be gone on with, this one cannot"
        same = ", with the same input" if drive.plan.job.source.path == "-" else ""
        option, elsewhere = resuming(drive.plan), None
        if drive.plan.answers.is_elsewhere:  # where a store does not know them
            option, elsewhere = option or "--resume", drive.plan.answers.name
        return f"{again}; to go on{same}:\n  {going_on(drive.options.command, option, elsewhere)}"


def resuming(plan: Plan) -> str:
    """The option with which the command of this run goes on with what it wrote."""
    if plan.again.retry_failed:
        return "--retry-failed"
    return "--resume" if plan.store is None or plan.again.resume else ""


def begun_again(plan: Plan) -> str:
    """What there was of this run already, in words; nothing where it begins."""
    resume = plan.resume
    if resume is None or not len(resume.written) + resume.written.torn:
        return ""
    done = f"{resume.done:,} of {counted(plan.total or 0, 'task is', 'tasks are')} done, and not sent again"
    lines = (
        f"{counted(len(resume.written), 'answer is', 'answers are')} in {plan.answers.name} already"
    )
    torn = resume.written.torn
    said = f"; a last line that was torn, of {counted(torn, 'byte')}, is taken out" if torn else ""
    return f"going on: {lines if plan.total is None else done}{said}"


def going_on(command: list[str], option: str, output: str | None = None) -> str:
    """`command` as it goes on with what it began: without what would begin anew, and with `option`.

    `output`: where its answers are, if not where it said.

    >>> going_on(["ingather", "run", "my tasks.jsonl", "-o", "a.jsonl", "--overwrite"], "--resume")
    "ingather run 'my tasks.jsonl' -o a.jsonl --resume"
    """
    import shlex

    from ingather.redact import redact

    kept = _without_values([word for word in command if word not in _ONCE])
    if output is not None:
        kept = _with_output(kept, output)
    at = kept.index("--") if "--" in kept else len(kept)
    return redact(shlex.join([*kept[:at], *([option] if option else []), *kept[at:]]))


def _without_values(words: list[str]) -> list[str]:
    """Headers are as secret as a key: of theirs, only the names are shown."""
    shown: list[str] = []
    for word in words:
        option, equals, written = word.partition("=")
        if shown and shown[-1] == "--header":
            shown.append(f"{word.partition(':')[0]}:…")
        elif option == "--header" and equals:
            shown.append(f"--header={written.partition(':')[0]}:…")
        else:
            shown.append(word)
    return shown


def _with_output(words: list[str], output: str) -> list[str]:
    changed: list[str] = []
    for word in words:
        option, equals, _ = word.partition("=")
        if changed and changed[-1] in ("-o", "--output"):
            changed.append(output)
        elif equals and option in ("-o", "--output"):
            changed.append(f"{option}={output}")
        else:
            changed.append(word)
    return changed
