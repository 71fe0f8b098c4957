"""The ladder of an extraction: what has been asked, what is there, and what to do next. No I/O, no clock.

When a part fails, the ladder is climbed: that part again, with its error; then one single prompt for only what is
missing; then whatever there is. What succeeded is kept, whatever happens to the rest, and never asked for again. In the
end the parts are validated together, as the whole model, and fields that are to blame there are asked for again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, NamedTuple

from ingather.errors import (
    AnswerError,
    EmptyAnswer,
    InvalidAnswer,
    MissingFields,
    PoolFailure,
    Rejected,
    SetupError,
    Stopped,
    TooBig,
    TooLong,
    TransientError,
)
from ingather.extraction_prompt import again, messages
from ingather.outline import NOTHING, Ask, Outline, Unmerged
from ingather.result import LLMResponse
from ingather.schema import Schema
from ingather.task import DeterministicTask, LLMTask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic import BaseModel

    from ingather.outline import Found
    from ingather.providers.ceilings import Ceiling
    from ingather.result import TaskResult
    from ingather.tally import Tally
    from ingather.task import ExtractTask, Task

Origin = Literal["part", "retry", "single", "code"]

_FINAL = (PoolFailure, Stopped, SetupError)  # after these no other call can succeed either
_TOO_LARGE = (TooLong, TooBig)  # a prompt for more fields would be so all the more


class _Sent(NamedTuple):
    """A call of the run, by its index: what it asks for, and on which rung."""

    ask: Ask
    origin: Origin


class Extraction:
    """What is there, and what to do next. `parts`: each field's call that filled it, or the last that failed to.

    `send` takes each task, and None when no more will come. `tally`: where the parts' costs are counted.
    """

    def __init__(self, task: ExtractTask, ceiling: Ceiling, tally: Tally, send: Callable[[Task | None], None]) -> None:
        self.outline = Outline.of(task.response_model)
        self.parts: dict[str, TaskResult] = {}
        self._task = task
        self._ceiling = ceiling
        self._tally = tally
        self._send_task = send
        self._sent: list[_Sent] = []
        self._open = 0
        self._held_back: list[Ask] = []
        self._done = set[str]()  # fields that were answered, with a value or with nothing
        self._values: dict[str, Found] = {}
        self._mended = set[str]()  # fields that were asked for again because the whole did not fit
        self._rungs = set[str]()  # of the single prompts, which are sent once
        self._final: Exception | None = None
        self._whole: BaseModel | None = None
        self._problem: Unmerged | None = None

    def begin(self) -> None:
        """Ask for all fields, or with ``prime`` for the first."""
        task, outline = self._task, self.outline
        unknown = [name for name in task.functions if name not in outline.fields]
        if unknown:
            raise SetupError(f"functions= names no field of {outline.model.__name__}: {', '.join(unknown)}")
        for name, function in task.functions.items():
            code = DeterministicTask(function, (task.context,), tag=self._tag([name]), timeout=task.timeout)
            self._send(code, Ask((name,), None, "", whole=False), "code")
        names = [name for name in outline.asked if name not in task.functions]
        if task.split == "fields" or (task.split == "auto" and outline.splits(self._ceiling, names)):
            asks = [outline.part(name) for name in names]
        else:
            asks = [outline.whole(names)] if names else []
        for ask in asks:
            Schema.of(ask.answer)  # so that a type without a schema is told before the first paid call
        first = 1 if task.prime else len(asks)
        self._held_back = asks[first:]
        for ask in asks[:first]:
            self._ask(ask, "single" if ask.whole else "part")
        if not self._open:  # all of it is left to code
            self._go_on()

    def take(self, result: TaskResult) -> None:
        """Keep what a call brought, and go on from there."""
        self.keep(result)
        self._open -= 1
        ask, origin = self._sent[result.index]
        error = result.error
        if origin != "code" and isinstance(error, _FINAL) and not getattr(error, "alone", False):
            self._final = error
        elif error is not None and self._final is None and self._is_asked_again(origin, result, error):
            left = [name for name in ask.fields if name not in self._done]
            if left:
                self._ask(self.outline.whole(left) if ask.whole else ask, "retry", error)
        if self._final is None and origin != "code":
            for waiting in self._held_back:
                self._ask(waiting, "part")
            self._held_back = []
        if not self._open:
            self._go_on()

    def keep(self, result: TaskResult) -> None:
        """Whatever comes next, this was paid for: its values stay, its cost counts."""
        ask, origin = self._sent[result.index]
        result.origin = "cache" if result.cached else origin
        self._tally.absorb(result)
        found = self._found(ask, origin, result)
        for name in ask.fields:
            if name in found:
                self._fill(name, found[name])
                self.parts[name] = replace(result, success=True, value=found[name].value, error=None)
            elif name not in self._done:
                self.parts[name] = result
        if result.success and ask.answer is self.outline.model and not self._task.functions:
            self._whole = result.value

    def missing(self) -> list[str]:
        """The fields that should have been filled, and were not."""
        due = {*self.outline.asked, *self._task.functions}
        return [name for name in self.outline.fields if name in due and name not in self._done]

    def value(self) -> object:
        """The value of it all; raises what stands in its way."""
        missing, is_partial = self.missing(), "partial" in self._task.fallback
        if missing and self._final is not None:
            raise self._final
        if self._whole is not None and (not missing or is_partial):
            for name in self._done:  # as the whole has it: defaults, and validators that look at several fields
                self.parts[name].value = getattr(self._whole, name)
            return self.outline.bare(self._whole)
        if missing:
            needed = [name for name in missing if not is_partial or self.outline.requires(name)] or missing
            errors = [part.error for name in needed if (part := self.parts.get(name)) is not None]
            cause = next(filter(None, errors), None)
            why = "" if cause is None else f": {cause}"
            raise MissingFields(f"no value for {', '.join(needed)}{why}", fields=tuple(needed)) from cause
        raise InvalidAnswer(str(self._problem)) from self._problem

    # -- one call

    def _ask(self, ask: Ask, origin: Origin, error: Exception | None = None) -> None:
        task = self._task
        words = messages(task.context, task.instructions, ask.question)
        if isinstance(error, AnswerError):
            words = again(words, Schema.of(ask.answer), error)
        call = LLMTask(
            words,
            config_overrides=task.config_overrides,
            retry=task.retry,
            tag=self._tag(ask.fields),
            timeout=task.timeout,
            response_model=ask.answer,
            reasks=0,  # that is the ladder's first rung
            schema_last=True,
        )
        self._send(call, ask, origin)

    def _send(self, task: Task, ask: Ask, origin: Origin) -> None:
        self._sent.append(_Sent(ask, origin))
        self._open += 1
        self._send_task(task)

    def _tag(self, names: Iterable[str]) -> str:
        """``"business.products"``: what the task is called in its run, if it is, and the fields."""
        return ".".join(filter(None, (self._tally.tag, "+".join(names))))

    def _found(self, ask: Ask, origin: Origin, result: TaskResult) -> dict[str, Found]:
        if origin == "code":
            return self._by_code(ask.fields[0], result)
        text = getattr(result.response, "content", None)
        if not isinstance(text, str):
            return {}
        if result.success:
            return self.outline.found(ask, result.value, text)
        return self.outline.salvaged(ask, text) if isinstance(result.error, InvalidAnswer) else {}

    def _by_code(self, name: str, result: TaskResult) -> dict[str, Found]:
        if result.success:
            try:
                return {name: self.outline.made(name, result.value)}
            except Unmerged as problem:
                result.success, result.value, result.error = False, None, InvalidAnswer(str(problem))
        return {}

    def _fill(self, name: str, found: Found) -> None:
        self._done.add(name)
        if found is NOTHING:
            self._values.pop(name, None)
        else:
            self._values[name] = found

    def _is_asked_again(self, origin: Origin, result: TaskResult, error: Exception) -> bool:
        """Whether the first rung is there, and can help."""
        if "retry" not in self._task.fallback or origin in ("retry", "code") or self._rungs:
            return False
        if isinstance(error, Rejected | PoolFailure):  # it can never succeed as it is
            return False
        tried_twice = result.attempts - result.rejected > 1
        in_vain = tried_twice and isinstance(error, TransientError | EmptyAnswer)  # by the retry policy
        return not in_vain

    # -- when nothing is under way

    def _go_on(self) -> None:
        """The next rung, or the end."""
        if self._final is None and self._whole is None:
            missing = [name for name in self.missing() if name not in self._task.functions]
            if missing and self._single_helps(missing):
                self._rungs.add("single")
                self._ask(self.outline.whole(missing), "single")
                return
            if not any(map(self.outline.requires, self.missing())) and self._mend():
                return
        self._send_task(None)

    def _single_helps(self, missing: list[str]) -> bool:
        if "single" not in self._task.fallback or "single" in self._rungs:
            return False
        if any(ask.whole and set(missing) <= set(ask.fields) for ask, _ in self._sent):  # it has been that already
            return False
        return not all(isinstance(self.parts[name].error, _TOO_LARGE) for name in missing)

    def _mend(self) -> bool:
        """Put the whole together; whether something has to be asked for again because it does not fit."""
        try:
            self._whole = self.outline.merged(self._values)
        except Unmerged as problem:
            self._problem = problem
            blamed = [name for name in problem.fields if name not in self._task.functions]
            return self._mend_fields(blamed, problem) if problem.fields else self._mend_all(problem)
        return False

    def _mend_fields(self, blamed: list[str], problem: Unmerged) -> bool:
        asks = [self.outline.part(name) for name in blamed]
        errors = [self._sent_back(ask, problem) for ask in asks]
        self._lose(problem.fields, str(problem))
        if "retry" in self._task.fallback and blamed and not self._mended & set(blamed):
            self._mended.update(blamed)
            for ask, error in zip(asks, errors, strict=True):
                self._ask(ask, "retry", error)
            return True
        if blamed and self._single_helps(blamed):
            self._rungs.add("single")
            self._ask(self.outline.whole(blamed), "single")
            return True
        return not any(map(self.outline.requires, problem.fields)) and self._mend()

    def _mend_all(self, problem: Unmerged) -> bool:
        """The whole is wrong as a whole: it is asked for once, with what was wrong and all that was said.

        What there is stays until something better comes.
        """
        names = [name for name in self.outline.asked if name not in self._task.functions]
        if not names or "whole" in self._rungs:
            return False
        was_single = self._sent[-1].ask.whole and set(names) <= set(self._sent[-1].ask.fields)
        if not {"single", "retry" if was_single else "single"} & set(self._task.fallback):
            return False
        self._rungs.add("whole")
        ask = self.outline.whole(names)
        self._ask(ask, "retry" if was_single else "single", self._sent_back(ask, problem))
        return True

    def _sent_back(self, ask: Ask, problem: Unmerged) -> InvalidAnswer:
        """The error that asks again for what does not fit, with what was said."""
        return InvalidAnswer(str(problem), response=LLMResponse(self.outline.words_for(ask, self._values)))

    def _lose(self, names: Iterable[str], problem: str) -> None:
        """These values are none: the whole does not fit with them."""
        for name in names:
            self._done.discard(name)
            self._values.pop(name, None)
            if name in self.parts:
                self.parts[name] = replace(self.parts[name], success=False, value=None, error=InvalidAnswer(problem))

    def __repr__(self) -> str:
        return f"Extraction({self.outline!r}, {len(self._done)} done, {self._open} under way)"
