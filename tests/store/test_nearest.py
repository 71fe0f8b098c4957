"""Why a request is a hit or a miss."""

import sqlite3

import pytest

from ingather import Store
from ingather.store.nearest import Nearest
from tests.store.asking import answer, kept, key


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "run.db") as store:
        yield store


def why(store, wanted):
    return Nearest(store).explain(wanted)


def test_a_hit(store):
    kept(store, (key(), answer()))
    found = why(store, key())
    assert found.is_hit
    assert found.response == answer()


def test_an_empty_store(store):
    assert why(store, key()).why == "the store is empty"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"temperature": 1}, ["temperature: 1 here, 0 there"]),
        ({"temperature": 0, "seed": 3}, ["seed: 3 here, not set there"]),
        ({"temperature": 0, "model": "openai/n"}, ['model: "n" here, "m" there']),
        ({"temperature": 0, "sample": 2}, ["sample: 2 here, not set there"]),
        ({"temperature": 0, "prompt": "Ho"}, ["messages[0]: another text"]),
        ({}, ["temperature: not set here, 0 there"]),
        (
            {"temperature": 0, "base_url": "http://localhost:9/v1"},
            [
                'url: "http://localhost:9/v1/chat/completions" here, "http://127.0.0.1:9/v1/chat/completions" there'
            ],
        ),
    ],
    ids=str,
)
def test_a_miss_names_what_differs(store, asked, said):
    kept(store, (key(temperature=0), answer()))
    found = why(store, key(**asked))
    assert not found.is_hit
    assert list(found.differences) == said


def test_the_nearest_is_the_one_with_the_same_prompt_though_many_share_the_rest(store):
    kept(store, *((key(f"Say {number}", temperature=0), answer()) for number in range(1000)))
    assert list(why(store, key("Say 7", temperature=1)).differences) == [
        "temperature: 1 here, 0 there"
    ]


def test_a_row_that_was_changed_is_said_to_be(store, tmp_path):
    kept(store, (key(), answer()))
    with sqlite3.connect(tmp_path / "run.db") as connection:
        connection.execute("UPDATE answers SET digest = zeroblob(16)")
    connection.close()
    assert why(store, key()).why == "what is stored for it is unreadable, or was changed since"
