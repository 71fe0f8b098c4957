"""A model that reads its prompt: it is asked for fields, and answers each from a script of its own.

A script says, for each time that a field is asked for, what comes: a JSON value, an exception, or
`Raw` text. The last one stands for all further times. An answer for several fields is made of what
each has to say; an exception or a raw text of any of them befalls the whole answer.
"""

import asyncio
import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import takewhile

from ingather import ExtractTask, LLMResponse, ParallelLLMExecutor, Usage, run_sync

PART_USAGE = Usage(100, 10, 64)


@dataclass(frozen=True)
class Raw:
    """An answer that is this text."""

    text: str


@dataclass
class Asked:
    """One call: for which fields, in which form, in which conversation."""

    fields: tuple[str, ...]
    messages: list
    form: dict
    began: float = 0.0
    ended: float | None = None
    answer: str | None = None
    keys: dict = field(default_factory=dict)

    @property
    def properties(self):
        return self.form.get("properties", {})

    @property
    def is_whole(self):
        """Whether an object with the fields was asked for, and not the value of one of them."""
        return {self.keys.get(name, name) for name in self.fields} == set(self.properties)

    @property
    def wrapper(self):
        """The key under which the value of a single field travels, None for an object's own form."""
        is_wrapped = not self.is_whole and list(self.properties) in (["items"], ["value"])
        return next(iter(self.properties)) if is_wrapped else None

    @property
    def is_again(self):
        """Whether an answer was sent back."""
        return len(self.messages) > 1


@dataclass
class Reader:
    """Bare as a provider can be: it has only `complete`."""

    scripts: dict
    latency: float = 0.0
    keys: dict = field(default_factory=dict)
    cost: float | None = 0.001
    calls: list = field(default_factory=list)
    in_flight: int = 0
    peak: int = 0
    by_field: Counter = field(default_factory=Counter)
    schema_mode: str | None = "native"
    schema_ceiling: object = None

    async def complete(self, messages, config_overrides=None):
        fields = questioned(messages)
        form = schema_of(config_overrides)
        loop = asyncio.get_running_loop()
        call = Asked(fields, list(messages), form, loop.time(), keys=self.keys)
        self.calls.append(call)
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            said = {name: self._say(name) for name in fields}
            await asyncio.sleep(self.latency)
            for each in said.values():
                if isinstance(each, BaseException):
                    raise each
            response = self._answer(call, said)
            call.answer = response.content
            return response
        finally:
            self.in_flight -= 1
            call.ended = loop.time()

    def asked_for(self, name):
        """How many calls asked for this field."""
        return sum(name in call.fields for call in self.calls)

    def whole_text(self, said):
        """One answer that says all of it."""
        return json.dumps({self.keys.get(name, name): value for name, value in said.items()})

    def _say(self, name):
        script = self.scripts.get(name)
        steps = script if isinstance(script, Script) else Script([script])
        step = steps.at(self.by_field[name])
        self.by_field[name] += 1
        return step

    def _answer(self, call, said):
        raw = next((each for each in said.values() if isinstance(each, Raw)), None)
        if raw is not None:
            text = raw.text
        elif not call.is_whole:
            (value,) = said.values()
            bare = call.wrapper is None or (
                isinstance(value, dict) and list(value) == [call.wrapper]
            )
            text = json.dumps(value if bare else {call.wrapper: value})
        else:
            text = self.whole_text(said)
        return LLMResponse(text, usage=PART_USAGE, cost_usd=self.cost)


class Script:
    """What a field says, time after time."""

    def __init__(self, steps):
        self.steps = list(steps)

    def at(self, time):
        return self.steps[min(time, len(self.steps) - 1)]


def says(*steps):
    return Script(steps)


def questioned(messages):
    """The fields that a prompt asks for."""
    text = next(message.content for message in messages if message.role == "user")
    question = text.rpartition("Extract from the document:\n")[2]
    return tuple(re.findall(r"^- (\w+)", question, re.MULTILINE))


def schema_of(config_overrides):
    form = (config_overrides or {}).get("response_format")
    return {} if form is None else form["json_schema"]["schema"]


def extracted(provider, model, *, context="We build boats in Oslo.", executor=None, **options):
    """The result of one extraction, without a retry policy unless the executor has one."""
    executor = executor or ParallelLLMExecutor(provider, max_concurrency=10)
    return run_sync(executor.execute({"it": ExtractTask(context, model, **options)}))["it"]


def shared_beginning(texts):
    """What all of them begin with, letter by letter."""
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*texts, strict=False))
    return "".join(letters[0] for letters in alike)


def by_origin(result):
    """The fields that were filled, by how they came."""
    found = defaultdict(set)
    for name, part in result.parts.items():
        if part.success:
            found[part.origin].add(name)
    return dict(found)
