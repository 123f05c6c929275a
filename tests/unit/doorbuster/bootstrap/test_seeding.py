"""What is allowed to be seeded, and where."""

import asyncio

import pytest

from doorbuster.bootstrap.prepare import SEEDS, SeedProfile
from doorbuster.bootstrap.seeding import seed_profile
from doorbuster.bootstrap.top_up import NotARehearsal
from doorbuster.settings import MySqlSettings, Settings
from tests.ports import free_port


def settings() -> Settings:
    """Return those of a place where nobody answers."""
    return Settings(mysql=MySqlSettings(port=free_port()))


@pytest.mark.parametrize("profile", [SeedProfile.LOCAL, SeedProfile.TEST, SeedProfile.LOAD])
async def test_demo_users_are_refused_where_the_development_issuer_is_not_believed(profile: SeedProfile) -> None:
    with pytest.raises(NotARehearsal, match="doesn't name the development issuer"):
        await seed_profile(settings(), profile, stop=asyncio.Event())


async def test_production_has_no_demo_data_and_asks_nobody() -> None:
    seeded = await seed_profile(settings(), SeedProfile.PROD, stop=asyncio.Event())

    assert (seeded.parts, seeded.complete) == ([], True)
    assert SEEDS[SeedProfile.PROD] == ()


def test_the_checkpoints_of_all_parts_have_names_of_their_own_that_fit() -> None:
    names = [f"{profile}/{part.name}" for profile, parts in SEEDS.items() for part in parts]

    assert len(names) == len(set(names))
    assert max(map(len, names)) <= 64
