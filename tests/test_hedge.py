import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingather import Hedge
from ingather.hedge import Hedging


@pytest.mark.parametrize("after", ["p0", "p100", "95", "fast", "", 0, -1.0, float("inf")])
def test_after_is_a_percentile_or_a_time(after):
    with pytest.raises(ValueError, match="after"):
        Hedge(after)


@pytest.mark.parametrize("share", [0, -0.1, 1.1])
def test_extra_is_a_share(share):
    with pytest.raises(ValueError, match="max_extra"):
        Hedge(max_extra=share)


def test_a_percentile_is_not_believed_before_twenty_answers():
    hedging = Hedging(Hedge("p95", 1.0))
    for number in range(20):
        assert hedging.wait(100.0) is None
        assert not hedging.is_due(100.0)
        hedging.sent()
        hedging.answered(float(number))
    assert hedging.wait(0.0) is not None


def test_the_fewer_copies_are_left_the_longer_a_request_must_have_taken():
    hedging, thresholds = Hedging(Hedge(1.0, 0.1)), []
    for _ in range(50):
        hedging.sent()
    while (wait := hedging.wait(0.0)) is not None and hedging.is_due(wait + 1e-9):
        thresholds.append(wait)
        hedging.copied()
    assert len(thresholds) == 5
    assert thresholds == sorted(thresholds)
    assert thresholds[0] < 1.3
    assert thresholds[-1] == 2.0


@given(st.integers(0, 10**6), st.floats(0.01, 0.2))
def test_there_are_never_more_copies_than_their_share(seed, share):
    dice, hedging = random.Random(seed), Hedging(Hedge("p95", share))
    for number in range(1, 400):
        hedging.sent()
        hedging.answered(dice.lognormvariate(0, 1))
        if hedging.is_due(dice.lognormvariate(0, 2)):
            hedging.copied()
        assert hedging.copies <= share * number
