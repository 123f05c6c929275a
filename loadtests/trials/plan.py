"""What a run is: which scenario, how much of it, and its files. Pure."""

from dataclasses import dataclass
from pathlib import Path

from loadtests.trials.catalogue import Name

ITERATIONS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run.

    Attributes:
        name: which scenario.
        folder: receives everything that the run writes.
        base_url: where the platform answers.
        seed: the same seed chooses the same.
        iterations: how often each user of `s5` looks and orders.
    """

    name: Name
    folder: Path
    base_url: str
    seed: int = 1
    iterations: int = ITERATIONS

    @property
    def command(self) -> str:
        """What a person types for this run."""
        shorter = f" ITERATIONS={self.iterations}" if self.name is Name.S5 and self.iterations != ITERATIONS else ""
        return f"make scenario NAME={self.name}{shorter}"

    @property
    def summary(self) -> Path:
        """Figures and verdict."""
        return self.folder / "summary.json"

    @property
    def picture(self) -> Path:
        """What was measured, drawn."""
        return self.folder / "plot.png"

    @property
    def locust_log(self) -> Path:
        """What locust printed."""
        return self.folder / "locust.log"

    def witness(self, part: str = "") -> Path:
        """Return the file that tells of every order of a part of the run."""
        return self.folder / f"witness{_suffix(part)}.jsonl"

    def locust_csv(self, part: str = "") -> Path:
        """Return what the names of locust's own files of a part begin with."""
        return self.folder / f"locust{_suffix(part)}"

    def samples(self) -> tuple[str, ...]:
        """Return the names of the files that hold every single request."""
        found = sorted(self.folder.glob("witness*.jsonl"))
        return tuple(path.name for path in found if path.stat().st_size)

    def of_a_run(self) -> list[Path]:
        """Return all files of the last run: a new one begins without them."""
        fixed = [self.summary, self.picture, self.locust_log]
        parts = [*self.folder.glob("witness*"), *self.folder.glob("locust*.csv")]
        return [path for path in {*fixed, *parts} if path.exists()]


def _suffix(part: str) -> str:
    return f"-{part}" if part else ""
