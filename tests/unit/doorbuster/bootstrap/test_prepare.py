from collections.abc import Awaitable, Callable

import pytest

from doorbuster.bootstrap import prepare
from doorbuster.bootstrap.prepare import SEEDS, SeedProfile, until_answered
from doorbuster.infra.mysql.seeding import ROWS_IN_TRANSACTION
from doorbuster.kernel.errors import NotAccepted, PrimaryUnavailable


def refusing(times: int) -> tuple[Callable[[], Awaitable[object]], list[int]]:
    asked: list[int] = []

    async def ask() -> object:
        asked.append(1)
        if len(asked) <= times:
            raise PrimaryUnavailable("mysql-0: RECOVERING SECONDARY")
        return "mysql-0"

    return ask, asked


async def test_a_server_is_asked_until_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "SECONDS_BETWEEN_QUESTIONS", 0.0)
    ask, asked = refusing(3)

    await until_answered("the MySQL primary", ask, patience_seconds=60)

    assert len(asked) == 4


async def test_when_the_patience_is_over_the_server_and_its_answer_are_named() -> None:
    ask, _ = refusing(100)

    with pytest.raises(NotAccepted, match=r"waited 0 s for the MySQL primary: mysql-0: RECOVERING SECONDARY"):
        await until_answered("the MySQL primary", ask, patience_seconds=0)


def test_the_profiles_have_what_the_documents_say() -> None:
    assert {profile: [(part.name, part.count) for part in parts] for profile, parts in SEEDS.items()} == {
        SeedProfile.LOCAL: [("products", 5_000), ("users", 10_000), ("coupons", 3)],
        SeedProfile.TEST: [("products", 20), ("users", 20), ("coupons", 3)],
        SeedProfile.LOAD: [("products", 1_000_000), ("users", 1_000_000), ("carts", 200_000)],
        SeedProfile.PROD: [],
    }


def test_an_item_fits_into_a_transaction() -> None:
    assert all(part.rows_per_item <= ROWS_IN_TRANSACTION for parts in SEEDS.values() for part in parts)
