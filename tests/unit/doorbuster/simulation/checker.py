"""What must be true of a world at rest."""

from collections import Counter
from collections.abc import Callable
from uuid import UUID

from doorbuster.contracts.topics import READ_BY
from doorbuster.coupons.model import RedemptionStatus
from doorbuster.kernel.ids import OrderId, ProductId
from doorbuster.orders.model import Order, OrderStatus
from doorbuster.points.model import EntryKind, PaymentStatus, user_account
from doorbuster.products.model import ReservationStatus
from tests.unit.doorbuster.simulation.defects import Violation
from tests.unit.doorbuster.simulation.groups import GROUPS
from tests.unit.doorbuster.simulation.world import World


def check(world: World) -> None:
    """Check every invariant.

    Raises:
        Violation: one doesn't hold.
    """
    for invariant in (_messages, _orders, _stock, _coupons, _entries, _spending, _sales, _announcements):
        invariant(world, _require)


Require = Callable[[bool, str], None]


def _require(holds: bool, otherwise: str) -> None:  # noqa: FBT001  # reads as a sentence
    if not holds:
        raise Violation(otherwise)


def _messages(world: World, require: Require) -> None:
    """Everything sent was published, and everything published was taken by every group that reads it."""
    published = {record.id for log in world.broker.log.values() for record in log}
    require(published == {row.id for row in world.database.outbox}, "a message was marked, and never published")
    for group in GROUPS:
        for topic in READ_BY[group]:
            ids = {(group, record.id) for place, log in world.broker.log.items() if place[0] is topic for record in log}
            require(ids <= world.database.processed.rows.keys(), f"{group} never took a message of {topic}")


def _orders(world: World, require: Require) -> None:
    """Every accepted order has its row and its end; a refused one has no row (R14)."""
    sagas = world.database.sagas.rows
    require(world.accepted <= sagas.keys(), "an accepted order is lost")
    require(not world.refused & sagas.keys(), "a refused order has a row")
    for saga in sagas.values():
        compensated = saga.order.compensated_at is not None
        require(not saga.open, f"order {saga.order.id} is open")
        require(saga.order.status is not OrderStatus.PENDING, f"order {saga.order.id} has no end")
        require(compensated is (saga.order.status is OrderStatus.FAILED), f"order {saga.order.id} isn't compensated")


def _paid(world: World) -> dict[OrderId, Order]:
    sagas = world.database.sagas.rows
    return {key: saga.order for key, saga in sagas.items() if saga.order.status is OrderStatus.PAID}


def _sold(world: World) -> Counter[ProductId]:
    sold = Counter[ProductId]()
    for order in _paid(world).values():
        sold.update({ProductId(line.product_id): line.quantity for line in order.lines})
    return sold


def _stock(world: World, require: Require) -> None:
    """Supplied = available + reserved by PAID orders, product by product."""
    database, sold = world.database, _sold(world)
    reserved = {k for k, row in database.reservations.rows.items() if row.status is ReservationStatus.RESERVED}
    require(reserved == _paid(world).keys(), "what is reserved isn't what is paid")
    for product_id, supplied in world.supplied.items():
        available = database.stock.rows[product_id]
        require(
            supplied == available + sold[product_id], f"product {product_id}: {supplied} supplied, {available} left"
        )


def _coupons(world: World, require: Require) -> None:
    """A coupon is redeemed by the one PAID order that uses it, and takes off what its terms say."""
    issues, redemptions = world.database.issues.rows, world.database.redemptions.rows
    redeemed = {issue.order_id: issue for issue in issues.values() if issue.order_id is not None}
    with_coupon = {key: order for key, order in _paid(world).items() if order.coupon_id is not None}
    used = {key: row for key, row in redemptions.items() if row.status is RedemptionStatus.USED}
    require(with_coupon.keys() == used.keys(), "what is redeemed isn't what is paid")
    require(redeemed.keys() == used.keys(), "a coupon isn't redeemed by the order that uses it")
    for key, order in with_coupon.items():
        issue = redeemed[key]
        require(
            (issue.coupon_id, issue.user_id) == (order.coupon_id, order.user_id), f"order {key} has another's coupon"
        )
        discount = world.coupons[issue.coupon_id].discount(order.total)
        require(order.discount == used[key].discount == discount, f"order {key} has {order.discount} off")
    for saga in world.database.sagas.rows.values():
        require(not saga.order.discount or saga.order.id in with_coupon, f"order {saga.order.id} has a discount")


def _entries(world: World, require: Require) -> None:
    """Double entries sum to zero, and explain every balance."""
    sums, accounts = Counter[tuple[UUID, str]](), Counter[str]()
    for entry in world.database.entries.rows.values():
        sums[entry.transaction_id, entry.kind] += entry.amount
        accounts[entry.account] += entry.amount
    require(not any(sums.values()), "entries of a transaction don't sum to zero")
    for user, granted in world.granted.items():
        balance = world.database.balances.rows[user]
        require(balance == granted + accounts[user_account(user)], f"user {user}: {balance} isn't explained")


def _spending(world: World, require: Require) -> None:
    """PAID means spent once and not restored; FAILED means that nothing is gone."""
    net, spent = Counter[UUID](), set[UUID]()
    for entry in world.database.entries.rows.values():
        if entry.account.startswith("user:") and entry.kind is not EntryKind.CHARGE:
            net[entry.transaction_id] += entry.amount
            spent.add(entry.transaction_id)
    paid = _paid(world)
    for order_id, saga in world.database.sagas.rows.items():
        expected = -saga.order.to_pay if order_id in paid else 0
        require(net[order_id] == expected, f"order {order_id}: {saga.order.status}, and {net[order_id]} points moved")
    rows = world.database.payments.rows
    require(paid.keys() == {k for k, row in rows.items() if row.status is PaymentStatus.PAID}, "payments aren't orders")
    require(spent == {key for key, order in paid.items() if order.to_pay}, "points moved for an order that isn't paid")


def _sales(world: World, require: Require) -> None:
    """Each PAID order is counted once (R11)."""
    require(world.database.counted.rows.keys() == _paid(world).keys(), "an order isn't counted")
    require(+Counter(world.database.sales.rows) == _sold(world), "sales are miscounted")


def _announcements(world: World, require: Require) -> None:
    """A PAID order is announced once; a FAILED one was cancelled, a PAID one never."""
    completed = Counter(row.body.order_id for row in world.database.outbox if row.body.type == "order.completed")
    cancelled = {row.body.order_id for row in world.database.outbox if row.body.type == "order.cancelled"}
    require(completed == Counter(_paid(world).keys()), "order.completed wasn't sent exactly once for each paid order")
    require(cancelled == world.database.sagas.rows.keys() - _paid(world).keys(), "cancels don't match failed orders")
