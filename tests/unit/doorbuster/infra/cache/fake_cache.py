"""A shared cache in memory, by a clock that the test turns."""

from collections.abc import Callable, Collection, Mapping, Sequence

from doorbuster.infra.cache.bounds import FLOOR_SECONDS
from doorbuster.infra.cache.entries import Undecodable, pack, unpack
from doorbuster.infra.cache.shared_cache import Filling


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


class FakeCache:
    """Keeps the promises of SharedCache; `told` are the keys that processes hear of.

    Attributes:
        away: nobody answers.
        asked: how many questions came.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._bodies: dict[int, tuple[bytes, float]] = {}
        self._floors: dict[int, tuple[int, float]] = {}
        self.told: list[int] = []
        self.away = False
        self.asked = 0

    async def find(self, keys: Collection[int]) -> Mapping[int, bytes]:
        self._ask()
        return {key: raw for key in keys if (raw := self._body(key)) is not None}

    async def fill(self, fillings: Sequence[Filling]) -> Sequence[bool]:
        self._ask()
        return [self._fill(each) for each in fillings]

    async def raise_floor(self, key: int, version: int) -> None:
        self._ask()
        self._floors[key] = (max(version, self.floor(key)), self._clock() + FLOOR_SECONDS)
        if self._version(key) < version:
            self._bodies.pop(key, None)
        self.told.append(key)

    def floor(self, key: int) -> int:
        version, until = self._floors.get(key, (0, 0.0))
        return version if self._clock() < until else 0

    def write_raw(self, key: int, raw: bytes, *, seconds: float = 10.0) -> None:
        """Have bytes under a key as another program could have left them."""
        self._bodies[key] = (raw, self._clock() + seconds)

    def _fill(self, filling: Filling) -> bool:
        if filling.entry.version < max(self.floor(filling.key), self._version(filling.key)):
            return False
        self.write_raw(filling.key, pack(filling.entry), seconds=filling.seconds)
        return True

    def _body(self, key: int) -> bytes | None:
        raw, until = self._bodies.get(key, (b"", 0.0))
        return raw if self._clock() < until else None

    def _version(self, key: int) -> int:
        try:
            return unpack(self._body(key) or b"").version
        except Undecodable:
            return 0

    def _ask(self) -> None:
        self.asked += 1
        if self.away:
            raise ConnectionError("away")
