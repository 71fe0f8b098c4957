"""A table of servers drawn at random: ``python -m tests.limits.virtual [FIRST SEED] [HOW MANY]``."""

import sys
from multiprocessing import Pool

from tests.limits.virtual.scenarios import draw
from tests.limits.virtual.world import simulate


def drawn(seed):
    return draw(seed), simulate(draw(seed), seed)


def main():
    first, count = (*map(int, sys.argv[1:]), *(5000, 80)[len(sys.argv) - 1 :])
    with Pool(2) as pool:
        rows = pool.map(drawn, range(first, first + count), chunksize=1)
    for scenario, found in rows:
        if not found.both:
            limit = f"{scenario.rpm:,.0f} requests" + (
                f", {scenario.tpm:,.0f} tokens" if scenario.tpm else ""
            )
            how = "headers" if scenario.headers else "no headers"
            print(
                f"{scenario.name}: {found.used:.3f} used, {found.late_refused:.2%} late 429s; "
                f"{limit} a minute, {how}, "
                f"{scenario.burst:.0f} s of bucket, {scenario.clients} processes, "
                f"{len(scenario.changes)} changes"
            )
    print(f"both gates: {sum(found.both for _, found in rows)} of {len(rows)}")
    for what, is_so in (
        ("one process, over 600 a minute", lambda s: s.clients == 1 and s.rpm > 600),
        ("headers, over 600 a minute", lambda s: s.headers and s.rpm > 600),
        ("no headers, over 600 a minute", lambda s: not s.headers and s.rpm > 600),
        ("headers, up to 600 a minute", lambda s: s.headers and s.rpm <= 600),
        ("no headers, up to 600 a minute", lambda s: not s.headers and s.rpm <= 600),
    ):
        group = [found.both for scenario, found in rows if is_so(scenario)]
        print(f"  {what}: {sum(group)} of {len(group)}")


if __name__ == "__main__":
    main()
