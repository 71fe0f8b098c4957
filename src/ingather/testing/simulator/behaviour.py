"""What becomes of a call: let in or not, in good order or not, after how long. Dialects and HTTP know nothing of it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

from ingather.errors import SetupError
from ingather.testing.simulator.buckets import Quota
from ingather.testing.simulator.chance import CERTAIN, delay, draws, fault
from ingather.testing.simulator.faults import Fault, Reply, Say, Script, Step, step
from ingather.testing.simulator.forms import Answer, Ask, Finish, Problem, Unanswerable
from ingather.testing.simulator.problems import refusal_at_the_door, spoilt
from ingather.testing.simulator.replies import compose, limited

if TYPE_CHECKING:
    from ingather.testing.simulator.ledger import Call, Ledger
    from ingather.testing.simulator.settings import Settings

_OUTPUT_GUESS = 16  # tokens charged for the answer to a request that does not limit it
_REMEMBERED = 1024  # answers to the latest different requests
_FINISH: dict[str, Finish] = {
    "length": "length",
    "content_filter": "filtered",
    "refusal": "refused",
}


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a call: a problem, a raw reply, or an answer, `delay` seconds from now (infinite: none ever).

    `how` it is spoilt on its way, ``""`` where it is not; `pause`: seconds between the pieces of a
    slow one. `ends`: how the answer itself ends early. `unsaid`: the answer is still to be
    composed, by `Behaviour.said`.
    """

    delay: float = 0.0
    problem: Problem | None = None
    reply: Reply | None = None
    answer: Answer | None = None
    how: str = ""
    pause: float = 0.0
    ends: str = ""
    unsaid: bool = False


class Behaviour:
    """The simulated provider's mind: limits, script, chance, and the answers that it has given lately."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.quota = Quota(settings.rpm, settings.tpm, settings.burst, settings.changes)
        self.script = Script(settings.script)
        self._own_scripts = dict[bytes, Script]()
        self._seen = dict[bytes, int]()
        self._answers = dict[bytes, Answer]()

    def check_key(self, key: str | None) -> None:
        """Raise Unanswerable for a key that is not let in."""
        wanted = self.settings.api_key
        if wanted is not None and not hmac.compare_digest((key or "").encode(), wanted.encode()):
            message = (
                "Incorrect API key provided: ***." if key else "You didn't provide an API key."
            )
            raise Unanswerable(Problem("auth", message))

    def decide(self, ask: Ask, call: Call, ledger: Ledger, now: float) -> Fate:
        """What becomes of a call that arrived at `now`. Raises Unanswerable for what it cannot do."""
        settings, planned = self.settings, self._planned(ask, call.fingerprint)
        if isinstance(planned, Fault) and (problem := refusal_at_the_door(planned, ask, settings)):
            call.fault = str(planned)
            return Fate(problem=problem)
        if (problem := self._refused(ask, call, ledger, now)) is not None:
            return Fate(problem=problem)
        drawn = draws(settings.seed, call.fingerprint, call.seen) if settings.by_chance else CERTAIN
        if planned is None and (befallen := fault(drawn, settings.error_rate, settings.kinds)):
            planned = step(befallen)
        call.fault = "" if planned is None or str(planned) == "ok" else str(planned)
        wait = delay(drawn, settings.latency, settings.sigma, settings.tail)
        return self._fate(planned, ask, wait)

    def _planned(self, ask: Ask, fingerprint: bytes) -> Step | None:
        if ask.steps:
            own = self._own_scripts.get(fingerprint)
            if own is None:
                try:
                    own = self._own_scripts[fingerprint] = Script(ask.steps)
                except SetupError as error:
                    raise Unanswerable(
                        Problem("bad_request", f"what to simulate: {error}")
                    ) from None
            return own.next("")
        return self.script.next(ask.prompt, ask.schema) if self.script else None

    def _refused(self, ask: Ask, call: Call, ledger: Ledger, now: float) -> Problem | None:
        most = self.settings.max_concurrency
        if most is not None and ledger.in_flight > most:
            return Problem(
                "concurrency",
                f"Too many concurrent requests for {ask.model}: Limit {most}.",
                model=ask.model,
            )
        tokens = ask.prompt_tokens + ask.choices * (ask.max_output or _OUTPUT_GUESS)
        short = self.quota.admit(now, tokens)
        if short is not None:
            return Problem("rate", short=short, model=ask.model)
        ledger.admit(call, now, tokens)
        call.seen = self._seen.get(call.fingerprint, 0)
        self._seen[call.fingerprint] = call.seen + 1
        return None

    def _fate(self, planned: Step | None, ask: Ask, wait: float) -> Fate:
        if isinstance(planned, Reply):
            return Fate(wait if planned.delay is None else planned.delay, reply=planned)
        if isinstance(planned, Say):
            said = limited(ask, planned.content, _FINISH.get(planned.finish_reason))
            return Fate(wait if planned.delay is None else planned.delay, answer=said)
        fault = planned or Fault("ok")
        if fault.kind.isdecimal():
            message = "The server had an error while processing your request."
            return Fate(wait, Problem("status", message, int(fault.kind), model=ask.model))
        if fault.kind in {"ok", *_FINISH}:
            return Fate(wait, ends=fault.kind, unsaid=True)
        if fault.kind == "hang":
            return Fate(inf if fault.seconds is None else wait + fault.seconds, unsaid=True)
        pause = self.settings.trickle if fault.seconds is None else fault.seconds
        return Fate(wait, how=fault.kind, pause=pause, unsaid=True)

    def said(self, fate: Fate, ask: Ask, fingerprint: bytes) -> Fate:
        """The fate with its answer, which may take a while to compose, and may be so in any thread.

        Raises Unanswerable for a schema that nothing can satisfy.
        """
        if not fate.unsaid:
            return fate
        answer = self._answer(ask, fingerprint)
        return replace(fate, answer=spoilt(fate.ends, answer) or answer, unsaid=False)

    def _answer(self, ask: Ask, fingerprint: bytes) -> Answer:
        answer = self._answers.get(fingerprint)
        if answer is None:
            answer = compose(ask, self.settings.model)
            if len(self._answers) >= _REMEMBERED:
                self._answers.clear()
            self._answers[fingerprint] = answer
        return answer

    def __repr__(self) -> str:
        return f"Behaviour({self.quota!r}, {self.script!r}, {len(self._seen)} different requests)"
