"""`python -m tests.simulation SEED` tells what happened over one seed; `python -m tests.simulation A-B` tries many."""

import logging
import sys

from tests.simulation.household import Household
from tests.simulation.promises import broken


def main() -> int:
    """Run what the command line says; 1 if a promise was broken."""
    logging.disable(logging.CRITICAL if "-" in sys.argv[1] else logging.NOTSET)
    first, _, last = sys.argv[1].partition("-")
    bad = 0
    for seed in range(int(first), int(last or first) + 1):
        house = Household(seed)
        house.run()
        problems = broken(house)
        house.store.close()
        bad += bool(problems)
        if problems or not last:
            sys.stdout.write("\n".join([f"seed {seed}", *house.story, *problems, ""]))
        if last and sys.stdout.isatty():
            sys.stdout.write(f"\r{seed}/{last}")
    sys.stdout.write(f"{bad} bad\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
