from collections.abc import Collection, Mapping
from uuid import UUID

import msgspec
import pytest
from prometheus_client import REGISTRY

from doorbuster.api.answers import sold_out_answer
from doorbuster.bootstrap.sold_out_refusals import SoldOutRefusals
from doorbuster.infra.batches.answers import Refused
from doorbuster.infra.batches.idempotency_keys import Keyed
from doorbuster.kernel.errors import PrimaryUnavailable
from doorbuster.kernel.ids import OrderId, ProductId, UserId
from doorbuster.orders.model import PlaceOrder, WantedLine

HOT, COLD = ProductId(7), ProductId(8)
DECIDED = b"decided before"


def order(*products: ProductId, key: bytes = b"new") -> Keyed[PlaceOrder]:
    lines = tuple(WantedLine(product_id=product, quantity=1) for product in products)
    command = PlaceOrder(order_id=OrderId(UUID(int=1)), user_id=UserId(1), lines=lines)
    return Keyed(key_id=key, body_hash=b"", body_bytes=0, attempt=UUID(int=1), command=command)


class Primary:
    def __init__(self) -> None:
        self.asked: list[Collection[bytes]] = []
        self.gone = False

    async def known(self, key_ids: Collection[bytes]) -> Mapping[bytes, bool]:
        self.asked.append(key_ids)
        if self.gone:
            raise PrimaryUnavailable("gone")
        return {DECIDED: True} if DECIDED in key_ids else {}


@pytest.fixture
def primary() -> Primary:
    return Primary()


@pytest.fixture
def refusals(primary: Primary) -> SoldOutRefusals:
    async def sold_out() -> Collection[ProductId]:
        return {HOT}

    return SoldOutRefusals(sold_out, primary.known, present=sold_out_answer, deadline_seconds=5)


def counted() -> float:
    return REGISTRY.get_sample_value("orders_sold_out_total") or 0.0


async def test_an_order_of_what_is_sold_out_is_told_which_line(refusals: SoldOutRefusals) -> None:
    before = counted()
    refused = await refusals.refuse(order(COLD, HOT))

    assert isinstance(refused, Refused)
    told = msgspec.json.decode(refused.body)
    assert (refused.status, told["status"], told["code"]) == (409, 409, "sold-out")
    assert told["errors"] == [{"field": "lines[1].product_id", "message": "is sold out"}]
    assert counted() == before + 1


async def test_other_orders_go_on_and_cost_no_question(refusals: SoldOutRefusals, primary: Primary) -> None:
    assert await refusals.refuse(order(COLD)) is None
    assert primary.asked == []


async def test_the_repeat_of_an_order_that_was_decided_goes_on_to_its_stored_answer(refusals: SoldOutRefusals) -> None:
    before = counted()

    assert await refusals.refuse(order(HOT, key=DECIDED)) is None
    assert counted() == before


async def test_without_a_primary_nobody_knows_whether_it_is_a_repeat(
    refusals: SoldOutRefusals, primary: Primary
) -> None:
    primary.gone = True

    with pytest.raises(PrimaryUnavailable):
        await refusals.refuse(order(HOT))
    await refusals.drain()
