"""Coupons, who holds them, what they take off an order.

Written by hand and independent of the tables' modules: those go on, this stays. A test compares both.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_0900_bin"}


def upgrade() -> None:
    """Make the tables, and add the columns."""
    _coupons()
    _coupon_issues()
    _column("coupon_redemptions", sa.Column("issue_id", sa.BINARY(16), nullable=True))
    _column("coupon_redemptions", sa.Column("discount", sa.BigInteger(), nullable=True))
    # With a default, so that the release before this one can still insert orders during a rollout.
    _column("orders", sa.Column("discount", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Drop what `upgrade` made, with everything in it."""
    op.drop_column("orders", "discount")
    op.drop_column("coupon_redemptions", "discount")
    op.drop_column("coupon_redemptions", "issue_id")
    op.drop_table("coupon_issues")
    op.drop_table("coupons")


def _coupons() -> None:
    _table(
        "coupons",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("most_discount", sa.BigInteger(), nullable=True),
        sa.Column("minimum_amount", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("issued", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", _instant(), nullable=False),
        sa.Column("valid_until", _instant(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint("issued >= 0 AND issued <= total", name=op.f("ck_coupons_issued_within_total")),
        sa.CheckConstraint("value > 0", name=op.f("ck_coupons_value_positive")),
    )


def _coupon_issues() -> None:
    _table(
        "coupon_issues",
        sa.Column("id", sa.BINARY(16), nullable=False),
        sa.Column("coupon_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("order_id", sa.BINARY(16), nullable=True),
        sa.Column("redeemed_at", _instant(), nullable=True),
        sa.Column("created_at", _instant(), nullable=False),
        sa.Column("issued_at", _instant(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("coupon_id", "user_id", name=op.f("uq_coupon_issues_coupon_id_user_id")),
    )
    _index("ix_coupon_issues_status_created_at", "coupon_issues", ["status", "created_at"])


def _table(name: str, *parts: sa.schema.SchemaItem) -> None:
    # MySQL commits each statement by itself: a run that was killed left some of it, and the next one goes on.
    op.create_table(name, *parts, if_not_exists=True, **OPTIONS)


def _index(name: str, table: str, columns: list[str]) -> None:
    if name not in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}:
        op.create_index(name, table, columns)


def _column(table: str, column: sa.Column[Any]) -> None:
    if column.name not in {known["name"] for known in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def _instant() -> mysql.DATETIME:
    return mysql.DATETIME(fsp=6)
