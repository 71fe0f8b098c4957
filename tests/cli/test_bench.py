"""`ingather bench` measures, and shows it beside what the article tells."""

import re


def test_the_five_ways_and_our_own_figures(ingather):
    done = ingather("bench", "--quick", "--latency", "0.02")
    assert done.code == 0
    rows = re.findall(r"^(\D.*?) +(\d) +([\d.]+) s +([\d.]+) s", done.out, re.MULTILINE)
    assert [(int(flight), float(told)) for _, flight, _, told in rows] == [
        (1, 6.17),
        (7, 0.85),
        (7, 0.95),
        (2, 3.04),
        (2, 3.26),
    ]
    assert all(float(here) >= 0.02 for _, _, here, _ in rows)
    assert re.search(r"engine alone, 2,000 calls .*: [\d.]+ µs of CPU a call", done.out)
    assert re.search(r"over HTTP, 200 calls, 100 in flight, .*: [\d,]+ calls/s", done.out)
