"""Every fault of the local cloud, one by one and in random pairs, in a healthy stack of two tenants; and good days.

`python -m tests.diagnose [--speed N] [--workers N] [--pairs N] [--seed N] [--record FILE] [NAME …]` (names: of faults
and good days; without names: all, and the pairs). With a record, trials that have ended at this commit and speed are
shown and not repeated. Prints a line a trial; exits with 1 when a root cause was not the first finding,
a hopeless fault was not named within two lives of a task, more than one pair in ten was not seen through, or a good
day was reported as a fault. Each worker has a cloud of its own.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from rich.console import Console

from tests.diagnose.causes import CAUSES, HARMLESS
from tests.diagnose.example_stack import SPEED
from tests.diagnose.record import Record, commit
from tests.diagnose.trials import CALM, Result, named, pairs, unknown
from tests.diagnose.workers import try_one, try_pair, worker_pool

PAIRS = 60
ENOUGH = 0.9
"""The part of the pairs of which both causes must be among the findings."""
SPARE = 20
"""More pairs are drawn than asked for: of some the second can't be brought about after the first."""


def say(text: str) -> None:
    """A line, at once."""
    Console(highlight=False, markup=False, soft_wrap=True).print(text)


def show(one: Result) -> None:
    lives = "" if one.lifetimes is None else f"{one.lifetimes:.1f}"
    say(
        f"{one.name:<60} {one.seconds:>7.0f} {lives:>5} {one.calls:>5} {one.first:<32} "
        f"{'yes' if one.right else f'NO: {one.why}'}"
    )
    for typed in one.tried:
        say(f"    tried: {typed}")


def kept(record: Record, results: Iterable[Result]) -> list[Result]:
    """Each shown and recorded as it comes."""
    every = []
    for one in results:
        show(one)
        record.keep(one)
        every.append(one)
    return every


def ran(pool: ProcessPoolExecutor, names: Sequence[str], record: Record) -> list[Result]:
    known = record.ended()
    before = [known[name] for name in names if name in known]
    for one in before:
        show(one)
    tried = [pool.submit(try_one, name) for name in names if name not in known]
    return before + kept(record, (done.result() for done in as_completed(tried)))


def paired(pool: ProcessPoolExecutor, number: int, seed: int, record: Record) -> list[Result]:
    """As many pairs as asked for, of those that can be combined."""
    known, drawn = record.ended(), list(pairs(number + SPARE, seed))
    results = [known[named(faults)] for faults in drawn if named(faults) in known and can_be(known[named(faults)])]
    for one in results:
        show(one)
    tried = [pool.submit(try_pair, faults) for faults in drawn if named(faults) not in known]
    for done in as_completed(tried):
        if len(results) >= number:
            pool.shutdown(wait=False, cancel_futures=True)
            break
        if can_be(done.result()):
            results += kept(record, [done.result()])
        else:
            record.keep(done.result())
    return results


def can_be(result: Result) -> bool:
    """Whether both of a pair could be brought about."""
    return not result.why.startswith("refused")


def main() -> int:
    parser = argparse.ArgumentParser(prog="diagnose", description=__doc__)
    parser.add_argument("--speed", type=float, default=SPEED, help="how many times shorter delays are than on AWS")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", type=Path, help="a file of the trials that have ended; they are not repeated")
    parser.add_argument("names", nargs="*", help="only these faults and good days, and no pairs")
    asked = parser.parse_args()
    every = sorted({*CALM, *CAUSES, *HARMLESS})
    strange = unknown() | (set(asked.names) - set(every))
    if strange:
        say(f"unknown, or in the catalogue and not in the table: {', '.join(sorted(strange))}")
        return 2
    say(f"{'fault':<60} {'s':>7} {'lives':>5} {'calls':>5} {'first finding':<32} right?")
    with worker_pool(asked.workers, asked.speed) as pool:
        record = Record(asked.record, commit(), asked.speed)
        singles = ran(pool, asked.names or every, record)
        both = paired(pool, asked.pairs, asked.seed, record) if asked.pairs and not asked.names else []
    return verdict(singles, both)


def verdict(singles: Sequence[Result], both: Sequence[Result]) -> int:
    wrong = [one.name for one in singles if not one.right]
    seen = sum(one.right for one in both)
    say(f"fixes that are commands: {sum(bool(one.tried) for one in singles)} tried")
    say(f"{len(singles) - len(wrong)} of {len(singles)} right{': not ' + ', '.join(wrong) if wrong else ''}")
    if both:
        say(f"pairs: both causes found in {seen} of {len(both)}, promised {ENOUGH:.0%}")
    return int(bool(wrong) or seen < ENOUGH * len(both))


if __name__ == "__main__":
    sys.exit(main())
