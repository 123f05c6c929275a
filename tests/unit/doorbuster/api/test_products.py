import httpx


async def test_everybody_may_look_at_a_product(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/products/2")

    assert (response.status_code, response.json()) == (200, {"id": 2, "name": "Lamp 2", "price": 200})


async def test_an_unknown_product_is_a_404(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/products/99")

    assert (response.status_code, response.json()["code"]) == (404, "not-found")


async def test_products_come_page_by_page(client: httpx.AsyncClient) -> None:
    first = (await client.get("/api/v1/products?limit=3")).json()
    second = (await client.get(f"/api/v1/products?limit=3&cursor={first['next_cursor']}")).json()

    assert [product["id"] for product in first["products"]] == [1, 2, 3]
    assert [product["id"] for product in second["products"]] == [4, 5]
    assert second["next_cursor"] is None
