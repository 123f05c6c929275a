"""The history of points, as the OpenAPI document shows it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from doorbuster.api.schemas import DIGITS, MOST_PER_PAGE
from doorbuster.points.history import CURSOR
from doorbuster.points.model import EntryKind


class EntryDocument(BaseModel):
    """Points that came or went: `amount` is negative when they went.

    `order_id` is the order that was paid or given back, `charge_id` the charge; of a grant both are null.
    """

    kind: EntryKind
    amount: int
    order_id: UUID | None
    charge_id: UUID | None
    created_at: datetime


class EntryPage(BaseModel):
    """Entries, newest first; `next_cursor` is null on the last page."""

    entries: list[EntryDocument]
    next_cursor: str | None


class PageOfEntries(BaseModel):
    """Which entries to show."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MOST_PER_PAGE), DIGITS] = 20
    cursor: Annotated[str, Field(pattern=CURSOR)] | None = None
