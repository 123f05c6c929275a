"""The carts, and an index for the history of points.

Written by hand and independent of the tables' modules: those go on, this stays. A test compares both.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

HISTORY = "ix_point_entries_account_created_at_transaction_id_kind_amount"


def upgrade() -> None:
    """Make the table and the index."""
    # MySQL commits each statement by itself: a run that was killed may have made one of them.
    op.create_table(
        "carts",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("updated_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.PrimaryKeyConstraint("user_id"),
        if_not_exists=True,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_0900_bin",
    )
    if not _has_index():
        op.create_index(HISTORY, "point_entries", ["account", "created_at", "transaction_id", "kind", "amount"])


def downgrade() -> None:
    """Drop both, with all carts."""
    if _has_index():
        op.drop_index(HISTORY, "point_entries")
    op.drop_table("carts", if_exists=True)


def _has_index() -> bool:
    return HISTORY in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("point_entries")}
