"""What becomes of a call, in virtual time."""

import hashlib
import math

import pytest

from ingather.testing import Simulator
from ingather.testing.simulator.behaviour import Behaviour
from ingather.testing.simulator.forms import Ask, Unanswerable
from ingather.testing.simulator.ledger import Ledger


class Provider:
    """A simulator's mind without its HTTP."""

    def __init__(self, **settings):
        self.behaviour = Behaviour(Simulator(**settings))
        self.ledger = Ledger(now=0.0)

    def decide(self, text="hello", now=0.0, **more):
        ask = Ask(model="m", turns=(("user", text),), prompt_tokens=10, **more)
        call = self.ledger.open(now, hashlib.sha256(text.encode()).digest())
        try:
            return call, self.behaviour.said(
                self.behaviour.decide(ask, call, self.ledger, now), ask, call.fingerprint
            )
        finally:
            self.ledger.close(call, now)


def test_a_rejected_call_does_not_use_up_a_coming():
    provider = Provider(rpm=60, burst=1)
    seen = []
    for now in (0.0, 0.1, 0.2, 1.0, 1.1, 2.0):
        call, fate = provider.decide(now=now)
        seen.append(call.seen if fate.problem is None else None)
    assert seen == [0, None, None, 1, None, 2]


def test_a_retry_has_a_chance_of_its_own():
    provider = Provider(error_rate=0.5, faults="500", seed=1)
    faults = [provider.decide()[0].fault for _ in range(40)]
    assert {*faults} == {"", "500"}


def test_a_scripted_call_is_spared_by_chance():
    provider = Provider(error_rate=1.0, faults="500", script=["ok", "503"])
    assert [provider.decide()[0].fault for _ in range(3)] == ["", "503", "500"]


def test_a_refusal_at_the_door_takes_nothing_from_the_limits():
    provider = Provider(rpm=60, burst=1, script=["429", "quota", "400"])
    kinds = [
        fate.problem and fate.problem.kind for _, fate in (provider.decide() for _ in range(4))
    ]
    assert kinds == ["rate", "no_credit", "status", None]


def test_tokens_are_charged_for_the_prompt_and_the_most_that_may_come():
    provider = Provider(tpm=1000)
    charged = [
        provider.decide(**more)[0].charged
        for more in ({}, {"max_output": 90}, {"max_output": 90, "choices": 3})
    ]
    assert charged == [26, 100, 280]


def test_latency_by_its_law_and_a_hang_without_end():
    provider = Provider(latency=0.5, script=["ok", "hang", "hang:2"])
    assert [fate.delay for _, fate in (provider.decide() for _ in range(3))] == [0.5, math.inf, 2.5]
    spread = Provider(latency=0.5, sigma=0.4, slow_tail="0.5:10")
    delays = [spread.decide(str(number))[1].delay for number in range(200)]
    assert len({*delays}) == 200
    assert min(delays) < 0.5
    assert max(delays) > 5


def test_a_schema_that_nothing_satisfies_is_a_problem_of_the_request():
    with pytest.raises(Unanswerable, match="enum without values"):
        Provider().decide(schema={"enum": []}, as_json=True)


def test_answers_are_remembered_but_not_for_ever():
    provider = Provider(model="extractive")
    for number in range(1500):
        provider.decide(f"We sell boat {number}.")
    assert len(provider.behaviour._answers) <= 1024
    assert provider.decide("We sell boat 7.")[1].answer.text == "We sell boat 7."
