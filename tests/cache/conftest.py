"""A dialect without a wire, whose every request is in a ledger, and executors that have a store."""

import pytest

from ingather import ParallelLLMExecutor, Store
from tests.run.stand_ins import Wire


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "run.db") as store:
        yield store


@pytest.fixture
def executor_of(store):
    """An executor with that store, and its provider."""

    def make(answer=None, *, max_concurrency=5, **options):
        events: list = []
        names = ("latency", "limits", "retry", "estimate", "farewell", "host")
        wire = Wire(answer, **{name: options.pop(name) for name in names if name in options})
        options.setdefault("store", store)
        executor = ParallelLLMExecutor(wire, max_concurrency, on_event=events.append, **options)
        vars(executor).update(wire=wire, events=events)
        return executor

    return make
