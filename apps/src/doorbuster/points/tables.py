"""Tables of the points: balances of users, double entries, and one payment an order."""

from sqlalchemy import CheckConstraint, Column, Index, String, Table

from doorbuster.infra.mysql.schema import METADATA, OPTIONS, Big, Instant, UuidBytes

# Only users have a stored balance (R8); the constraint stands behind the code.
point_balances = Table(
    "point_balances",
    METADATA,
    Column("user_id", Big, primary_key=True, autoincrement=False),
    Column("balance", Big, nullable=False),
    CheckConstraint("balance >= 0", name="balance_not_negative"),
    **OPTIONS,
)

# Append-only; the entries of a transaction and kind sum to zero. `account` is `user:<id>` or `system:<name>`. For an
# order the transaction is its id, so it is paid and restored once at most, whatever happens.
point_entries = Table(
    "point_entries",
    METADATA,
    Column("transaction_id", UuidBytes, primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("account", String(32), primary_key=True),
    Column("amount", Big, nullable=False),
    Column("created_at", Instant, nullable=False),
    # An account's history, newest first, each place in it unique; with the amount, the auditor sums a user's entries
    # from the index alone.
    Index(None, "account", "created_at", "transaction_id", "kind", "amount"),
    # For the auditor: what was entered lately.
    Index(None, "created_at"),
    **OPTIONS,
)

payments = Table(
    "payments",
    METADATA,
    Column("order_id", UuidBytes, primary_key=True),
    Column("status", String(16), nullable=False),
    Column("user_id", Big, nullable=True),
    Column("amount", Big, nullable=True),
    Column("reason", String(64), nullable=True),
    Column("updated_at", Instant, nullable=False),
    **OPTIONS,
)
