"""``python -m tests.bench``: measures, prints, and judges nothing by its exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tests.demo.needs import missing
from tests.demo.signals import Stopped, listen
from tests.demo.simulation import SimulationError

from . import measurements
from .measure import CommandError
from .measurements import Plan
from .report import facts, summary, write

MEASUREMENTS = {
    1: measurements.against_uri,
    2: measurements.against_bare,
    3: measurements.growth,
    4: measurements.against_ping,
    5: measurements.inventory,
    6: measurements.hosts,
    7: measurements.audit,
    8: measurements.rotation,
    9: measurements.into_openbao,
    10: measurements.collection,
}
QUICK = Plan(1, 1, issued=10, unchanged=100, sizes=(50, 100, 200), listed=50, hosts=5, forks=(2,), audited=50)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    add = parser.add_argument
    add("--rounds", type=int, default=5, help="how often each is measured; the median counts")
    add("--uri-rounds", type=int, default=1, help="how often the first issue with uri tasks is, which takes minutes")
    add("--first-issue", action="store_true", help="also issue all tokens of the largest instance once: many minutes")
    add("--quick", action="store_true", help="small sizes, one round: shows that it works, measures nothing")
    add("--only", type=int, nargs="+", choices=sorted(MEASUREMENTS), default=sorted(MEASUREMENTS))
    add("--write", action="store_true", help="put the table into docs/docsite/rst/guide_speed.rst")
    options = parser.parse_args(arguments)
    if options.write and (options.quick or len(options.only) < len(MEASUREMENTS)):
        parser.error("--write needs all measurements of one run")
    return options


def main() -> int:
    options = parse()
    lack = missing("bench", [])
    if lack:
        print(f"bench: {lack}", file=sys.stderr)
        return 2
    plan = Plan(rounds=options.rounds, uri_rounds=options.uri_rounds, first_issue=options.first_issue)
    listen()
    try:
        facts()
        if options.quick:
            print("quick      sizes so small that the goals mean nothing")
        for number in options.only:
            MEASUREMENTS[number](QUICK if options.quick else plan)
        print(f"\n{summary(measurements.GOALS)}")
        if options.write:
            write(measurements.GOALS)
    except (CommandError, SimulationError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except Stopped as stopped:
        print("\nbench: stopped; nothing is left running", file=sys.stderr)
        return 128 + stopped.number
    return 0


if __name__ == "__main__":
    sys.exit(main())
