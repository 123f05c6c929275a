"""Tables of catalogue, stock, points, coupons, orders, deliveries, and of what carries their messages.

Written by hand and independent of the tables' modules: those go on, this stays. A test compares both.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_0900_bin"}
NEWEST_FIRST = (
    "deliveries", "order_sagas", "orders", "coupon_redemptions", "payments", "point_entries", "point_balances",
    "counted_orders", "product_sales", "stock_reservations", "stock", "products",
    "idempotency_keys", "processed_messages", "outbox",
)  # fmt: skip


def upgrade() -> None:
    """Make all tables."""
    _messages()
    _catalogue()
    _points()
    _participants_of_the_saga()
    _orders()


def downgrade() -> None:
    """Drop all tables with everything in them."""
    for table in NEWEST_FIRST:
        op.drop_table(table)


def _messages() -> None:
    _table(
        "outbox",
        sa.Column("seq", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.Column("message_key", sa.VARBINARY(64), nullable=False),
        sa.Column("message_type", sa.String(64), nullable=False),
        sa.Column("payload", mysql.MEDIUMBLOB(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=True),
        sa.Column("created_at", _instant(), nullable=False),
        sa.Column("published_at", _instant(), nullable=True),
        sa.Column("kafka_partition", sa.Integer(), nullable=True),
        sa.Column("kafka_offset", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
    )
    _index("ix_outbox_published_at_seq", "outbox", ["published_at", "seq"])
    _index("ix_outbox_message_key_message_type", "outbox", ["message_key", "message_type"])
    _table(
        "processed_messages",
        sa.Column("consumer_group", sa.String(64), nullable=False),
        sa.Column("message_id", sa.BINARY(16), nullable=False),
        sa.Column("processed_at", _instant(), nullable=False),
        sa.PrimaryKeyConstraint("consumer_group", "message_id"),
    )
    _index("ix_processed_messages_processed_at", "processed_messages", ["processed_at"])
    _table(
        "idempotency_keys",
        sa.Column("id", sa.BINARY(32), nullable=False),
        sa.Column("attempt", sa.BINARY(16), nullable=False),
        sa.Column("body_hash", sa.BINARY(32), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("answer", mysql.MEDIUMBLOB(), nullable=True),
        sa.Column("created_at", _instant(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    _index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])


def _catalogue() -> None:
    _table(
        "products",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint("price > 0", name=op.f("ck_products_price_positive")),
    )
    _table(
        "stock",
        sa.Column("product_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("supplied", sa.BigInteger(), nullable=False),
        sa.Column("available", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("product_id"),
        sa.CheckConstraint("available >= 0", name=op.f("ck_stock_available_not_negative")),
    )
    _table(
        "product_sales",
        sa.Column("product_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("orders", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("product_id"),
    )
    _table(
        "counted_orders",
        sa.Column("order_id", sa.BINARY(16), nullable=False),
        sa.Column("counted_at", _instant(), nullable=False),
        sa.PrimaryKeyConstraint("order_id"),
    )


def _points() -> None:
    _table(
        "point_balances",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("balance", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("user_id"),
        sa.CheckConstraint("balance >= 0", name=op.f("ck_point_balances_balance_not_negative")),
    )
    _table(
        "point_entries",
        sa.Column("transaction_id", sa.BINARY(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("account", sa.String(32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _instant(), nullable=False),
        sa.PrimaryKeyConstraint("transaction_id", "kind", "account"),
    )


def _participants_of_the_saga() -> None:
    _table(
        "stock_reservations",
        sa.Column("order_id", sa.BINARY(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=True),
        sa.Column("reason", sa.String(64), nullable=True),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", _instant(), nullable=False),
        sa.PrimaryKeyConstraint("order_id"),
    )
    _table(
        "payments",
        sa.Column("order_id", sa.BINARY(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(64), nullable=True),
        sa.Column("updated_at", _instant(), nullable=False),
        sa.PrimaryKeyConstraint("order_id"),
    )
    _table(
        "coupon_redemptions",
        sa.Column("order_id", sa.BINARY(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("coupon_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(64), nullable=True),
        sa.Column("updated_at", _instant(), nullable=False),
        sa.PrimaryKeyConstraint("order_id"),
    )


def _orders() -> None:
    _table(
        "orders",
        sa.Column("id", sa.BINARY(16), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("coupon_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("failure_reason", sa.String(64), nullable=True),
        sa.Column("created_at", _instant(), nullable=False),
        sa.Column("finished_at", _instant(), nullable=True),
        sa.Column("compensated_at", _instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    _index("ix_orders_user_id_id", "orders", ["user_id", "id"])
    _table(
        "order_sagas",
        sa.Column("order_id", sa.BINARY(16), nullable=False),
        sa.Column("stock", sa.String(16), nullable=False),
        sa.Column("coupon", sa.String(16), nullable=False),
        sa.Column("payment", sa.String(16), nullable=False),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("cancel_reason", sa.String(64), nullable=True),
        sa.Column("redrives", sa.Integer(), nullable=False),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.Column("created_at", _instant(), nullable=False),
        sa.Column("sent_at", _instant(), nullable=False),
        sa.PrimaryKeyConstraint("order_id"),
    )
    _index("ix_order_sagas_open_sent_at", "order_sagas", ["open", "sent_at"])
    _table(
        "deliveries",
        sa.Column("order_id", sa.BINARY(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", _instant(), nullable=False),
        sa.Column("last_error", sa.String(200), nullable=True),
        sa.Column("created_at", _instant(), nullable=False),
        sa.Column("delivered_at", _instant(), nullable=True),
        sa.PrimaryKeyConstraint("order_id"),
    )
    _index("ix_deliveries_status_due_at", "deliveries", ["status", "due_at"])


def _table(name: str, *parts: sa.schema.SchemaItem) -> None:
    # MySQL commits each statement by itself: a run that was killed left some tables, and the next one goes on.
    op.create_table(name, *parts, if_not_exists=True, **OPTIONS)


def _index(name: str, table: str, columns: list[str]) -> None:
    if name not in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}:
        op.create_index(name, table, columns)


def _instant() -> mysql.DATETIME:
    return mysql.DATETIME(fsp=6)
