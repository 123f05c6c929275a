"""What each consumer group does with a batch in its transaction: load under locks, decide, write, return events.

The decisions are the real ones. Planted defects change what goes into them or what becomes of their answers.
"""

from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from types import MappingProxyType

from msgspec import structs

from doorbuster.contracts.bodies import Body, OrderCancelled, OrderCompleted, PaymentCancelRequested, PaymentRequested
from doorbuster.contracts.topics import Group
from doorbuster.coupons import model as coupons
from doorbuster.coupons.coupon import Coupon, Issue
from doorbuster.kernel.ids import CouponId, IssueId, OrderId, ProductId
from doorbuster.orders import saga as flow
from doorbuster.orders.model import Known, Saga, SagaStep
from doorbuster.points import model as points
from doorbuster.products import model as products
from tests.unit.doorbuster.simulation.database import Database, Transaction
from tests.unit.doorbuster.simulation.defects import Defect

Events = Generator[None, None, Sequence[Body]]


@dataclass(frozen=True)
class Batch:
    """Fresh bodies of one group, in one transaction."""

    transaction: Transaction
    bodies: Sequence[Body]
    now: datetime
    defects: AbstractSet[Defect]
    coupons: Mapping[CouponId, Coupon]

    @property
    def database(self) -> Database:
        return self.transaction.database

    @cached_property
    def orders(self) -> tuple[OrderId, ...]:
        return tuple(sorted({OrderId(body.order_id) for body in self.bodies}))

    def has(self, order_id: OrderId, body_type: type[Body]) -> bool:
        return any(body.order_id == order_id and isinstance(body, body_type) for body in self.bodies)


def stock(batch: Batch) -> Events:
    transaction, database = batch.transaction, batch.database
    yield from transaction.lock(database.reservations, batch.orders)
    reservations = {order_id: _reservation(batch, order_id) for order_id in batch.orders}
    needed = products.products_needed(reservations, batch.bodies)
    if Defect.LOST_UPDATE not in batch.defects:
        yield from transaction.lock(database.stock, needed)
    available = {product_id: database.stock.rows[product_id] for product_id in needed}
    yield
    state = products.StockState(reservations=reservations, available=available)
    decision = products.decide(state, batch.bodies, batch.now)
    for row in decision.reservations:
        if Defect.NO_TOMBSTONE not in batch.defects or row.status is not products.ReservationStatus.CANCELLED:
            transaction.write(database.reservations, row.order_id, row)
    for product_id, units in decision.available.items():
        transaction.write(database.stock, product_id, units)
    return decision.events


def _reservation(batch: Batch, order_id: OrderId) -> products.Reservation:
    placeholder = products.Reservation(order_id=order_id, status=products.ReservationStatus.NEW, updated_at=batch.now)
    row = batch.database.reservations.rows.get(order_id, placeholder)
    again = Defect.COMPENSATED_TWICE in batch.defects and batch.has(order_id, OrderCancelled)
    if again and row.status is products.ReservationStatus.RELEASED:
        return replace(row, status=products.ReservationStatus.RESERVED)
    return row


def coupon(batch: Batch) -> Events:
    transaction, database = batch.transaction, batch.database
    yield from transaction.lock(database.redemptions, batch.orders)
    redemptions = {order_id: _redemption(batch, order_id) for order_id in batch.orders}
    needed = coupons.needed(redemptions, batch.bodies)
    wanted = {*needed.issues, *(database.holdings[key] for key in needed.holdings if key in database.holdings)}
    if Defect.LOST_UPDATE not in batch.defects:
        yield from transaction.lock(database.issues, wanted)
    issues = {issue_id: _issue(batch, redemptions, issue_id) for issue_id in sorted(wanted)}
    yield
    state = coupons.CouponState(redemptions=redemptions, coupons=batch.coupons, issues=issues)
    decision = coupons.decide(state, batch.bodies, batch.now)
    for row in decision.redemptions:
        if Defect.NO_COUPON_TOMBSTONE not in batch.defects or row.status is not coupons.RedemptionStatus.CANCELLED:
            transaction.write(database.redemptions, row.order_id, row)
    for issue in decision.issues:
        if Defect.COUPON_NOT_RELEASED not in batch.defects or issue.order_id is not None:
            transaction.write(database.issues, issue.id, issue)
    return decision.events


def _redemption(batch: Batch, order_id: OrderId) -> coupons.Redemption:
    new = coupons.RedemptionStatus.NEW
    placeholder = coupons.Redemption(order_id=order_id, status=new, updated_at=batch.now)
    row = batch.database.redemptions.rows.get(order_id, placeholder)
    again = Defect.COUPON_RELEASED_AGAIN in batch.defects and batch.has(order_id, OrderCancelled)
    if again and row.issue_id and row.status is coupons.RedemptionStatus.RELEASED:
        return replace(row, status=coupons.RedemptionStatus.USED)
    return row


