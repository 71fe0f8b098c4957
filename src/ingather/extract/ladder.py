"""The ladder of an extraction: what has been asked, what is there, and what to do next. No I/O, no clock.

When a part fails, the ladder is climbed: that part again, with its error; then one single prompt
for only what is missing; then whatever there is. What succeeded is kept, whatever happens to the
rest, and never asked for again. In the end the parts are validated together, as the whole model,
and fields that are to blame there are asked for again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ingather.errors import InvalidAnswer, MissingFields, SetupError, TooLong, Truncated
from ingather.extract.asks import Asking
from ingather.extract.outline import NOTHING, Ask, Found, Outline, Unmerged
from ingather.extract.packing import admits, asks_for, packed
from ingather.extract.worth_asking import FINAL, may_succeed, refuses_cap
from ingather.response import LLMResponse
from ingather.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic import BaseModel

    from ingather.extract.asks import Origin
    from ingather.extract.worth_asking import Conditions
    from ingather.extract_task import ExtractTask
    from ingather.result import TaskResult
    from ingather.task import Task


class Extraction:
    """What is there, and what to do next. `parts`: each field's call that filled it, or the last that failed to.

    `send` takes each task, and None when no more will come. `tally`: where the parts' costs are
    counted.
    """

    def __init__(
        self,
        task: ExtractTask,
        conditions: Conditions,
        tag: str,
        absorb: Callable[[TaskResult], None],
        send: Callable[[Task | None], None],
    ) -> None:
        self.outline = Outline.of(task.response_model)
        self.parts: dict[str, TaskResult] = {}
        self._task = task
        self._conditions = conditions
        self._absorb = absorb
        self._send_task = send
        self._asking = Asking(task, conditions, tag, send)
        self._held_back: list[Ask] = []
        self._is_too_long = False  # the text, whatever is asked about it
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
            raise SetupError(
                f"functions= names no field of {outline.model.__name__}: {', '.join(unknown)}"
            )
        for name, function in task.functions.items():
            self._asking.run(name, function)
        names = [name for name in outline.asked if name not in task.functions]
        asks = asks_for(outline, names, task.split, self._conditions.ceiling)
        for ask in asks:
            # so that a type without a schema is told before the first paid call
            Schema.of(ask.answer)
        first = (
            1
            if task.prime or len(task.context) >= self._conditions.discovered.too_long
            else len(asks)
        )
        self._held_back = asks[first:]
        for ask in asks[:first]:
            self._asking.ask(ask, "single" if len(asks) == 1 and ask.whole else "part")
        if not self._asking.open:  # all of it is left to code
            self._go_on()

    def take(self, result: TaskResult) -> None:
        """Keep what a call brought, and go on from there."""
        self.keep(result)
        self._asking.open -= 1
        ask, origin, cap = self._asking.of(result)
        error = result.error
        if origin != "code" and isinstance(error, FINAL) and not getattr(error, "alone", False):
            self._final = error
        elif error is not None and self._final is None:
            if cap is not None and refuses_cap(error):
                self._conditions.discovered.refuses_caps = True
                self._asking.ask(ask, origin)
            else:
                for each in self._again(ask, origin, cap, result):
                    self._asking.ask(each, "retry", error)
        if self._final is None and origin != "code":
            self._go_on_with_the_rest(error)
        if not self._asking.open:
            self._go_on()

    def _go_on_with_the_rest(self, error: Exception | None) -> None:
        """Send what was held back; or, where the text is too long for the model, nothing more about it."""
        if isinstance(error, TooLong) and not refuses_cap(error) and not self._done:
            self._is_too_long = True
            discovered = self._conditions.discovered
            discovered.too_long = min(discovered.too_long, len(self._task.context))
        elif not isinstance(error, TooLong):
            self._is_too_long = False
            for waiting in self._held_back:
                self._asking.ask(waiting, "part")
            self._held_back = []

    def keep(self, result: TaskResult) -> None:
        """Whatever comes next, this was paid for: its values stay, its cost counts."""
        ask, origin, _ = self._asking.of(result)
        result.origin = "cache" if result.cached else origin
        self._absorb(result)
        found = self._found(ask, origin, result)
        for name in ask.fields:
            if name in found:
                self._fill(name, found[name])
                self.parts[name] = replace(
                    result, success=True, value=found[name].value, error=None
                )
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
            # as the whole has it: defaults, and validators that look at several fields
            for name in self._done:
                self.parts[name].value = getattr(self._whole, name)
            return self.outline.bare(self._whole)
        if missing:
            needed = [
                name for name in missing if not is_partial or self.outline.requires(name)
            ] or missing
            errors = [part.error for name in needed if (part := self.parts.get(name)) is not None]
            cause = next(filter(None, errors), None)
            why = "" if cause is None else f": {cause}"
            raise MissingFields(
                f"no value for {', '.join(needed)}{why}", fields=tuple(needed)
            ) from cause
        raise InvalidAnswer(str(self._problem)) from self._problem

    def _found(self, ask: Ask, origin: Origin, result: TaskResult) -> dict[str, Found]:
        if origin == "code":
            return self._by_code(ask.fields[0], result)
        if ask.nested:  # its parts were checked, and it was put together of them
            return {ask.fields[0]: Found(result.value, by_code=True)} if result.success else {}
        text = getattr(result.response, "content", None)
        if not isinstance(text, str):
            return {}
        if result.success:
            return self.outline.found(ask, result.value, text)
        is_cut = ask.whole and isinstance(result.error, Truncated)
        if is_cut or isinstance(result.error, InvalidAnswer):
            return self.outline.salvaged(ask, text, is_cut=is_cut)
        return {}

    def _by_code(self, name: str, result: TaskResult) -> dict[str, Found]:
        if result.success:
            try:
                return {name: self.outline.made(name, result.value)}
            except Unmerged as problem:
                result.success, result.value, result.error = (
                    False,
                    None,
                    InvalidAnswer(str(problem)),
                )
        return {}

    def _fill(self, name: str, found: Found) -> None:
        self._done.add(name)
        if found is NOTHING:
            self._values.pop(name, None)
        else:
            self._values[name] = found

    def _again(self, ask: Ask, origin: Origin, cap: int | None, result: TaskResult) -> list[Ask]:
        """What the first rung asks, where it is there and can help."""
        error, left = result.error, [name for name in ask.fields if name not in self._done]
        if (
            "retry" not in self._task.fallback
            or origin in ("retry", "code")
            or self._rungs
            or ask.nested
        ):
            return []
        if not left or not may_succeed(result):
            return []
        if isinstance(error, Truncated) and cap is None and len(left) > 1:
            return [
                each
                for each in map(self.outline.part, left)
                if admits(each, self._conditions.ceiling)
            ]
        has_more_room = cap is not None and isinstance(error, Truncated)
        if self._conditions.repeats(error) and not has_more_room and len(left) == len(ask.fields):
            return []
        return [self.outline.whole(left) if ask.whole else ask]

    # -- when nothing is under way

    def _go_on(self) -> None:
        """The next rung, or the end."""
        if self._final is None and self._whole is None:
            if self._ask_once_more(self.missing()):
                return
            if not any(map(self.outline.requires, self.missing())) and self._mend():
                return
        self._send_task(None)

    def _ask_once_more(self, missing: Iterable[str]) -> bool:
        """Send the single prompt for those of the missing fields that it may help, if there are any."""
        if "single" not in self._task.fallback or "single" in self._rungs or self._is_too_long:
            return False
        names = tuple(name for name in missing if self._may_be_had(name))
        if not names or any(
            sent.ask.whole and set(names) <= set(sent.ask.fields) for sent in self._asking.sent
        ):
            return False  # it has been that already
        self._rungs.add("single")
        for ask in packed(self.outline, names, self._conditions.ceiling):
            self._asking.ask(ask, "single", self._truncated(ask))
        return True

    def _may_be_had(self, name: str) -> bool:
        if name in self._task.functions or not admits(
            self.outline.part(name), self._conditions.ceiling
        ):
            return False
        error = self.parts[name].error if name in self.parts else None
        return self._may_be_longer(error) or not self._conditions.is_hopeless(error)

    def _may_be_longer(self, error: Exception | None) -> bool:
        """Whether it was cut at a limit of ours, which no rung has raised yet."""
        is_ours = self._conditions.caps
        return isinstance(error, Truncated) and is_ours and "retry" not in self._task.fallback

    def _truncated(self, ask: Ask) -> Exception | None:
        errors = (self.parts[name].error for name in ask.fields if name in self.parts)
        return next((error for error in errors if isinstance(error, Truncated)), None)

    def _mend(self) -> bool:
        """Put the whole together; whether something has to be asked for again because it does not fit."""
        if not self._done and self.missing():  # all of it is lost: its defaults are no answer
            return False
        try:
            self._whole = self.outline.merged(self._values)
        except Unmerged as problem:
            self._problem = problem
            blamed = [name for name in problem.fields if name not in self._task.functions]
            return self._mend_fields(blamed, problem) if problem.fields else self._mend_all(problem)
        return False

    def _mend_fields(self, blamed: list[str], problem: Unmerged) -> bool:
        parts = map(self.outline.part, blamed)
        asks = [ask for ask in parts if admits(ask, self._conditions.ceiling)]
        errors = [self._sent_back(ask, problem) for ask in asks]
        self._lose(problem.fields, str(problem))
        if "retry" in self._task.fallback and asks and not self._mended & set(blamed):
            self._mended.update(blamed)
            for ask, error in zip(asks, errors, strict=True):
                self._asking.ask(ask, "retry", error)
            return True
        if self._ask_once_more(blamed):
            return True
        return not any(map(self.outline.requires, problem.fields)) and self._mend()

    def _mend_all(self, problem: Unmerged) -> bool:
        """The whole is wrong as a whole: it is asked for once, with what was wrong and all that was said.

        What there is stays until something better comes.
        """
        names = [name for name in self.outline.asked if name not in self._task.functions]
        if not names or "whole" in self._rungs:
            return False
        was_single = self._asking.sent[-1].ask.whole and set(names) <= set(
            self._asking.sent[-1].ask.fields
        )
        if not {"single", "retry" if was_single else "single"} & set(self._task.fallback):
            return False
        ask = self.outline.whole(names)
        if not was_single and not admits(ask, self._conditions.ceiling):
            return False
        self._rungs.add("whole")
        self._asking.ask(ask, "retry" if was_single else "single", self._sent_back(ask, problem))
        return True

    def _sent_back(self, ask: Ask, problem: Unmerged) -> InvalidAnswer:
        """The error that asks again for what does not fit, with what was said."""
        return InvalidAnswer(
            str(problem), response=LLMResponse(self.outline.words_for(ask, self._values))
        )

    def _lose(self, names: Iterable[str], problem: str) -> None:
        """These values are none: the whole does not fit with them."""
        for name in names:
            self._done.discard(name)
            self._values.pop(name, None)
            if name in self.parts:
                self.parts[name] = replace(
                    self.parts[name], success=False, value=None, error=InvalidAnswer(problem)
                )

    def __repr__(self) -> str:
        return (
            f"Extraction({self.outline!r}, {len(self._done)} done, {self._asking.open} under way)"
        )
