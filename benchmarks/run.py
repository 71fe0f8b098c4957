"""All figures of this project, measured on this machine: `make bench`, or

    python benchmarks/run.py [--quick]

Prints each figure beside what it has to reach, and ends with status 1 where one does not.
"""

from __future__ import annotations

import argparse
import sys

import durable
import engine
import gathers
import imports
import memory
import wire


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer calls and runs: a look, not a figure to quote"
    )
    quick = parser.parse_args().quick
    missed = 0
    for part in (engine, gathers, wire, durable, memory, imports):
        for figure in part.figures(quick=quick):
            print(figure, flush=True)
            missed += not figure.reached
    print("all reached" if not missed else f"{missed} not reached")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
