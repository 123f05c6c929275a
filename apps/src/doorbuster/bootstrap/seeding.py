"""Puts the seeding of a profile together: part after part, each with its checkpoint, until all is there or it is ended.

Demo users have points, which are worth money in a shop: they are made only where the API believes the development
issuer, as a top-up is (R20). Profile `prod` has none.
"""

import asyncio
from dataclasses import dataclass

import structlog

from doorbuster.bootstrap.prepare import SEEDS, SeedProfile
from doorbuster.bootstrap.top_up import refuse_without_development_issuer
from doorbuster.infra.mysql.checkpointed_seeding import Seeded, forget_checkpoint, seed_on
from doorbuster.infra.mysql.database import Database
from doorbuster.settings import Settings

# The parts come one after the other.
CONNECTIONS = 1

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSeeded:
    """What is there now; the field names are those of the job's answer.

    Attributes:
        complete: whether all parts are there to their last item.
    """

    profile: SeedProfile
    parts: list[Seeded]
    complete: bool


async def seed_profile(
    settings: Settings, profile: SeedProfile, *, stop: asyncio.Event, from_start: bool = False
) -> ProfileSeeded:
    """Write what is missing of the profile's data; with `stop` set it ends behind the transaction in hand.

    Args:
        settings: where to, and what proves that this is no shop.
        profile: what is loaded.
        stop: ends it early; another run goes on from there.
        from_start: look at every item again, whatever the checkpoints say.

    Raises:
        NotARehearsal: demo data aren't allowed here; nothing was asked of any server.
        NotAccepted: the database refused a transaction twenty times; another run goes on from there.
        OutcomeUnknown: the last of twenty attempts may have been committed; so does it then.
    """
    if SEEDS[profile]:
        refuse_without_development_issuer(settings)
    database = Database(settings.mysql.model_copy(update={"pool_size": CONNECTIONS}))
    try:
        seeded = await _parts(database, profile, stop=stop, from_start=from_start)
    finally:
        await database.close()
    complete = len(seeded) == len(SEEDS[profile]) and all(part.done == part.of for part in seeded)
    return ProfileSeeded(profile=profile, parts=seeded, complete=complete)


async def _parts(database: Database, profile: SeedProfile, *, stop: asyncio.Event, from_start: bool) -> list[Seeded]:
    seeded = []
    for part in SEEDS[profile]:
        if stop.is_set():
            break
        checkpoint = f"{profile}/{part.name}"
        if from_start:
            await forget_checkpoint(database, checkpoint)
        seeded.append(await seed_on(database, part, checkpoint=checkpoint, stop=stop))
        log.info("seeded", what=part.name, new=seeded[-1].new, done=seeded[-1].done, of=part.count)
    return seeded