def _issue(batch: Batch, redemptions: Mapping[OrderId, coupons.Redemption], issue_id: IssueId) -> Issue:
    issue = batch.database.issues.rows[issue_id]
    if Defect.COUPON_REDEEMED_TWICE in batch.defects and issue.order_id not in batch.orders:
        return replace(issue, order_id=None)
    if Defect.COUPON_RELEASED_AGAIN in batch.defects:
        used = [key for key, row in redemptions.items() if row.issue_id == issue_id]
        return replace(issue, order_id=used[0]) if used else issue
    return issue


def payment(batch: Batch) -> Events:
    transaction, database = batch.transaction, batch.database
    yield from transaction.lock(database.payments, batch.orders)
    payments = {order_id: _payment(batch, order_id) for order_id in batch.orders}
    needed = points.users_needed(payments, batch.bodies)
    if Defect.LOST_UPDATE not in batch.defects:
        yield from transaction.lock(database.balances, needed)
    balances = {user: database.balances.rows[user] for user in needed if user in database.balances.rows}
    yield
    state = points.PaymentState(payments=payments, balances=balances)
    decision = points.decide(state, batch.bodies, batch.now)
    for row in decision.payments:
        transaction.write(database.payments, row.order_id, row)
    for user, balance in decision.balances.items():
        transaction.write(database.balances, user, balance)
    if Defect.SPENT_WITHOUT_ENTRY not in batch.defects:
        append(transaction, decision.entries)
    return decision.events


def append(transaction: Transaction, entries: Sequence[points.Entry]) -> None:
    for entry in entries:
        key = (entry.transaction_id, entry.kind, entry.account)
        transaction.insert(transaction.database.entries, key, entry)


def _payment(batch: Batch, order_id: OrderId) -> points.Payment:
    placeholder = points.Payment(order_id=order_id, status=points.PaymentStatus.NEW, updated_at=batch.now)
    row = batch.database.payments.rows.get(order_id, placeholder)
    forgotten = (Defect.PAYMENT_IGNORES_PIVOT in batch.defects and batch.has(order_id, PaymentCancelRequested)) or (
        Defect.SPENT_TWICE in batch.defects and batch.has(order_id, PaymentRequested)
    )
    return placeholder if forgotten and row.status is points.PaymentStatus.PAID else row


def order_flow(batch: Batch) -> Events:
    transaction, database = batch.transaction, batch.database
    yield from transaction.lock(database.sagas, batch.orders)
    yield
    events: list[Body] = []
    for order_id in batch.orders:
        bodies = [body for body in batch.bodies if body.order_id == order_id]
        transition = flow.advance(database.sagas.rows[order_id], bodies, batch.now)
        after = _too_soon(transition.after) if Defect.COMPENSATED_TOO_SOON in batch.defects else transition.after
        transaction.write(database.sagas, order_id, after)
        events += transition.events
    if Defect.DISCOUNT_FORGOTTEN in batch.defects:
        return [_undiscounted(event, database.sagas.rows) for event in events]
    return events


def _undiscounted(event: Body, sagas: Mapping[OrderId, Saga]) -> Body:
    if not isinstance(event, PaymentRequested):
        return event
    return structs.replace(event, amount=sagas[OrderId(event.order_id)].order.total)


def _too_soon(saga: Saga) -> Saga:
    answered = Known.UNDONE in {saga.stock, saga.coupon}
    if saga.step is not SagaStep.COMPENSATING or not answered:
        return saga
    return replace(saga, step=SagaStep.COMPENSATED, order=replace(saga.order, compensated_at=saga.sent_at))


def post_process(batch: Batch) -> Events:
    transaction, database = batch.transaction, batch.database
    yield from transaction.lock(database.counted, batch.orders)
    forgets = not batch.defects.isdisjoint({Defect.EFFECT_REPEATED, Defect.DEDUPED_IN_MEMORY})
    completed = {body.order_id: body for body in batch.bodies if isinstance(body, OrderCompleted)}
    fresh = [body for order_id, body in completed.items() if forgets or order_id not in database.counted.rows]
    units = Counter[ProductId]()
    for body in fresh:
        transaction.write(database.counted, OrderId(body.order_id), batch.now)
        units.update({ProductId(line.product_id): line.quantity for line in body.lines})
    yield from transaction.lock(database.sales, units)
    yield
    for product_id, count in units.items():
        transaction.write(database.sales, product_id, database.sales.rows.get(product_id, 0) + count)
    return ()


GROUPS: Mapping[Group, Callable[[Batch], Events]] = MappingProxyType(
    {
        Group.STOCK: stock,
        Group.COUPON: coupon,
        Group.PAYMENT: payment,
        Group.ORDER_FLOW: order_flow,
        Group.POST_PROCESS: post_process,
    }
)
