"""A platform that stands for the cluster."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from loadtests.rig.supplies import Supplies, TopUp


@dataclass
class FakePlatform:
    """Notes what is done to it.

    Attributes:
        fails: which method raises what.
        pending: what `unfinished` answers or raises, one after the other; then nothing is.
        on: what happens while a method works.
    """

    fails: dict[str, BaseException] = field(default_factory=dict)
    pending: list[int | Exception] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    values: Mapping[str, str] = field(default_factory=dict)
    topped_up: int = 0
    on: dict[str, Callable[[], object]] = field(default_factory=dict)

    def check(self) -> None:
        self._do("check")

    def restless(self) -> Sequence[str]:
        self._do("restless")
        return []

    def at_work(self) -> Sequence[str]:
        self._do("at_work")
        return []

    def top_up(self, wanted: TopUp) -> Supplies:
        hot_units = wanted.hot_units
        self._do(f"top_up {hot_units}")
        self.topped_up += 1
        hot = 401 if hot_units else None
        return Supplies(
            first_user=1000 * self.topped_up + 1,
            users=10,
            first_product=3,
            products=5,
            hot_product=hot,
            hot_units=hot_units,
        )

    def change(self, values: Mapping[str, str]) -> None:
        self.values = values
        self._do("change")

    def restore(self) -> None:
        self._do("restore")

    def unfinished(self, supplies: Supplies) -> tuple[int, int]:
        assert supplies.users == 10
        self._do("unfinished")
        found = self.pending.pop(0) if self.pending else 0
        if isinstance(found, Exception):
            raise found
        return found, 0

    def oversold(self) -> int:
        self._do("oversold")
        return 0

    def negative_points(self) -> int:
        self._do("negative_points")
        return 0

    def misbooked(self) -> int:
        self._do("misbooked")
        return 0

    def _do(self, what: str) -> None:
        self.done.append(what)
        self.on.get(what, lambda: None)()
        if (problem := self.fails.get(what)) is not None:
            raise problem
