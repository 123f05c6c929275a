import httpx

from doorbuster.api.products import CACHE_CONTROL


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


async def test_a_client_that_has_the_newest_bytes_is_told_so(client: httpx.AsyncClient) -> None:
    first = await client.get("/api/v1/products/2")
    again = await client.get("/api/v1/products/2", headers={"If-None-Match": first.headers["etag"]})
    other = await client.get("/api/v1/products/3", headers={"If-None-Match": '"1.99"'})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert again.headers["cache-control"] == first.headers["cache-control"] == CACHE_CONTROL
    assert other.status_code == 200


async def test_nobody_keeps_that_a_product_is_unknown(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/v1/products/99")).headers["cache-control"] == "no-store"
    assert (await client.get("/api/v1/products")).headers["cache-control"] == "no-store"


async def test_products_are_found_by_the_beginning_of_their_name_page_by_page(client: httpx.AsyncClient) -> None:
    first = (await client.get("/api/v1/products?name_prefix=Lamp&limit=3")).json()
    page = {"name_prefix": "Lamp", "limit": 3, "cursor": first["next_cursor"]}
    second = (await client.get("/api/v1/products", params=page)).json()

    assert [product["name"] for product in first["products"]] == ["Lamp 1", "Lamp 2", "Lamp 3"]
    assert [product["name"] for product in second["products"]] == ["Lamp 4", "Lamp 5"]
    assert second["next_cursor"] is None
    assert (await client.get("/api/v1/products?name_prefix=lamp")).json()["products"] == []


async def test_the_best_sellers_are_told_the_first_one_first(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/v1/products/ranking?limit=2")

    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    assert response.json() == {
        "products": [
            {"rank": 1, "product_id": 5, "name": "Lamp 5", "price": 500, "units": 50},
            {"rank": 2, "product_id": 4, "name": "Lamp 4", "price": 400, "units": 40},
        ]
    }
