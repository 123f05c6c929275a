"""Writers, readers in two processes, one shared cache and a database in any interleaving, by a random number's choice.

Every step of a server is two: when it takes effect, and when its answer arrives. What happens in between is anybody's.
A process' own code is the real one.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from doorbuster.infra.cache.byte_cache import ByteCache
from doorbuster.infra.cache.coalesced_cache import CoalescedCache
from doorbuster.infra.cache.entries import Entry
from doorbuster.infra.cache.guard import Guard
from doorbuster.infra.cache.read_through import ReadThrough
from doorbuster.infra.cache.shared_cache import Filling, SharedCache
from doorbuster.infra.circuits import Circuits, Dependency
from doorbuster.kernel.errors import Overloaded
from tests.unit.doorbuster.infra.cache.fake_cache import Clock, FakeCache

KEYS = (1, 2)
PROCESSES = 2
# Enough for whatever a step sets off in the event loop; each turn is a callback's depth.
TURNS = 14
# Tests turn the clock; real time must not end anything.
PATIENCE_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A reader saw too old a value."""

    at: float
    key: int
    seen: int
    acknowledged: int


@dataclass(slots=True)
class Gates:
    """Where everything waits that takes time, until the simulation lets one go on."""

    waiting: list[asyncio.Future[None]] = field(default_factory=list)

    async def passed(self) -> None:
        gate = asyncio.get_running_loop().create_future()
        self.waiting.append(gate)
        await gate

    def open_one(self, chance: Random) -> None:
        if self.waiting:
            gate = self.waiting.pop(chance.randrange(len(self.waiting)))
            if not gate.done():
                gate.set_result(None)


class Database:
    """A primary, and a secondary that is behind by no more than `lag_seconds`."""

    def __init__(self, clock: Clock, gates: Gates, *, lag_seconds: float) -> None:
        self._clock, self._gates, self._lag_seconds = clock, gates, lag_seconds
        self.primary = dict.fromkeys(KEYS, 1)
        self._commits: list[tuple[float, int, int]] = []
        self._applied = 0

    def commit(self, key: int) -> int:
        self.primary[key] += 1
        self._commits.append((self._clock(), key, self.primary[key]))
        return self.primary[key]

    def apply_one(self) -> None:
        self._applied = min(self._applied + 1, len(self._commits))

    async def usual(self, key: int) -> Entry | None:
        await self._gates.passed()
        version = self._secondary(key)
        await self._gates.passed()
        return copy(version)

    async def newest(self, key: int) -> Entry | None:
        await self._gates.passed()
        version = self.primary[key]
        await self._gates.passed()
        return copy(version)

    def _secondary(self, key: int) -> int:
        due = self._clock() - self._lag_seconds
        applied = [
            version
            for number, (at, of, version) in enumerate(self._commits)
            if of == key and (number < self._applied or at <= due)
        ]
        return max(applied, default=1)


class SlowCache:
    """A shared cache whose effects and answers wait at the gates."""

    def __init__(self, cache: SharedCache, gates: Gates) -> None:
        self._cache, self._gates = cache, gates

    async def find(self, keys: Collection[int]) -> Mapping[int, bytes]:
        await self._gates.passed()
        found = await self._cache.find(keys)
        await self._gates.passed()
        return found

    async def fill(self, fillings: Sequence[Filling]) -> Sequence[bool]:
        await self._gates.passed()
        taken = await self._cache.fill(fillings)
        await self._gates.passed()
        return taken

    async def raise_floor(self, key: int, version: int) -> None:
        await self._gates.passed()
        await self._cache.raise_floor(key, version)
        await self._gates.passed()


def copy(version: int) -> Entry:
    return Entry(version=version, body=b"%d" % version)


def is_body_of(_key: int, _body: bytes) -> bool:
    return True


