import pytest

from ingather.errors import SetupError
from ingather.testing import Simulator
from ingather.testing.simulator.settings import Change, Tail


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": "gpt"}, {"port": -1}, {"port": 70000}, {"latency": -1}, {"latency": float("nan")}, {"sigma": -0.1},
        {"rpm": 0}, {"tpm": -5}, {"burst": 5}, {"burst": 0.5, "rpm": 60}, {"max_concurrency": 0}, {"trickle": -1},
        {"error_rate": 1.5}, {"faults": "frog"}, {"faults": "200"}, {"faults": "", "error_rate": 0.1},
        {"slow_tail": "x"}, {"slow_tail": "2:20"}, {"slow_tail": "0.1:0"}, {"ledger_size": -1},
        {"change": "5"}, {"change": "-1:2"}, {"change": ["1:0"]},
        {"script": ["frog"]}, {"script": {"a": "500"}}, {"script": ["500:3"]},
        {"script": ["slow:x"]}, {"script": ["302"]},
    ],
)  # fmt: skip
def test_a_setting_that_makes_no_sense_is_named(wrong):
    with pytest.raises(SetupError, match=next(iter(wrong)) if "script" not in wrong else "."):
        Simulator(**wrong)


def test_texts_become_numbers():
    sim = Simulator(slow_tail="0.02:20", change=["60:0.5", "30:2"], faults="drop,502")
    assert (sim.tail, sim.changes, sim.kinds) == (
        Tail(0.02, 20),
        (Change(30, 2), Change(60, 0.5)),
        ("drop", "502"),
    )
    assert Simulator(change="60:0.5").changes == (Change(60, 0.5),)


def test_its_repr_says_what_was_set_and_no_key():
    shown = repr(Simulator(rpm=60, api_key="hunter2"))
    assert shown == "Simulator(closed, rpm=60, no calls)"
