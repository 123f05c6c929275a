"""The auditor's statements: each reads the rows of a scope, a range of keys or a list, and leaves out what is right.

`{scope}` stands for the condition on the keys. A statement never changes or locks anything. What it leaves in is judged
by a function of `order_checks` or `sum_checks`; what it leaves out is right by the same rules.
"""

from collections.abc import Mapping
from types import MappingProxyType

# What a coupon takes off is paid by nobody; its redemption says how much that is.
ORDERS = """
SELECT o.id, o.status, o.total - COALESCE(redemption.discount, 0), o.created_at, o.coupon_id, o.finished_at,
  o.compensated_at, saga.step, saga.open, reservation.status, payment.status, payment.amount, redemption.status,
  counted.counted_at, {announced}
FROM orders AS o
LEFT JOIN order_sagas AS saga ON saga.order_id = o.id
LEFT JOIN stock_reservations AS reservation ON reservation.order_id = o.id
LEFT JOIN payments AS payment ON payment.order_id = o.id
LEFT JOIN coupon_redemptions AS redemption ON redemption.order_id = o.id
LEFT JOIN counted_orders AS counted ON counted.order_id = o.id
WHERE {scope} AND NOT COALESCE(o.finished_at IS NOT NULL AND saga.open = 0 AND {announced} AND ((
    o.status = 'PAID' AND o.compensated_at IS NULL AND saga.step = 'DONE' AND reservation.status = 'RESERVED'
    AND payment.status = 'PAID' AND payment.amount = o.total - COALESCE(redemption.discount, 0)
    AND redemption.status = IF(o.coupon_id IS NULL, 'NONE', 'USED') AND counted.counted_at >= o.created_at
  ) OR (
    o.status = 'FAILED' AND o.compensated_at IS NOT NULL AND saga.step = 'COMPENSATED'
    AND reservation.status <> 'RESERVED' AND payment.status <> 'PAID' AND redemption.status <> 'USED'
    AND counted.order_id IS NULL
  )), 0)
"""
# The key of an order's messages is its id's text (R14).
ANNOUNCED = """(o.created_at < :announced_since OR EXISTS (
    SELECT 1 FROM outbox AS first_message WHERE first_message.message_key = CAST(BIN_TO_UUID(o.id) AS BINARY(36))
    AND first_message.message_type = 'order.created'))"""

# Tables whose rows can't be there without their order.
WITHOUT_ORDER = "SELECT part.order_id FROM {table} AS part LEFT JOIN orders AS o ON o.id = part.order_id" \
    " WHERE {scope} AND o.id IS NULL"  # fmt: skip
PARTS = ("order_sagas", "stock_reservations", "payments", "coupon_redemptions", "counted_orders", "deliveries")

_LINE = (
    "JSON_TABLE({lines}, '$[*]' COLUMNS ("
    "product_id BIGINT PATH '$.product_id', quantity BIGINT PATH '$.quantity')) AS line"
)


def _lines_of(column: str, statement: str) -> str:
    return statement.replace("{line}", _LINE.replace("{lines}", column))


RESERVED_UNITS = _lines_of(
    "r.`lines`",
    """
SELECT line.product_id, SUM(line.quantity), 0 FROM stock_reservations AS r
JOIN {line}
WHERE {scope} AND r.status = 'RESERVED' AND line.product_id > :above GROUP BY line.product_id
""",
)
COUNTED_UNITS = _lines_of(
    "o.`lines`",
    """
SELECT line.product_id, SUM(line.quantity), COUNT(*) FROM counted_orders AS counted
JOIN orders AS o ON o.id = counted.order_id
JOIN {line}
WHERE {scope} AND line.product_id > :above GROUP BY line.product_id
""",
)
STOCK_THAT_IS_MISSED = "SELECT product_id, supplied, available FROM stock AS s WHERE {scope} AND supplied <> available"
SALES = "SELECT product_id, units, orders FROM product_sales AS sales WHERE {scope}"
# What is counted as sold, in place of adding up all reservations.
STOCK_BESIDE_SALES = """
SELECT s.product_id, s.supplied, s.available, COALESCE(sales.units, 0) FROM stock AS s
LEFT JOIN product_sales AS sales ON sales.product_id = s.product_id WHERE {scope}
"""