class Simulation:
    """One course of events.

    Attributes:
        breaches: what readers saw that was too old.
        reads: how many readers have seen something.
    """

    def __init__(
        self,
        chance: Random,
        *,
        allowed_seconds: float,
        lag_seconds: float,
        redis_goes_away: bool = False,
        cache_of: Callable[[Clock], FakeCache] = FakeCache,
    ) -> None:
        """Begin with one version of everything, and empty caches.

        Args:
            chance: chooses each step.
            allowed_seconds: so long after an acknowledgement an older value may be seen.
            lag_seconds: so far the secondary may be behind.
            redis_goes_away: the shared cache comes and goes, and a write that doesn't find it is acknowledged at once.
            cache_of: makes the shared cache.
        """
        self._chance, self._allowed_seconds, self._goes_away = chance, allowed_seconds, redis_goes_away
        self._clock, self._gates = Clock(), Gates()
        self._database = Database(self._clock, self._gates, lag_seconds=lag_seconds)
        self._fake = cache_of(self._clock)
        self._slow = SlowCache(self._fake, self._gates)
        self._processes = [self._process() for _ in range(PROCESSES)]
        self._heard = [0] * PROCESSES
        self._acknowledged: list[tuple[float, int, int]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.breaches: list[Breach] = []
        self.reads = 0

    def _process(self) -> ReadThrough:
        guard = Guard(Circuits(Dependency.REDIS, clock=self._clock), "simulation", answer_seconds=PATIENCE_SECONDS)
        return ReadThrough(
            self._database,
            process=ByteCache(self._clock),
            shared=CoalescedCache(self._slow, guard, kind="simulation", is_body_of=is_body_of),
            clock=self._clock,
            chance=self._chance.random,
        )

    async def run(self, steps: int) -> "Simulation":
        """Do so many steps, then let everything come to its end."""
        actions = [self._read] * 4 + [self._go_on] * 12 + [self._pass_time] * 3 + [self._write, self._apply]
        actions += [self._tell, self._tell, self._lose]
        actions += [self._come_or_go] if self._goes_away else []
        for _ in range(steps):
            self._chance.choice(actions)()
            await self._settle()
        while self._tasks:
            self._gates.open_one(self._chance)
            await self._settle()
        for process in self._processes:
            await process.drain()
        return self

    async def _settle(self) -> None:
        for _ in range(TURNS):
            await asyncio.sleep(0)

    def _start(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _read(self) -> None:
        process, key = self._chance.choice(self._processes), self._chance.choice(KEYS)
        self._start(asyncio.create_task(self._look(process, key)))

    async def _look(self, process: ReadThrough, key: int) -> None:
        try:
            entry = await process.find(key)
        except Overloaded:
            return
        assert entry is not None
        self.reads += 1
        since = self._clock() - self._allowed_seconds
        due = max((version for at, of, version in self._acknowledged if of == key and at <= since), default=1)
        if entry.version < due:
            self.breaches.append(Breach(at=self._clock(), key=key, seen=entry.version, acknowledged=due))

    def _write(self) -> None:
        key = self._chance.choice(KEYS)
        self._start(asyncio.create_task(self._change(key, self._database.commit(key))))

    async def _change(self, key: int, version: int) -> None:
        try:
            await self._slow.raise_floor(key, version)
        except ConnectionError:
            # As if the writer had died here, and somebody had believed it.
            assert self._goes_away
        self._acknowledged.append((self._clock(), key, version))

    def _go_on(self) -> None:
        self._gates.open_one(self._chance)

    def _pass_time(self) -> None:
        self._clock.pass_by(self._chance.choice([0.05, 0.3, 0.7] + ([4.0, 9.0] if self._goes_away else [])))

    def _apply(self) -> None:
        self._database.apply_one()

    def _tell(self) -> None:
        number = self._chance.randrange(PROCESSES)
        if self._heard[number] < len(self._fake.told):
            self._processes[number].changed(self._fake.told[self._heard[number]])
            self._heard[number] += 1

    def _lose(self) -> None:
        """Have a subscription break: nobody notices, or the process drops everything."""
        number = self._chance.randrange(PROCESSES)
        self._heard[number] = len(self._fake.told)
        if self._chance.random() < 0.5:
            self._processes[number].missed()

    def _come_or_go(self) -> None:
        self._fake.away = not self._fake.away
