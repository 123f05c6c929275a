"""Tables of the dead letters, with what was decided about each, and of how far a seed has come.

Written by hand and independent of the tables' modules: those go on, this stays. A test compares both.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_0900_bin"}


def upgrade() -> None:
    """Make both tables."""
    _dead_letters()
    # MySQL commits each statement by itself: a run that was killed left some tables, and the next one goes on.
    op.create_table(
        "seed_checkpoints",
        sa.Column("part", sa.String(64), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.PrimaryKeyConstraint("part"),
        if_not_exists=True,
        **OPTIONS,
    )


def downgrade() -> None:
    """Drop both with everything in them."""
    op.drop_table("seed_checkpoints")
    op.drop_table("dead_letters")


def _dead_letters() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("source_topic", sa.String(64), nullable=False),
        sa.Column("source_partition", sa.Integer(), nullable=False),
        sa.Column("source_offset", sa.BigInteger(), nullable=False),
        sa.Column("consumer_group", sa.String(64), nullable=False),
        sa.Column("message_key", sa.VARBINARY(64), nullable=False),
        sa.Column("payload", mysql.MEDIUMBLOB(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("created_at", mysql.DATETIME(fsp=6), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("decided_at", mysql.DATETIME(fsp=6), nullable=True),
        sa.Column("reason", sa.String(255), nullable=True),
        sa.Column("replays", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        if_not_exists=True,
        **OPTIONS,
    )
    _index("ix_dead_letters_state_id", ["state", "id"])
    _index("ix_dead_letters_created_at", ["created_at"])


def _index(name: str, columns: list[str]) -> None:
    if name not in {index["name"] for index in sa.inspect(op.get_bind()).get_indexes("dead_letters")}:
        op.create_index(name, "dead_letters", columns)
