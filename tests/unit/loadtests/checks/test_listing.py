from datetime import datetime

import httpx
import pytest

from loadtests.checks import asking
from loadtests.checks.listing import list_orders
from loadtests.checks.orders import ListedOrder, OrderStatus
from loadtests.errors import OrdersUnreadable
from tests.unit.loadtests.shop_server import Manner, shop

USERS = range(1, 21)


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAUSE_SECONDS", 0.0)


async def test_all_pages_of_all_shoppers_are_listed() -> None:
    with shop() as opened:
        for number in range(250):
            opened.take(f"key-{number}", 1, 7)
        opened.take("another", 2, 8)
        found = await list_orders(opened.url, USERS)

    assert opened.tokens == set(USERS)
    assert [len(found[user]) for user in USERS] == [250, 1, *[0] * 18]
    assert {order.order_id for order in found[1]} == {opened.order_ids[f"key-{number}"] for number in range(250)}
    another = ListedOrder(order_id=opened.order_ids["another"], status=OrderStatus.PAID, units={8: 1}, to_pay=1)
    assert found[2] == (another,)


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


@pytest.mark.parametrize(("since", "count"), [("2026-11-26T05:59:59Z", 3), ("2026-11-26T06:00:01Z", 0)])
async def test_orders_of_an_earlier_run_are_left_out(since: str, count: int) -> None:
    with shop() as opened:
        for number in range(3):
            opened.take(f"key-{number}", 1, 7)
        found = await list_orders(opened.url, [1], since=datetime.fromisoformat(since))

    assert len(found[1]) == count


def test_the_small_shop_keeps_the_order_of_a_repeated_key() -> None:
    with shop(lambda _number, tried: (Manner.ACCEPT_AND_DROP, Manner.ACCEPT)[tried]) as opened:
        opened.take("key", 1, 7)
        first = opened.order_ids["key"]
        opened.take("key", 1, 7)

    assert opened.order_ids == {"key": first}
