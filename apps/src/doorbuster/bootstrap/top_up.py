"""Puts the top-up for a rehearsal together: new users with points, more stock, one hot product.

Every part may be ended at any moment: users, points and stock are right in each transaction, and another run makes
other users. It gives away what is worth money, so it works only where the API believes the development issuer: there
whoever asks gets a token for any user anyway, and the chart refuses that issuer in production (R20).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from redis.exceptions import RedisError
from sqlalchemy.ext.asyncio import AsyncConnection

from doorbuster.infra import redis
from doorbuster.infra.cache.sold_out import RedisSoldOut
from doorbuster.infra.jitter import pause
from doorbuster.infra.mysql.database import Database
from doorbuster.infra.mysql.seeding import seed
from doorbuster.infra.mysql.transactions import Transactions
from doorbuster.kernel.errors import DataRefused, DoorbusterError, NotAccepted, OutcomeUnknown
from doorbuster.kernel.ids import ProductId, UserId
from doorbuster.points.new_users import NewUsers, claim_users
from doorbuster.products.restock import Restock, find_restock, make_hot_product
from doorbuster.settings import Settings

# The parts come one after the other.
CONNECTIONS = 1
# As many as a transaction of the seed has.
ATTEMPTS = 20
LONGEST_PAUSE_SECONDS = 1.0

T = TypeVar("T")

log = structlog.get_logger()


class NotARehearsal(DoorbusterError):
    """These settings may be those of a shop where points and units are worth something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp:
    """What is wanted.

    Attributes:
        users: how many new ones.
        points: of each new user.
        first_product: the first of those that are filled up.
        products: how many are filled up, at most: only those that exist.
        units: so many each of them has at least.
        hot_units: units of a new hot product; 0 means that none is made.
    """

    users: int
    points: int
    first_product: ProductId
    products: int
    units: int
    hot_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ToppedUp:
    """What is there now; the field names are those of the job's answer.

    Attributes:
        users: ids from `first_user` on.
        products: ids from `first_product` on.
        hot_product: None when none was asked for.
    """

    first_user: UserId
    users: int
    first_product: ProductId
    products: int
    hot_product: ProductId | None
    hot_units: int


def refuse_without_development_issuer(settings: Settings) -> None:
    """Return if the API of these settings believes the development issuer.

    Raises:
        NotARehearsal: it doesn't.
    """
    if settings.issuer.name not in {believed.issuer for believed in settings.auth.issuers}:
        raise NotARehearsal(
            f"DOORBUSTER_AUTH__ISSUERS doesn't name the development issuer, {settings.issuer.name!r}: points and stock"
            " are given away only where the API believes it. Run this in a pod of the API of such a release"
        )


async def top_up(settings: Settings, wanted: TopUp) -> ToppedUp:
    """Make users, stock and the hot product.

    Raises:
        NotARehearsal: it isn't allowed here; nothing was asked of any server.
        ProductsMissing: the products don't exist; nothing was written.
        NotAccepted: the database refused a transaction twenty times.
        OutcomeUnknown: the last of twenty attempts may have been committed.
    """
    refuse_without_development_issuer(settings)
    database = Database(settings.mysql.model_copy(update={"pool_size": CONNECTIONS}))
    try:
        done = await _top_up(database, wanted)
    finally:
        await database.close()
    await _clear_hints(settings, done)
    return done


async def _top_up(database: Transactions, wanted: TopUp) -> ToppedUp:
    restock = await _restock(database, wanted)
    users = await _new_users(database, wanted)
    hot_product = await _hot_product(database, wanted)
    return ToppedUp(
        first_user=users.first,
        users=users.count,
        first_product=restock.first,
        products=restock.count,
        hot_product=hot_product,
        hot_units=wanted.hot_units,
    )


async def _restock(database: Transactions, wanted: TopUp) -> Restock:
    async def find(connection: AsyncConnection) -> Restock:
        return await find_restock(connection, first=wanted.first_product, most=wanted.products, units=wanted.units)

    restock = await until_done(database, find, what="find_products")
    changed = await seed(database, restock)
    log.info("restocked", products=restock.count, changed=changed)
    return restock


async def _clear_hints(settings: Settings, done: ToppedUp) -> None:
    """Say that what was filled up isn't sold out any more (R4); without Redis the hint ends by itself."""
    client = redis.connect(settings.redis)
    hints = RedisSoldOut(client)
    try:
        filled_up = range(done.first_product, done.first_product + done.products)
        await hints.clear([each for each in await hints.current() if each in filled_up])
    except (RedisError, OSError) as exc:
        log.info("hints_not_cleared", error=type(exc).__name__)
    finally:
        await client.aclose()


async def _new_users(database: Transactions, wanted: TopUp) -> NewUsers:
    async def claim(connection: AsyncConnection) -> NewUsers:
        return await claim_users(connection, count=wanted.users, points=wanted.points)

    users = await until_done(database, claim, what="claim_users")
    await seed(database, users)
    log.info("users_made", first=users.first, users=users.count)
    return users


async def _hot_product(database: Transactions, wanted: TopUp) -> ProductId | None:
    if wanted.hot_units == 0:
        return None

    async def make(connection: AsyncConnection) -> ProductId:
        return await make_hot_product(connection, units=wanted.hot_units)

    product_id = await until_done(database, make, what="make_hot_product")
    log.info("hot_product_made", product=product_id, units=wanted.hot_units)
    return product_id


async def until_done(database: Transactions, work: Callable[[AsyncConnection], Awaitable[T]], *, what: str) -> T:
    """Return what one transaction of this work returns, after twenty attempts at most.

    An attempt whose outcome isn't known is repeated with new ids: what it may have left behind is right, and unused.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return await _once(database, work)
        except (NotAccepted, DataRefused, OutcomeUnknown) as exc:
            # DataRefused is also what a key is that somebody else inserted a moment ago.
            log.warning("top_up_tried_again", what=what, error=str(exc))
        await pause(LONGEST_PAUSE_SECONDS)
    return await _once(database, work)


async def _once(database: Transactions, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    async with database.transaction() as connection:
        return await work(connection)
