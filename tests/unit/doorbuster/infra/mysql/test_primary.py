import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from doorbuster.infra.mysql.group_views import Member, View
from doorbuster.infra.mysql.primary import SECONDS_BETWEEN_SEARCHES, Primary
from doorbuster.kernel.errors import PrimaryUnavailable
from doorbuster.settings import MySqlSettings

HOSTS = ("mysql-0", "mysql-1", "mysql-2")
# Whoever answers at once must not miss it on a machine whose cores are all busy.
CONNECT_SECONDS = 2.0


class Group:
    """Members that answer what they are told to."""

    def __init__(self) -> None:
        self.primary: str | None = "mysql-0"
        self.silent: set[str] = set()
        self.asked: list[str] = []
        self.now = 100.0

    async def ask(self, host: str) -> View | None:
        self.asked.append(host)
        await asyncio.sleep(0)
        if host in self.silent:
            await asyncio.sleep(60)
        members = [
            Member(
                host=name,
                state="ONLINE",
                role="PRIMARY" if name == self.primary else "SECONDARY",
                own=name == host,
            )
            for name in HOSTS
        ]
        return View(asked=host, members=members)


@pytest.fixture
def group() -> Group:
    return Group()


@pytest.fixture
async def primary(group: Group) -> AsyncIterator[Primary]:
    settings = MySqlSettings(hosts=HOSTS, connect_seconds=CONNECT_SECONDS)
    primary = Primary(settings, ask=group.ask, monotonic=_clock(group))
    yield primary
    await primary.close()


def _clock(group: Group) -> Callable[[], float]:
    return lambda: group.now


async def test_nobody_is_asked_before_somebody_needs_the_primary(primary: Primary, group: Group) -> None:
    assert primary.known is None
    assert group.asked == []


async def test_a_hundred_who_wait_ask_once(primary: Primary, group: Group) -> None:
    hosts = await asyncio.gather(*(primary.host() for _ in range(100)))

    assert set(hosts) == {"mysql-0"}
    assert sorted(group.asked) == sorted(HOSTS)


async def test_what_is_known_is_not_asked_again(primary: Primary, group: Group) -> None:
    await primary.host()
    group.asked.clear()

    assert await primary.host() == "mysql-0"
    assert group.asked == []


async def test_a_forgotten_primary_is_searched_again(primary: Primary, group: Group) -> None:
    await primary.host()
    group.primary = "mysql-1"
    group.now += SECONDS_BETWEEN_SEARCHES

    primary.forget(primary.generation)

    assert primary.known is None
    assert await primary.host() == "mysql-1"


async def test_news_from_an_old_connection_do_not_count(primary: Primary) -> None:
    await primary.host()
    old = primary.generation
    primary.forget(old)
    await primary.host()

    primary.forget(old)

    assert primary.known == "mysql-0"


async def test_nobody_found_is_unavailable_and_the_next_may_search(primary: Primary, group: Group) -> None:
    group.primary = None
    with pytest.raises(PrimaryUnavailable):
        await primary.host()

    group.primary = "mysql-2"
    group.now += SECONDS_BETWEEN_SEARCHES

    assert await primary.host() == "mysql-2"


async def test_a_silent_member_delays_nobody_when_the_others_agree(primary: Primary, group: Group) -> None:
    group.silent = {"mysql-2"}

    async with asyncio.timeout(CONNECT_SECONDS / 2):
        assert await primary.host() == "mysql-0"


async def test_silence_ends_with_the_time_to_connect(primary: Primary, group: Group) -> None:
    group.silent = set(HOSTS)

    async with asyncio.timeout(10 * CONNECT_SECONDS):
        with pytest.raises(PrimaryUnavailable):
            await primary.host()


async def test_searches_keep_their_distance(primary: Primary, group: Group) -> None:
    loop = asyncio.get_running_loop()
    group.primary = None
    with pytest.raises(PrimaryUnavailable):
        await primary.host()
    started = loop.time()

    with pytest.raises(PrimaryUnavailable):
        await primary.host()

    assert loop.time() - started >= SECONDS_BETWEEN_SEARCHES * 0.9


async def test_one_who_gives_up_does_not_end_the_search_of_the_others(primary: Primary) -> None:
    impatient = asyncio.create_task(primary.host())
    patient = asyncio.create_task(primary.host())
    await asyncio.sleep(0)
    impatient.cancel()

    assert await patient == "mysql-0"
