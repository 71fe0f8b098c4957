"""Ids as hashes."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from ingather.jobs.seen import SeenIds


@given(st.lists(st.text(max_size=3)))
def test_it_answers_as_a_dict_would(keys):
    seen = SeenIds()
    known: dict[str, int] = {}
    for line, key in enumerate(keys, 1):
        assert seen.add(key, line) == known.get(key)
        known.setdefault(key, line)
    assert len(seen) == len(known)


def test_an_id_costs_at_most_50_bytes_while_the_table_grows():
    tracemalloc.start()
    seen = SeenIds()
    for number in range(100_000):
        seen.add(f"row-{number}", number)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000 * 50
    assert repr(seen) == "SeenIds(100000 ids in 262144 places)"
