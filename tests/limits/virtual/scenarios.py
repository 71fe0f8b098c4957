"""The servers that a controller is judged on: by name, and drawn at random."""

import math
import random
from typing import Any

from tests.limits.virtual.world import Scenario

_BLIND: Any = {"headers": False, "hint": "none", "named": False}
_COLD: Any = {
    "rpm": 1200,
    "burst": 1.0,
    "hint": "s",
    "latency": 0.2,
    "sigma": 0.05,
    "tokens_sigma": 0.01,
    "calls": 600,
}

NAMED = {
    scenario.name: scenario
    for scenario in (
        Scenario("hdr60"),
        Scenario("hdr1", burst=1.0),
        Scenario("hdr_tpm", rpm=6000, tpm=4.5e6),
        Scenario("blind10", burst=10.0, **_BLIND),
        Scenario("blind1", burst=1.0, headers=False, hint="s", named=False),
        Scenario("blind_tpm", rpm=6000, tpm=4.5e6, burst=10.0, **_BLIND),
        Scenario("low50", rpm=50, calls=2000, burst=1.2, hint="s", until=9000.0),
        Scenario(
            "low50_blind",
            rpm=50,
            calls=2000,
            burst=10.0,
            headers=False,
            hint="s",
            named=False,
            until=9000.0,
        ),
        Scenario("hdr_change", changes=((200, 0.5), (400, 1.5))),
        Scenario("blind_change", burst=10.0, changes=((200, 0.5), (400, 1.5)), **_BLIND),
        Scenario("hdr_4p", clients=4),
        Scenario("blind_4p", clients=4, burst=10.0, **_BLIND),
        Scenario("hidden", hidden_burst=1.0, hint="s", named=False),
        Scenario("conc", rpm=0, in_flight=64, calls=6000, **_BLIND),
        Scenario("knee", rpm=0, knee=64.0, calls=6000, headers=False, hint="none"),
        Scenario("hdr60_charged", charges_refused=True),
        Scenario("blind10_charged", burst=10.0, charges_refused=True, **_BLIND),
        Scenario("outage", outage=(120.0, 180.0), calls=20000),
        Scenario("cold", **_COLD),
        Scenario("cold_blind", headers=False, **_COLD),
        Scenario("cold_halved", changes=((15, 0.5),), **_COLD),
        Scenario("cold_blind_halved", headers=False, changes=((15, 0.5),), **_COLD),
        Scenario("cold_2p", clients=2, **_COLD),
        Scenario("cold_2p_halved", clients=2, changes=((15, 0.5),), **_COLD),
        Scenario("cold_2p_blind", clients=2, headers=False, **_COLD),
        Scenario("cold_2p_blind_halved", clients=2, headers=False, changes=((15, 0.5),), **_COLD),
    )
}


def draw(seed):
    """A server of any size and kind."""
    rng = random.Random(seed)
    rpm = math.exp(rng.uniform(math.log(40), math.log(12000)))
    # so that 1,000 calls in flight suffice
    latency = max(0.3, min(rng.uniform(0.6, 12.0), 450 / (rpm / 60)))
    scenario = Scenario(
        f"draw {seed}",
        rpm=rpm,
        latency=latency,
        sigma=rng.uniform(0.3, 1.0),
        burst=rng.choice([2, 5, 10, 30, 60]),
        headers=rng.random() < 0.5,
        hint=rng.choice(["none", "s", "ms"]),
        named=rng.random() < 0.5,
        charges_refused=rng.random() < 0.2,
        clients=rng.choice([1, 1, 2, 4]),
        tokens_sigma=rng.uniform(0.2, 1.0),
        estimate_sigma=rng.uniform(0.05, 0.4),
        estimate_bias=rng.uniform(0.8, 1.25),
        until=3000.0,
    )
    if rng.random() < 0.4:  # tokens bind
        scenario.tpm = rpm * scenario.tokens * rng.uniform(0.4, 0.8)
    rate = min(rpm / 60, scenario.tpm / 60 / scenario.tokens if scenario.tpm else math.inf)
    if rng.random() < 0.4:
        scenario.changes = ((150, rng.uniform(0.4, 0.8)), (300, rng.uniform(1.0, 1.6)))
    scenario.calls = int(min(15000, max(400, rate * 500)))
    return scenario
