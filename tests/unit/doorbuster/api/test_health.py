import httpx
import pytest

from doorbuster.infra.health import State
from tests.unit.doorbuster.api.fakes import World

HEALTH = "/api/v1/health"


async def test_all_well_is_ok(client: httpx.AsyncClient) -> None:
    response = await client.get(HEALTH)

    assert response.status_code == 200
    assert response.json() == {
        "status": "ok",
        "dependencies": {"mysql": "ok", "kafka": "ok", "redis": "ok"},
        "outbox": {"rows": 0, "oldest_age_seconds": 0.0, "accepts_orders": True},
        "catalogue": {"products": 5},
        "pool": {"size": 4, "in_use": 1},
    }


@pytest.mark.parametrize(
    ("changes", "status", "verdict"),
    [
        ({"kafka": State.GONE}, 200, "degraded"),
        ({"kafka": State.UNKNOWN}, 200, "degraded"),
        ({"redis": State.GONE}, 200, "degraded"),
        ({"accepts_orders": False}, 200, "degraded"),
        ({"products": 0}, 503, "failed"),
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
