"""Orders for tests of the flow manager and the watch."""

from datetime import UTC, datetime
from uuid import UUID

from doorbuster.contracts.bodies import OrderLine
from doorbuster.kernel.ids import OrderId, UserId
from doorbuster.orders.model import Order, Saga, begin

START = datetime(2026, 1, 1, tzinfo=UTC)
ID = OrderId(UUID(int=1))
LINES = (OrderLine(product_id=5, quantity=2, unit_price=30),)
ORDER = Order(id=ID, user_id=UserId(3), lines=LINES, total=60, created_at=START)
NEW_SAGA: Saga = begin(ORDER)
