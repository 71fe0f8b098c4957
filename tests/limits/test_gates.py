"""What the controller must reach, on servers of every kind, in virtual time. The figures are of the whole system: its
errors in counting tokens, the latencies and the network are in them.
"""

import functools
import math
from dataclasses import replace
from multiprocessing import Pool

import pytest

from ingather import Limits
from ingather.limits.controller import Controller
from tests.limits.virtual.scenarios import NAMED, draw
from tests.limits.virtual.world import NETWORK, Fixed, Scenario, simulate

SEEDS = [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(3, marks=pytest.mark.slow)]
EACH_SEED = pytest.mark.parametrize("seed", SEEDS)


@functools.cache
def figures(name, seed):
    found = simulate(NAMED[name], seed)
    assert found.left == 0
    return found


@EACH_SEED
@pytest.mark.parametrize(
    "name", ["hdr60", "hdr1", "hdr_tpm", "hdr_change", "hdr_4p", "hdr60_charged"]
)
def test_with_headers_the_limit_is_used_and_hardly_a_call_refused(name, seed):
    assert figures(name, seed).used >= 0.97
    assert figures(name, seed).refused < 0.001


@EACH_SEED
@pytest.mark.parametrize(
    "name", ["blind10", "blind1", "blind_tpm", "blind_4p", "hidden", "blind10_charged"]
)
def test_without_headers_the_limit_is_found_and_used(name, seed):
    assert figures(name, seed).used >= 0.97
    assert figures(name, seed).refused < 0.01


@EACH_SEED
@pytest.mark.parametrize("name", ["low50", "low50_blind"])
def test_at_fifty_requests_a_minute_less_than_2_percent_are_refused(name, seed):
    assert figures(name, seed).used >= 0.97
    assert figures(name, seed).refused < 0.02


@pytest.mark.slow
def test_without_headers_a_limit_that_changes_is_found_again():
    found = [figures("blind_change", seed) for seed in (1, 2, 3)]
    assert sum(one.used for one in found) / 3 >= 0.95
    assert max(one.refused for one in found) < 0.01


@EACH_SEED
def test_four_processes_share_what_headers_tell_in_equal_parts(seed):
    assert figures("hdr_4p", seed).fairness >= 0.98


@EACH_SEED
def test_four_processes_share_what_nobody_tells_in_nearly_equal_parts(seed):
    assert figures("blind_4p", seed).fairness >= 0.9


@EACH_SEED
@pytest.mark.parametrize(("name", "right", "least"), [("conc", 64, 0.97), ("knee", 80, 0.93)])
def test_the_right_number_of_calls_in_flight_is_found(name, right, least, seed):
    best = simulate(NAMED[name], seed, lambda random: Fixed(right))
    assert figures(name, seed).throughput >= least * best.throughput
    assert figures(name, seed).refused < 0.01


@EACH_SEED
def test_an_outage_of_a_minute_meets_few_calls_and_nothing_is_lost(seed):
    assert figures("outage", seed).into_outage <= 15
    assert figures("outage", seed).used >= 0.97


def drawn(seed):
    return simulate(draw(seed), seed)


@pytest.mark.slow
@pytest.mark.parametrize("first", [5000, 9000])
def test_more_than_half_of_80_servers_drawn_at_random_are_used_and_not_overrun(first):
    with Pool(2) as pool:
        found = dict(
            zip(
                range(first, first + 80),
                pool.map(drawn, range(first, first + 80), chunksize=1),
                strict=True,
            )
        )
    assert sum(one.both for one in found.values()) >= 40
    assert sum(one.left for one in found.values()) == 0
    fast = [
        one.both for seed, one in found.items() if draw(seed).clients == 1 and draw(seed).rpm > 600
    ]
    assert sum(fast) >= 0.85 * len(fast)