BALANCES = """
SELECT b.user_id, b.balance, COALESCE(SUM(entry.amount), 0) FROM point_balances AS b
LEFT JOIN point_entries AS entry ON entry.account = CONCAT('user:', b.user_id)
WHERE {scope} GROUP BY b.user_id, b.balance
HAVING b.balance < 0 OR b.balance <> COALESCE(SUM(entry.amount), 0)
"""
ENTRIES_WITHOUT_BALANCE = """
SELECT CAST(SUBSTRING(entered.account, 6) AS UNSIGNED), entered.total FROM (
  SELECT entry.account, SUM(entry.amount) AS total FROM point_entries AS entry WHERE {scope} GROUP BY entry.account
) AS entered LEFT JOIN point_balances AS b ON b.user_id = CAST(SUBSTRING(entered.account, 6) AS UNSIGNED)
WHERE b.user_id IS NULL
"""
MOVEMENTS = """
SELECT entry.transaction_id, entry.kind, SUM(entry.amount), COUNT(payment.order_id) > 0 FROM point_entries AS entry
LEFT JOIN payments AS payment ON payment.order_id = entry.transaction_id
WHERE {scope} GROUP BY entry.transaction_id, entry.kind
HAVING SUM(entry.amount) <> 0 OR (entry.kind IN ('spend', 'restore') AND COUNT(payment.order_id) = 0)
"""
PAYMENTS = """
SELECT order_id, status, amount, spent, restored FROM (
  SELECT payment.order_id, payment.status, payment.amount,
    COALESCE(SUM(IF(entry.kind = 'spend', entry.amount, 0)), 0) AS spent,
    COALESCE(SUM(IF(entry.kind = 'restore', entry.amount, 0)), 0) AS restored
  FROM payments AS payment LEFT JOIN point_entries AS entry
    ON entry.transaction_id = payment.order_id AND entry.account = CONCAT('user:', payment.user_id)
  WHERE {scope} GROUP BY payment.order_id, payment.status, payment.amount
) AS entered
WHERE NOT (spent = IF(status IN ('PAID', 'REFUNDED'), -COALESCE(amount, 0), 0)
  AND restored = IF(status = 'REFUNDED', COALESCE(amount, 0), 0))
"""
# Answers of orders have lines, those of charges a balance; others name nothing that is looked for.
KEYS = """
SELECT id, created_at, status IS NOT NULL, names, made_at, keys_of_it FROM (
  SELECT k.id, k.created_at, k.status, k.names, COUNT(*) OVER (PARTITION BY k.made) AS keys_of_it,
    CASE k.names WHEN 'order' THEN (SELECT o.created_at FROM orders AS o WHERE o.id = k.made)
      WHEN 'charge' THEN (SELECT MIN(entry.created_at) FROM point_entries AS entry
        WHERE entry.transaction_id = k.made AND entry.kind = 'charge') END AS made_at
  FROM (
    SELECT id, created_at, status, IF(IS_UUID(made), UUID_TO_BIN(made), NULL) AS made, names FROM (
      SELECT k.id, k.created_at, k.status,
        IF(JSON_VALID(CONVERT(k.answer USING utf8mb4)),
           JSON_UNQUOTE(JSON_EXTRACT(CONVERT(k.answer USING utf8mb4), '$.id')), NULL) AS made,
        IF(JSON_VALID(CONVERT(k.answer USING utf8mb4)),
           CASE WHEN JSON_CONTAINS_PATH(CONVERT(k.answer USING utf8mb4), 'one', '$.lines') THEN 'order'
             WHEN JSON_CONTAINS_PATH(CONVERT(k.answer USING utf8mb4), 'one', '$.balance') THEN 'charge' END,
           NULL) AS names
      FROM idempotency_keys AS k WHERE {scope} AND (k.status IS NULL OR k.status BETWEEN 200 AND 299)
    ) AS named
  ) AS k
) AS judged
WHERE status IS NULL OR (names IS NOT NULL AND (made_at IS NULL OR made_at <> created_at OR keys_of_it > 1))
"""

