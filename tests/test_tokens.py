import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import Usage
from ingather.limits.sent import INPUT, OUTPUT, amounts
from ingather.limits.tokens import TokenEstimator, Tokens

counts = st.integers(1, 10**6)


def test_before_anything_is_learnt_the_cap_on_the_answer_is_the_guess():
    assert TokenEstimator().cost(Tokens(100, 50)) == amounts(100, 50)
    assert TokenEstimator().cost(Tokens(100, 100_000)) == amounts(100, 100_000)


def test_before_anything_is_learnt_an_answer_without_a_cap_has_a_guess():
    cost = TokenEstimator().cost(Tokens(100))
    assert cost[INPUT] == 100
    assert 0 < cost[OUTPUT] < 10_000


def test_the_first_answer_tells_how_long_answers_are():
    estimator = TokenEstimator()
    estimator.learn(Tokens(100), Usage(100, 40))
    assert estimator.cost(Tokens(100))[OUTPUT] == 40
    assert estimator.cost(Tokens(100, 1000))[OUTPUT] == 40


def test_the_guess_is_never_above_the_requests_own_cap():
    estimator = TokenEstimator()
    estimator.learn(Tokens(100), Usage(100, 4000))
    assert estimator.cost(Tokens(100, 10))[OUTPUT] == 10


@given(st.floats(0.2, 5), st.integers(0, 5000), counts)
def test_it_comes_to_know_the_ratio_and_the_length(ratio, output, size):
    estimator = TokenEstimator()
    for _ in range(200):
        estimator.learn(Tokens(1000), Usage(round(1000 * ratio), output))
    cost = estimator.cost(Tokens(size))
    assert cost[INPUT] == pytest.approx(size * ratio, rel=0.01)
    assert cost[OUTPUT] == pytest.approx(output, abs=0.01)


@given(st.lists(st.tuples(counts, counts, counts), min_size=1))
def test_it_stays_between_the_least_and_the_most_that_it_has_seen(answers):
    estimator = TokenEstimator()
    for estimate, counted, output in answers:
        estimator.learn(Tokens(estimate), Usage(counted, output))
    ratios = [1.0, *(counted / estimate for estimate, counted, _ in answers)]
    outputs = [output for _, _, output in answers]
    cost = estimator.cost(Tokens(1))
    assert min(ratios) * 0.999 <= cost[INPUT] <= max(ratios) * 1.001
    assert min(outputs) * 0.999 <= cost[OUTPUT] <= max(outputs) * 1.001


@pytest.mark.parametrize(
    ("estimate", "usage"), [(Tokens(0), Usage(10, 1)), (Tokens(10), Usage(0, 1))]
)
def test_nothing_counted_teaches_nothing_about_the_ratio(estimate, usage):
    estimator = TokenEstimator()
    estimator.learn(estimate, usage)
    assert estimator.cost(Tokens(10))[INPUT] == 10


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))),
    counts,
    st.none() | counts,
)
def test_a_cost_is_always_a_number(answers, size, cap):
    estimator = TokenEstimator()
    for estimate, counted, output in answers:
        estimator.learn(Tokens(estimate), Usage(counted, output))
    cost = estimator.cost(Tokens(size, cap))
    assert all(math.isfinite(part) and part >= 0 for part in cost)
