from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.bootstrap import top_up
from doorbuster.bootstrap.top_up import ATTEMPTS, NotARehearsal, refuse_without_development_issuer, until_done
from doorbuster.kernel.errors import DataRefused, DoorbusterError, OutcomeUnknown
from doorbuster.points.new_users import UserIdsTaken
from doorbuster.products.restock import ProductsMissing
from doorbuster.settings import AuthSettings, IssuerSettings, Settings


class RefusingDatabase:
    """Transactions that fail at their end, one error after the other, and then succeed."""

    def __init__(self, *errors: DoorbusterError) -> None:
        self.opened = 0
        self._errors = list(errors)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        self.opened += 1
        # Nobody asks it anything here.
        yield object()  # type: ignore[misc]
        if self._errors:
            raise self._errors.pop(0)


async def answer(_: AsyncConnection) -> int:
    return 7


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(top_up, "LONGEST_PAUSE_SECONDS", 0.0)


def believing(*names: str) -> Settings:
    issuers = tuple(IssuerSettings(issuer=name, jwks_url="http://issuer/jwks") for name in names)
    return Settings(auth=AuthSettings(issuers=issuers))


async def test_ids_that_somebody_took_and_unknown_outcomes_are_tried_again() -> None:
    database = RefusingDatabase(UserIdsTaken("user 4"), DataRefused("1062"), OutcomeUnknown("COMMIT"))

    assert await until_done(database, answer, what="claim_users") == 7
    assert database.opened == 4


async def test_after_twenty_attempts_the_last_error_is_told() -> None:
    database = RefusingDatabase(*(UserIdsTaken(f"attempt {number}") for number in range(1, 100)))

    with pytest.raises(UserIdsTaken, match=f"attempt {ATTEMPTS}"):
        await until_done(database, answer, what="claim_users")


async def test_what_another_attempt_would_not_change_is_told_at_once() -> None:
    database = RefusingDatabase(ProductsMissing("none of the products exists"))

    with pytest.raises(ProductsMissing):
        await until_done(database, answer, what="find_products")
    assert database.opened == 1


def test_it_is_allowed_where_the_api_believes_the_development_issuer() -> None:
    refuse_without_development_issuer(believing("https://login.example", "doorbuster-development"))


@pytest.mark.parametrize("names", [(), ("https://login.example",)])
def test_it_is_refused_everywhere_else(names: tuple[str, ...]) -> None:
    with pytest.raises(NotARehearsal, match="doesn't name the development issuer, 'doorbuster-development'"):
        refuse_without_development_issuer(believing(*names))
