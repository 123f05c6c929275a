import httpx

from tests.unit.doorbuster.api.fakes import headers

CHARGES = "/api/v1/points/charges"


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
