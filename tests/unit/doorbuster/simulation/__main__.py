import sys

from tests.unit.doorbuster.simulation.defects import Defect, Violation
from tests.unit.doorbuster.simulation.run import run
from tests.unit.doorbuster.simulation.world import World


def main() -> int:
    """Print what happens under a seed, optionally with defects by their names."""
    world = World(int(sys.argv[1]), frozenset(Defect[name] for name in sys.argv[2:]))
    verdict = "every invariant holds"
    try:
        run(world)
    except Violation as exc:
        verdict = f"violation: {exc}"
    sys.stdout.write("\n".join((*world.trace, verdict, "")))
    return int(verdict.startswith("violation"))


if __name__ == "__main__":
    sys.exit(main())
