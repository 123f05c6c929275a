import httpx
import pytest

from doorbuster.infra.health import Members, State
from doorbuster.kernel.breaker import BreakerState
from tests.unit.doorbuster.api.fakes import World

HEALTH = "/api/v1/health"


async def test_all_well_is_ok(client: httpx.AsyncClient) -> None:
    response = await client.get(HEALTH)

    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "dependencies": {"mysql": "ok", "mysql_secondaries": "ok", "kafka": "ok", "redis": "ok"},
        "outbox": {"rows": 0, "oldest_age_seconds": 0.0, "accepts_orders": True},
        "catalogue": {"products": 5, "minimum": 1},
        "pool": {"size": 4, "in_use": 1},
        "pools": {"transactions": {"size": 4, "in_use": 1}, "reads": {"size": 2, "in_use": 0}},
        "mysql_members": {"primary": "mysql-0", "online": 3, "known": 3},
        "breakers": {"redis": "closed", "kafka": "closed", "partner": "half-open"},
        "faults": [],
    }


@pytest.mark.parametrize(
    ("changes", "status", "verdict"),
    [
        ({"kafka": State.GONE}, 200, "degraded"),
        ({"kafka": State.UNKNOWN}, 200, "degraded"),
        ({"redis": State.GONE}, 200, "degraded"),
        ({"accepts_orders": False}, 200, "degraded"),
        ({"products": 0}, 503, "failed"),
        ({"products": 5, "minimum_products": 6}, 503, "failed"),
        ({"products": 5, "minimum_products": 5}, 200, "ok"),
        ({"mysql": State.GONE, "products": None}, 503, "failed"),
    ],
)
async def test_only_what_stops_all_selling_is_a_503(
    client: httpx.AsyncClient, world: World, changes: dict[str, object], status: int, verdict: str
) -> None:
    world.with_health(**changes)

    response = await client.get(HEALTH)

    assert (response.status_code, response.json()["status"]) == (status, verdict)
    assert ("retry-after" in response.headers) == (status == 503)


@pytest.mark.parametrize(
    ("members", "state"),
    [
        (Members(primary="mysql-0", online=2, known=3), "gone"),
        (Members(primary="mysql-0", online=1, known=1), "ok"),
        (Members(primary=None, online=0, known=0), "ok"),
        (None, "unknown"),
    ],
)
async def test_a_secondary_that_is_gone_is_told_and_stops_nobody(
    client: httpx.AsyncClient, world: World, members: Members | None, state: str
) -> None:
    world.with_health(members=members)

    answer = (await client.get(HEALTH)).json()

    assert (answer["dependencies"]["mysql_secondaries"], answer["status"]) == (state, "ok")
    assert (answer["mysql_members"] is None) is (members is None)


@pytest.mark.parametrize("faults", [("consumer-stock/delay-per-record", "relay/poison"), (), None])
async def test_faults_that_are_on_are_named_and_none_is_no_guess(
    client: httpx.AsyncClient, world: World, faults: tuple[str, ...] | None
) -> None:
    world.with_health(faults=faults)

    answer = (await client.get(HEALTH)).json()

    assert answer["faults"] == (None if faults is None else list(faults))
    assert answer["status"] == "ok"


async def test_a_breaker_that_nobody_tells_of_is_null(client: httpx.AsyncClient, world: World) -> None:
    world.with_health(breakers={"redis": BreakerState.OPEN})

    assert (await client.get(HEALTH)).json()["breakers"] == {"redis": "open", "kafka": None, "partner": None}
