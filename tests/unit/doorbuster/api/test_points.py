from datetime import timedelta
from uuid import UUID

import httpx

from doorbuster.points.model import Entry, EntryKind
from tests.unit.doorbuster.api.fakes import NOW, World, headers

CHARGES = "/api/v1/points/charges"
ENTRIES = "/api/v1/points/entries"


async def test_a_charge_answers_with_its_id_and_the_balance(client: httpx.AsyncClient) -> None:
    response = await client.post(CHARGES, json={"amount": 50}, headers=headers())

    assert response.status_code == 201
    assert response.json() == {"id": "00000000-0000-0000-0000-000000000001", "balance": 550}
    assert (await client.get("/api/v1/points", headers=headers())).json() == {"balance": 550}


async def test_a_repeated_charge_charges_once(client: httpx.AsyncClient) -> None:
    first = await client.post(CHARGES, json={"amount": 50}, headers=headers())
    again = await client.post(CHARGES, json={"amount": 50}, headers=headers())

    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert (await client.get("/api/v1/points", headers=headers())).json() == {"balance": 550}


async def test_a_user_without_an_account_is_told_so(client: httpx.AsyncClient) -> None:
    charge = await client.post(CHARGES, json={"amount": 50}, headers=headers(2))
    balance = await client.get("/api/v1/points", headers=headers(2))

    assert (charge.status_code, charge.json()["code"]) == (409, "unknown-user")
    assert (balance.status_code, balance.json()["code"]) == (404, "not-found")


def entry(number: int, kind: EntryKind, amount: int, user: int = 1) -> Entry:
    moment = NOW + timedelta(seconds=number)
    return Entry(transaction_id=UUID(int=number), kind=kind, account=f"user:{user}", amount=amount, created_at=moment)


async def test_the_history_says_what_moved_points_newest_first(client: httpx.AsyncClient, world: World) -> None:
    world.entries.entries = [
        entry(1, EntryKind.GRANT, 500),
        entry(2, EntryKind.CHARGE, 50),
        entry(3, EntryKind.SPEND, -80),
        entry(4, EntryKind.RESTORE, 80),
        entry(5, EntryKind.CHARGE, 7, user=2),
    ]

    response = await client.get(ENTRIES, headers=headers())

    shown = response.json()["entries"]
    assert [(each["kind"], each["amount"]) for each in shown] == [
        ("restore", 80), ("spend", -80), ("charge", 50), ("grant", 500),
    ]  # fmt: skip
    assert [(each["order_id"], each["charge_id"]) for each in shown] == [
        (str(UUID(int=4)), None), (str(UUID(int=3)), None), (None, str(UUID(int=2))), (None, None),
    ]  # fmt: skip
    assert shown[3]["created_at"] == "2026-11-25T20:00:01Z"
    assert response.json()["next_cursor"] is None


async def test_pages_of_the_history_follow_each_other(client: httpx.AsyncClient, world: World) -> None:
    world.entries.entries = [entry(number, EntryKind.CHARGE, number) for number in range(1, 6)]

    first = (await client.get(f"{ENTRIES}?limit=3", headers=headers())).json()
    second = (await client.get(ENTRIES, params={"limit": 3, "cursor": first["next_cursor"]}, headers=headers())).json()

    assert [each["amount"] for each in first["entries"] + second["entries"]] == [5, 4, 3, 2, 1]
    assert second["next_cursor"] is None
