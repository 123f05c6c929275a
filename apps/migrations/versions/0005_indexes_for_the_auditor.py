"""Indexes by which the auditor finds what has changed (R21).

Each costs a write more for each row that it lists; all grow at their end, on a page that is in memory.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INDEXES = (
    # Orders that ended lately. An entry moves once in an order's life, when it ends.
    ("ix_orders_finished_at", "orders", ["finished_at"]),
    # Reservations that changed lately: their products. An entry moves once, when a reservation is released.
    ("ix_stock_reservations_updated_at", "stock_reservations", ["updated_at"]),
    # Entries of the last look: their transactions and users. Never moves.
    ("ix_point_entries_created_at", "point_entries", ["created_at"]),
)


def upgrade() -> None:
    """Make the indexes."""
    for name, table, columns in INDEXES:
        # MySQL commits each statement by itself: a run that was killed made some, and the next one goes on.
        if name not in _there(table):
            op.create_index(name, table, columns)


def downgrade() -> None:
    """Drop the indexes."""
    for name, table, _ in INDEXES:
        if name in _there(table):
            op.drop_index(name, table)


def _there(table: str) -> set[str | None]:
    return {index["name"] for index in sa.inspect(op.get_bind()).get_indexes(table)}
