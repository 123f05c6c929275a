"""What must be true of the database when no order is under way: each rule is a query for what breaks it."""

from collections.abc import Callable, Mapping, Sequence

SOLD = """
    SELECT line.product_id, SUM(line.quantity) AS units FROM orders
    JOIN JSON_TABLE(orders.`lines`, '$[*]' COLUMNS (
      product_id BIGINT PATH '$.product_id', quantity BIGINT PATH '$.quantity'))
      AS line
    WHERE orders.status = 'PAID' GROUP BY line.product_id
"""
RULES: Mapping[str, str] = {
    "an order is final": "SELECT HEX(id), status FROM orders WHERE status NOT IN ('PAID', 'FAILED')",
    "a failed order is compensated": """
        SELECT HEX(id) FROM orders WHERE status = 'FAILED' AND compensated_at IS NULL
    """,
    "no saga is open": "SELECT HEX(order_id) FROM order_sagas WHERE open <> 0",
    "stock is reserved for paid orders and for no others": """
        SELECT HEX(orders.id), orders.status, reservation.status FROM orders
        LEFT JOIN stock_reservations AS reservation ON reservation.order_id = orders.id
        WHERE (orders.status = 'PAID') <> (COALESCE(reservation.status, '') = 'RESERVED')
    """,
    "what was sold is what is missing": f"""
        SELECT stock.product_id, supplied - available, COALESCE(sold.units, 0) FROM stock
        LEFT JOIN ({SOLD}) AS sold ON sold.product_id = stock.product_id
        WHERE supplied - available <> COALESCE(sold.units, 0) OR available < 0
    """,
    "paid orders are paid in full, others not at all": """
        SELECT HEX(orders.id), orders.status, orders.total, payment.status, payment.amount FROM orders
        LEFT JOIN payments AS payment ON payment.order_id = orders.id
        WHERE (orders.status = 'PAID') <> (COALESCE(payment.status, '') = 'PAID')
           OR (orders.status = 'PAID' AND payment.amount <> orders.total - orders.discount)
    """,
    "a coupon is redeemed by a paid order and by no other": """
        SELECT HEX(orders.id), orders.status, orders.discount, redemption.status, HEX(issue.id) FROM orders
        LEFT JOIN coupon_redemptions AS redemption ON redemption.order_id = orders.id
        LEFT JOIN coupon_issues AS issue ON issue.order_id = orders.id
        WHERE (orders.status = 'PAID' AND orders.coupon_id IS NOT NULL) <> (COALESCE(redemption.status, '') = 'USED')
           OR (COALESCE(redemption.status, '') = 'USED') <> (issue.id IS NOT NULL)
           OR orders.discount <> IF(redemption.status = 'USED', redemption.discount, 0)
           OR COALESCE(issue.id <> redemption.issue_id, FALSE)
    """,
    "each payment has its entries": """
        SELECT HEX(payments.order_id), payments.amount, entry.amount FROM payments
        LEFT JOIN point_entries AS entry
          ON entry.transaction_id = payments.order_id AND entry.kind = 'spend' AND entry.account LIKE 'user:%'
        WHERE payments.status = 'PAID' AND COALESCE(entry.amount, 0) <> -payments.amount
    """,
    "the entries of a transaction sum to zero": """
        SELECT HEX(transaction_id), kind, SUM(amount) FROM point_entries
        GROUP BY transaction_id, kind HAVING SUM(amount) <> 0
    """,
    "a balance is the sum of its entries": """
        SELECT user_id, balance, entries.total FROM point_balances
        LEFT JOIN (SELECT account, SUM(amount) AS total FROM point_entries GROUP BY account) AS entries
          ON entries.account = CONCAT('user:', user_id)
        WHERE balance <> COALESCE(entries.total, 0) OR balance < 0
    """,
    "each paid order is counted once as a sale": f"""
        SELECT sales.product_id, sales.units, sold.units FROM product_sales AS sales
        LEFT JOIN ({SOLD}) AS sold ON sold.product_id = sales.product_id
        WHERE sales.units <> COALESCE(sold.units, 0)
        UNION ALL SELECT sold.product_id, NULL, sold.units FROM ({SOLD}) AS sold
        WHERE sold.product_id NOT IN (SELECT product_id FROM product_sales)
    """,
    "the partner was told about each paid order and no other": """
        SELECT HEX(orders.id), orders.status, delivery.status FROM orders
        LEFT JOIN deliveries AS delivery ON delivery.order_id = orders.id
        WHERE (orders.status = 'PAID') <> (COALESCE(delivery.status, '') = 'DELIVERED')
    """,
    "nothing is a dead letter": "SELECT seq, topic, message_type FROM outbox WHERE topic LIKE '%.dlt'",
    "everything is published": "SELECT seq, topic FROM outbox WHERE published_at IS NULL",
}


# What somebody still works on: sagas, messages, deliveries.
UNDER_WAY = """
    SELECT (SELECT COUNT(*) FROM order_sagas WHERE open <> 0) + (SELECT COUNT(*) FROM outbox WHERE published_at IS NULL)
         + (SELECT COUNT(*) FROM orders WHERE status = 'PAID')
         - (SELECT COUNT(*) FROM deliveries WHERE status = 'DELIVERED')
"""
ORDERS = "SELECT BIN_TO_UUID(id) FROM orders"

Ask = Callable[[str], Sequence[str]]
"""Runs a query in the applications' database; returns its rows, each as a line."""


def breaches(ask: Ask) -> dict[str, Sequence[str]]:
    """Return the first few rows that break a rule, by rule; empty when all hold."""
    found = {rule: ask(f"{query} LIMIT 5") for rule, query in RULES.items()}
    return {rule: rows for rule, rows in found.items() if rows}
