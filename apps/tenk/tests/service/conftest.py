"""A service for each test, or one for all that only look."""

import pytest

from apps.tenk.tests.service.running import start
from ingather import connect


@pytest.fixture
def serving(tmp_path):
    """Starts services; ends them after the test."""
    running = []

    def begin(models=None, caps=None, state=None, **more):
        models = models or {"offline/extractive": connect("offline/extractive")}
        running.append(start(state or tmp_path / "tenk.db", models, caps, **more))
        return running[-1]

    yield begin
    for service in running:
        service.stop()


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """One that answers at once, without a model."""
    running = start(
        tmp_path_factory.mktemp("service") / "tenk.db",
        {"offline/extractive": connect("offline/extractive")},
    )
    yield running
    running.stop()


@pytest.fixture(scope="module")
def done(service):
    """An analysis of the sample that has ended."""
    return service.ended(service.begin(sample="quellmark-2025"))