@pytest.mark.parametrize("seed", [5046, 6034, 6075])
def test_processes_that_know_nothing_of_each_other_do_not_lock_themselves_out(seed):
    """Four without headers, at about one call a second in all."""
    found = drawn(seed)
    assert found.left == 0
    assert found.used >= 0.6


@EACH_SEED
@pytest.mark.parametrize(
    ("name", "ideal", "most", "refused"),
    [
        ("cold", 29, 1.1, 0.01),
        ("cold_blind", 29, 1.1, 0.1),
        ("cold_halved", 44, 1.15, 0.01),
        ("cold_blind_halved", 44, 1.15, 0.1),
        ("cold_2p", 29, 1.15, 0.03),
    ],
)
def test_a_cold_start_takes_hardly_longer_than_the_limit_makes_it(name, ideal, most, refused, seed):
    assert figures(name, seed).took <= most * ideal
    assert figures(name, seed).refused <= refused


APART = [0.001, 0.1, 0.2, 0.3]  # seconds between the starts of two processes


def shared(name, ideal):
    found = [
        simulate(replace(NAMED[name], apart=apart), seed) for apart in APART for seed in (1, 2, 3)
    ]
    assert sum(one.left for one in found) == 0
    return sum(one.took for one in found) / len(found) / ideal, sum(
        one.refused for one in found
    ) / len(found)


@pytest.mark.parametrize(
    ("name", "ideal", "most", "refused"),
    [
        ("cold_2p", 29, 1.1, 0.01),
        ("cold_2p_halved", 44, 1.1, 0.01),
        ("cold_2p_blind", 29, 1.3, 0.1),
        ("cold_2p_blind_halved", 44, 1.35, 0.1),
    ],
)
def test_two_processes_from_a_cold_start_come_to_shares_that_are_nearly_equal(
    name, ideal, most, refused
):
    """On average. The one that is last has half of the quota to itself at the end, and grows into it."""
    took, share = shared(name, ideal)
    assert took <= most
    assert share <= refused


@pytest.mark.parametrize("name", ["blind10", "blind_tpm", "low50_blind"])
def test_a_run_that_begins_with_what_another_learnt_is_refused_less(name):
    kept = []

    def watch(now, clients):
        if now == 300.0:
            kept.append(clients[0].controller.learnt())

    first = simulate(NAMED[name], 1, watch=watch)
    again = replace(NAMED[name], calls=NAMED[name].calls // 5)
    cold, warm = simulate(again, 4), simulate(again, 4, lambda random: resumed(kept[0], random))
    assert first.left == cold.left == warm.left == 0
    assert warm.refused < cold.refused


def resumed(learnt, random):
    controller = Controller(Limits(), random)
    controller.resume(learnt, 0.0)
    return controller


@EACH_SEED
@pytest.mark.parametrize(
    ("slots", "latency"), [(2, 0.5), (4, 1.0), (17, 0.4), (40, 3.0), (100, 2.0)]
)
@pytest.mark.parametrize("sigma", [0.0, 0.4])
def test_a_server_that_answers_so_many_at_once_gets_hardly_more(slots, latency, sigma, seed):
    scenario = Scenario(
        "slots", rpm=0, headers=False, hint="none", slots=slots, latency=latency, sigma=sigma, tokens_sigma=0.3,
        calls=int(240 * slots / latency),
    )  # fmt: skip
    seen = []
    found = simulate(
        scenario,
        seed,
        watch=lambda now, clients: seen.append((len(clients[0].queue), clients[0].in_flight)),
    )
    right = slots * (1 + 2 * NETWORK / latency)  # with those that are on their way
    best = simulate(scenario, seed, lambda random: Fixed(math.ceil(right)))
    busy = [in_flight for waiting, in_flight in seen if waiting]
    # it begins with 8, which of few slots tell little
    assert max(busy[len(busy) // 2 :]) <= max(2 * right, 12)
    assert max(busy) <= max(8 * right, 40)
    assert found.throughput >= 0.97 * best.throughput
    assert found.left == 0
