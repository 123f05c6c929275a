from collections.abc import Callable

import httpx
import pytest

from loadtests.checks import listing
from loadtests.checks.listing import issued_token, list_orders
from loadtests.checks.orders import ListedOrder, OrderStatus
from loadtests.errors import OrdersUnreadable
from tests.unit.loadtests.shop_server import Manner, shop

USERS = range(1, 21)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PAUSE_SECONDS", 0.0)


async def test_all_pages_of_all_shoppers_are_listed() -> None:
    with shop() as opened:
        for number in range(250):
            opened.take(f"key-{number}", 1, 7)
        opened.take("another", 2, 8)
        found = await list_orders(opened.url, USERS)

    assert opened.tokens == set(USERS)
    assert [len(found[user]) for user in USERS] == [250, 1, *[0] * 18]
    assert {order.order_id for order in found[1]} == {opened.order_ids[f"key-{number}"] for number in range(250)}
    assert found[2] == (ListedOrder(order_id=opened.order_ids["another"], status=OrderStatus.PAID, units={8: 1}),)


async def test_a_shop_that_is_not_there_is_named() -> None:
    with shop() as opened:
        pass

    with pytest.raises(OrdersUnreadable, match=f"POST {opened.url}/dev/issuer/tokens: no answer: ConnectError"):
        await list_orders(opened.url, [1])


async def test_tokens_come_from_whom_the_caller_names() -> None:
    async def token_of(_client: httpx.AsyncClient, user_id: int) -> str:
        return f"token-{user_id}"

    with shop() as opened:
        opened.take("key", 3, 7)
        found = await list_orders(opened.url, [3], token_of=token_of)

    assert (len(found[3]), opened.tokens) == (1, set())


async def test_a_list_that_takes_too_long_is_given_up() -> None:
    with shop() as opened, pytest.raises(OrdersUnreadable, match="within 0 s"):
        await list_orders(opened.url, USERS, within_seconds=0)


Answer = Callable[[httpx.Request], httpx.Response]


async def asked(answer: Answer) -> str:
    async with httpx.AsyncClient(base_url="http://shop", transport=httpx.MockTransport(answer)) as client:
        return await issued_token(client, 1)


async def test_a_tired_server_is_asked_again() -> None:
    answers = iter([httpx.Response(503), httpx.Response(500), httpx.Response(201, json={"token": "t"})])

    assert await asked(lambda _: next(answers)) == "t"


@pytest.mark.parametrize(("status", "times"), [(503, 5), (404, 1)])
async def test_asking_ends(status: int, times: int) -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(status)

    with pytest.raises(OrdersUnreadable, match=f"status {status}"):
        await asked(answer)
    assert len(requests) == times


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"token": ""}'])
async def test_another_answer_than_was_asked_for_is_named(body: str) -> None:
    with pytest.raises(OrdersUnreadable, match="something else"):
        await asked(lambda _: httpx.Response(200, text=body))


def test_the_small_shop_keeps_the_order_of_a_repeated_key() -> None:
    with shop(lambda _number, tried: (Manner.ACCEPT_AND_DROP, Manner.ACCEPT)[tried]) as opened:
        opened.take("key", 1, 7)
        first = opened.order_ids["key"]
        opened.take("key", 1, 7)

    assert opened.order_ids == {"key": first}
