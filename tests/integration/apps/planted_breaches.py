"""What is planted by SQL into the small shop once its orders have ended, and what the auditor is to say of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from doorbuster.audit.model import Invariant
from tests.integration.apps.small_shop import CHARGE, CHARGED, PAID, TOO_DEAR, TOO_MANY, key_of

# The id of what nobody has made.
STRANGER = UUID(int=77)


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """Something wrong.

    Attributes:
        statements: they plant it.
        found: what a full scan finds, by invariant.
        by_changes: what a look at changes finds; None means the same.
    """

    statements: Sequence[str]
    found: Mapping[Invariant, set[str]]
    by_changes: Mapping[Invariant, set[str]] | None = None


def hexed(order_id: UUID) -> str:
    return f"X'{order_id.hex}'"


COST = f"(SELECT total FROM orders WHERE id = {hexed(PAID)})"
KEY = f"X'{key_of(PAID).hex()}'"
COPY = "ab" * 32
PLANTED = {
    "a unit vanished": Planted(
        statements=["UPDATE stock SET available = available - 1 WHERE product_id = 3"],
        found={Invariant.STOCK: {"3"}},
    ),
    "a unit was sold twice": Planted(
        statements=["UPDATE stock SET available = available + 1 WHERE product_id = 1"],
        found={Invariant.STOCK: {"1"}},
    ),
    "the stock of what is reserved is gone": Planted(
        statements=["DELETE FROM stock WHERE product_id = 1"], found={Invariant.STOCK: {"1"}}, by_changes={}
    ),
    "an order is PENDING again": Planted(
        statements=[f"UPDATE orders SET status = 'PENDING', finished_at = NULL WHERE id = {hexed(PAID)}"],
        found={Invariant.ORDERS: {str(PAID)}},
    ),
    "an order has a status that nobody knows": Planted(
        statements=[f"UPDATE orders SET status = 'SHIPPED' WHERE id = {hexed(PAID)}"],
        found={Invariant.ORDERS: {str(PAID)}},
    ),
    "an order has no saga": Planted(
        statements=[f"DELETE FROM order_sagas WHERE order_id = {hexed(PAID)}"],
        found={Invariant.ORDERS: {str(PAID)}},
    ),
    "an order is PAID and compensated": Planted(
        statements=[f"UPDATE orders SET compensated_at = finished_at WHERE id = {hexed(PAID)}"],
        found={Invariant.ORDERS: {str(PAID)}},
    ),
    "a failed order is not compensated": Planted(
        statements=[
            f"UPDATE orders SET compensated_at = NULL, finished_at = finished_at - INTERVAL 61 SECOND"
            f" WHERE id = {hexed(TOO_DEAR)}",
            f"UPDATE order_sagas SET step = 'COMPENSATING', open = 1 WHERE order_id = {hexed(TOO_DEAR)}",
        ],
        found={Invariant.ORDERS: {str(TOO_DEAR)}},
    ),
    "an order is lost and a participant knows it": Planted(
        statements=[
            f"INSERT INTO stock_reservations (order_id, status, updated_at)"
            f" VALUES ({hexed(STRANGER)}, 'REJECTED', UTC_TIMESTAMP(6))"
        ],
        found={Invariant.ORDERS: {str(STRANGER)}},
    ),
    "a paid order's units went back": Planted(
        statements=[
            f"UPDATE stock_reservations SET status = 'RELEASED' WHERE order_id = {hexed(PAID)}",
            "UPDATE stock SET available = available + 2 WHERE product_id = 1",
        ],
        found={Invariant.RESERVATIONS: {str(PAID)}},
        # The sales say that two are sold.
        by_changes={Invariant.RESERVATIONS: {str(PAID)}, Invariant.STOCK: {"1"}},
    ),
    "a compensated order keeps its units": Planted(
        statements=[
            f"UPDATE stock_reservations SET status = 'RESERVED' WHERE order_id = {hexed(TOO_DEAR)}",
            "UPDATE stock SET available = available - 1 WHERE product_id = 3",
        ],
        found={Invariant.RESERVATIONS: {str(TOO_DEAR)}},
        by_changes={Invariant.RESERVATIONS: {str(TOO_DEAR)}, Invariant.STOCK: {"3"}},
    ),
    "a key has no answer": Planted(
        statements=[f"UPDATE idempotency_keys SET status = NULL, answer = NULL WHERE id = {KEY}"],
        found={Invariant.KEYS: {key_of(PAID).hex()}},
    ),
    "a key's charge is gone": Planted(
        statements=[
            "DELETE FROM point_entries WHERE kind = 'charge'",
            f"UPDATE point_balances SET balance = balance - {CHARGED} WHERE user_id = 1",
        ],
        found={Invariant.KEYS: {key_of(CHARGE).hex()}},
    ),
    "two keys have one order": Planted(
        statements=[
            f"INSERT INTO idempotency_keys SELECT X'{COPY}', attempt, body_hash, status, answer, created_at"
            f" FROM idempotency_keys WHERE id = {KEY}"
        ],
        found={Invariant.KEYS: {COPY, key_of(PAID).hex()}},
    ),
    "a key answers with an order of another time": Planted(
        statements=[f"UPDATE idempotency_keys SET created_at = created_at - INTERVAL 1 SECOND WHERE id = {KEY}"],
        found={Invariant.KEYS: {key_of(PAID).hex()}},
    ),
    "a failed order holds a coupon": Planted(
        statements=[f"UPDATE coupon_redemptions SET status = 'USED' WHERE order_id = {hexed(TOO_DEAR)}"],
        found={Invariant.COUPONS: {str(TOO_DEAR)}},
    ),
    "a balance is higher than its entries": Planted(
        statements=["UPDATE point_balances SET balance = balance + 1 WHERE user_id = 1"],
        found={Invariant.BALANCES: {"1"}},
    ),
    "a balance is gone": Planted(
        statements=["DELETE FROM point_balances WHERE user_id = 1"], found={Invariant.BALANCES: {"1"}}
    ),
    "points came from nowhere": Planted(
        statements=["UPDATE point_entries SET amount = amount + 1 WHERE account = 'system:charges'"],
        found={Invariant.ENTRIES: {str(CHARGE)}},
    ),
    "an order was paid in part": Planted(
        statements=[f"UPDATE payments SET amount = amount - 1 WHERE order_id = {hexed(PAID)}"],
        found={Invariant.PAYMENTS: {str(PAID)}},
    ),
    "a payment is gone": Planted(
        statements=[f"DELETE FROM payments WHERE order_id = {hexed(PAID)}"],
        found={Invariant.PAYMENTS: {str(PAID)}},
    ),
    "a failed order is paid": Planted(
        statements=[f"UPDATE payments SET status = 'PAID' WHERE order_id = {hexed(TOO_DEAR)}"],
        found={Invariant.PAYMENTS: {str(TOO_DEAR)}},
    ),
    "a payment has no entries": Planted(
        statements=[
            f"DELETE FROM point_entries WHERE transaction_id = {hexed(PAID)}",
            f"UPDATE point_balances SET balance = balance + {COST} WHERE user_id = 1",
        ],
        found={Invariant.PAYMENTS: {str(PAID)}},
    ),
    "an order's first message is gone": Planted(
        statements=[f"DELETE FROM outbox WHERE message_key = '{TOO_MANY}'"],
        found={Invariant.OUTBOX: {str(TOO_MANY)}},
    ),
    "a processed id is half written": Planted(
        statements=[f"INSERT INTO processed_messages VALUES ('stock-service-group', {hexed(STRANGER)}, '1970-01-02')"],
        found={Invariant.OUTBOX: {STRANGER.hex}},
    ),
    "a sale was counted twice": Planted(
        statements=["UPDATE product_sales SET units = units * 2, orders = orders * 2 WHERE product_id = 1"],
        found={Invariant.SALES: {"1"}},
        by_changes={Invariant.STOCK: {"1"}},
    ),
    "a counted product is gone": Planted(
        statements=["DELETE FROM product_sales WHERE product_id = 1"],
        found={Invariant.SALES: {"1"}},
        by_changes={Invariant.STOCK: {"1"}},
    ),
    "a sale was never counted": Planted(
        statements=[
            "DELETE FROM counted_orders",
            "DELETE FROM product_sales",
            f"UPDATE orders SET finished_at = finished_at - INTERVAL 301 SECOND WHERE id = {hexed(PAID)}",
        ],
        found={Invariant.SALES: {str(PAID)}},
        # It finished before everything was counted, so it isn't among those that still may be.
        by_changes={Invariant.SALES: {str(PAID)}, Invariant.STOCK: {"1"}},
    ),
    "a sale was claimed and not counted": Planted(
        statements=[f"UPDATE counted_orders SET counted_at = '1970-01-02' WHERE order_id = {hexed(PAID)}"],
        found={Invariant.SALES: {str(PAID)}},
    ),
}