COUPONS = """
SELECT c.id, c.total, c.issued, COUNT(issue.id) FROM coupons AS c
LEFT JOIN coupon_issues AS issue ON issue.coupon_id = c.id
WHERE {scope} GROUP BY c.id, c.total, c.issued HAVING c.issued <> COUNT(issue.id) OR COUNT(issue.id) > c.total
"""
REDEMPTIONS = """
SELECT r.order_id, r.status, COALESCE(issue.order_id = r.order_id, 0) FROM coupon_redemptions AS r
LEFT JOIN coupon_issues AS issue ON issue.id = r.issue_id
WHERE {scope} AND (r.status = 'USED') <> COALESCE(issue.order_id = r.order_id, 0)
"""
ISSUES = """
SELECT issue.id, r.status FROM coupon_issues AS issue
LEFT JOIN coupon_redemptions AS r ON r.order_id = issue.order_id AND r.issue_id = issue.id
WHERE {scope} AND issue.order_id IS NOT NULL AND COALESCE(r.status, '') <> 'USED'
"""

# The issuer group makes accepted issues ISSUED; by an index that lists those that wait, the oldest first.
LONG_ACCEPTED = """
SELECT id, created_at FROM coupon_issues WHERE status = 'ACCEPTED' AND created_at < :before
ORDER BY created_at LIMIT :most
"""
LATELY_ACCEPTED = """
SELECT COUNT(*) FROM coupon_issues WHERE status = 'ACCEPTED' AND created_at >= :before
"""

OLD_MESSAGES = """
SELECT seq, topic, created_at FROM outbox WHERE published_at IS NULL AND created_at < :before ORDER BY seq LIMIT :most
"""
WAITING_MESSAGES = """
SELECT COUNT(*) FROM outbox WHERE published_at IS NULL AND created_at >= :before
"""
# A claim's mark: the transaction that sets it takes it away again.
HALF_PROCESSED = """
SELECT consumer_group, message_id FROM processed_messages WHERE processed_at < '1971-01-01' LIMIT :most
"""

# What changed lately, and what may change still; by the name of what is found. None gives more than is asked for.
CHANGED: Mapping[str, str] = MappingProxyType(
    {
        "open": "SELECT order_id FROM order_sagas WHERE open = 1 LIMIT :most",
        "finished": "SELECT id FROM orders WHERE finished_at >= :since LIMIT :most",
        "reserved": "SELECT order_id FROM stock_reservations WHERE updated_at >= :since LIMIT :most",
        "moved": "SELECT DISTINCT transaction_id FROM point_entries WHERE created_at >= :since LIMIT :most",
        "entered": "SELECT DISTINCT account FROM point_entries WHERE created_at >= :since"
        " AND account LIKE 'user:%' LIMIT :most",
        "keyed": "SELECT DISTINCT created_at FROM idempotency_keys WHERE created_at >= :since LIMIT :most",
        "uncounted": "SELECT o.id FROM orders AS o LEFT JOIN counted_orders AS counted ON counted.order_id = o.id"
        " WHERE o.finished_at >= :uncounted_since AND o.status = 'PAID' AND counted.order_id IS NULL LIMIT :most",
    }
)
OLDEST_UNCOUNTED = """
SELECT MIN(o.finished_at) FROM orders AS o LEFT JOIN counted_orders AS counted ON counted.order_id = o.id
WHERE {scope} AND o.status = 'PAID' AND counted.order_id IS NULL
"""
TIMES_OF_KEYS = "SELECT DISTINCT created_at FROM idempotency_keys AS k WHERE {scope}"
PRODUCTS_OF = _lines_of(
    "r.`lines`",
    """
SELECT DISTINCT line.product_id FROM stock_reservations AS r
JOIN {line} WHERE {scope}
""",
)
