"""A whole run under one seed: chaos, quiet, checks, replay of every topic, checks again."""

from functools import partial

from doorbuster.kernel.errors import DoorbusterError
from doorbuster.kernel.ids import CouponId, OrderId, ProductId, UserId
from doorbuster.orders.model import PlaceOrder, WantedLine
from doorbuster.points.model import ChargePoints
from tests.unit.doorbuster.simulation.actors import buyer, charger, member, random_uuid, regretful, relay, watcher
from tests.unit.doorbuster.simulation.checker import check
from tests.unit.doorbuster.simulation.database import Steps
from tests.unit.doorbuster.simulation.defects import Defect, Violation
from tests.unit.doorbuster.simulation.groups import GROUPS
from tests.unit.doorbuster.simulation.world import World, populate

ORDERS = 10
CHARGES = 3
CHAOS_TURNS = 1_000
# Many orders for few coupons, so that they fight for them; there is no coupon 7.
_WANTED_COUPONS = tuple(CouponId(number) for number in (1, 1, 1, 1, 2, 2, 2, 3, 3, 7)) + (None,) * 4


def run(world: World) -> None:
    """Let a new world live, and check it.

    Raises:
        Violation: an invariant doesn't hold.
    """
    populate(world, member, tuple(GROUPS))
    world.add("relay", partial(relay, world))
    world.add("watch", partial(watcher, world))
    world.clients_waiting = ORDERS + CHARGES
    world.add("arrivals", partial(_arrivals, world, *_commands(world)))
    try:
        for _ in range(CHAOS_TURNS):
            world.turn()
        world.settle()
        check(world)
        _replay(world)
    except (DoorbusterError, KeyError) as exc:
        raise Violation(f"{type(exc).__name__}: {exc}") from exc


def simulate(seed: int, *defects: Defect) -> World:
    """Return the world of a seed after its life.

    Raises:
        Violation: an invariant doesn't hold; the note says which seed to repeat.
    """
    world = World(seed, frozenset(defects))
    try:
        run(world)
    except Violation as exc:
        names = " ".join((str(seed), *(defect.name for defect in defects)))
        exc.add_note(f"repeat it: python -m tests.unit.doorbuster.simulation {names}")
        raise
    return world


def _commands(world: World) -> tuple[list[PlaceOrder], list[ChargePoints]]:
    return [_order(world) for _ in range(ORDERS)], [_charge(world) for _ in range(CHARGES)]


def _arrivals(world: World, orders: list[PlaceOrder], charges: list[ChargePoints]) -> Steps:
    # Lists are emptied as clients come, so that a crash of this actor neither repeats nor loses one.
    while orders or charges:
        # Not all at once: what an earlier order gave back is for a later one.
        if world.chance(0.6):
            yield
            continue
        if charges and world.rng.random() < 0.3:
            charge = charges.pop()
            world.add(f"charge {charge.transaction_id}", partial(charger, world, charge))
        elif orders:
            order = orders.pop()
            world.add(f"order {order.order_id}", partial(buyer, world, order))
            if world.chance(0.4):
                world.add(f"regret {order.order_id}", partial(regretful, world, order.order_id))
        yield


def _order(world: World) -> PlaceOrder:
    rng = world.rng
    products = rng.sample(tuple(world.supplied), k=rng.randrange(1, 3))
    if rng.random() < 0.05:
        products.append(ProductId(99))
    return PlaceOrder(
        order_id=OrderId(random_uuid(world)),
        user_id=_user(world),
        lines=tuple(WantedLine(product_id=product, quantity=rng.randrange(1, 4)) for product in products),
        coupon_id=rng.choice(_WANTED_COUPONS),
    )


def _user(world: World) -> UserId:
    # Every second order is of the same buyer.
    users = tuple(world.granted)
    return world.rng.choice((*users, *users[:1]))


def _charge(world: World) -> ChargePoints:
    return ChargePoints(
        transaction_id=random_uuid(world),
        user_id=world.rng.choice(tuple(world.granted)),
        amount=world.rng.randrange(1, 2_000),
    )


def _replay(world: World) -> None:
    before = world.database.business()
    world.database.processed.rows.clear()
    world.broker.rewind()
    world.note("replay")
    world.settle()
    if world.database.business() != before:
        raise Violation("a replay of all topics changed business tables")
    check(world)
