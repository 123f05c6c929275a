"""Who acts: clients, members of consumer groups, the relay, the watch. Each `yield` is a place to crash."""

from dataclasses import replace
from uuid import UUID

from doorbuster.contracts.topics import Group, Topic
from doorbuster.kernel.ids import OrderId
from doorbuster.kernel.refusals import Refusal
from doorbuster.orders import watch
from doorbuster.orders.model import PlaceOrder, Saga, SagaStep, begin, place
from doorbuster.orders.saga import Transition, redriven, request_cancel
from doorbuster.points.model import ChargePoints, charge
from tests.unit.doorbuster.simulation.broker import Record
from tests.unit.doorbuster.simulation.database import OutboxRow, Steps, Transaction
from tests.unit.doorbuster.simulation.defects import Defect
from tests.unit.doorbuster.simulation.groups import GROUPS, Batch, append
from tests.unit.doorbuster.simulation.world import World


def member(world: World, group: Group, index: int) -> Steps:
    """Poll, handle in one transaction, commit offsets; for ever (R10)."""
    remembered: set[int] = set()
    while True:
        records = world.broker.poll(group, index, world.rng)
        yield
        if not records:
            continue
        if Defect.OFFSET_FIRST in world.defects:
            world.broker.commit(group, index, records)
            yield
        yield from _handle(world, group, records, remembered)
        yield
        world.broker.commit(group, index, records)


def _handle(world: World, group: Group, records: list[Record], remembered: set[int]) -> Steps:
    database, defects = world.database, world.defects
    transaction = Transaction(database)
    try:
        ids = {(group, record.id): record for record in records}
        yield from transaction.lock(database.processed, ids)
        ids = {key: record for key, record in ids.items() if not _is_known(world, key, remembered)}
        lost = [key for key, record in ids.items() if _is_lost(world, record)]
        bodies = [record.body for key, record in ids.items() if key not in lost]
        batch = Batch(transaction, bodies, world.now, defects, world.coupons)
        events = yield from GROUPS[group](batch)
        for key in ids:
            transaction.write(database.processed, key, world.now)
        if Defect.SENT_BEFORE_COMMIT in defects:
            database.send(events)
        else:
            transaction.send(events)
        yield
        transaction.commit()
        remembered.update(record.id for record in ids.values())
        for record in ids.values():
            world.note(f"{group} took {record.body.type}", record.body.order_id)
        for key in lost:
            world.note("lost", f"{key} {ids[key].body.type}")
        world.watch_over()
    finally:
        transaction.close()


def _is_known(world: World, key: tuple[Group, int], remembered: set[int]) -> bool:
    if Defect.EFFECT_REPEATED in world.defects:
        return False
    return key[1] in remembered if Defect.DEDUPED_IN_MEMORY in world.defects else key in world.database.processed.rows


def _is_lost(world: World, record: Record) -> bool:
    # Some orders are cursed, so that even redrives are lost. Nobody watches over order.completed, so it never is.
    cursed = record.body.order_id.int % 8 == 0
    return record.topic is not Topic.ORDER_COMPLETED and world.chance(0.8 if cursed else 0.03)


def relay(world: World) -> Steps:
    """Publish what isn't published, in any order, and mark it after (R9)."""
    while True:
        yield
        waiting = tuple(world.database.unpublished.values())
        if not waiting:
            continue
        # Ten times as lively as the others: it is one against many.
        for row in world.rng.sample(waiting, k=min(len(waiting), 10)):
            if Defect.RELAY_MARKS_FIRST in world.defects:
                world.database.unpublished.pop(row.id, None)
                yield
            row.partition, row.offset = world.broker.publish(row.id, row.body)
            if world.chance(0.1):
                yield
            world.database.unpublished.pop(row.id, None)
            if world.chance(0.05):
                world.broker.publish(row.id, row.body)
                world.note("published twice", row.body.type)


def buyer(world: World, command: PlaceOrder) -> Steps:
    """Place an order, again and again with the same id until an answer is read (R1, R2)."""
    while command.order_id not in world.accepted | world.refused:
        yield from _place(world, command)
        yield
    world.clients_waiting -= 1


def _place(world: World, command: PlaceOrder) -> Steps:
    database = world.database
    transaction = Transaction(database)
    try:
        yield from transaction.lock(database.sagas, [command.order_id])
        (order,) = place(world.catalogue, [command], world.now)
        if isinstance(order, Refusal):
            world.refused.add(command.order_id)
            return
        if command.order_id not in database.sagas.rows:
            transaction.write(database.sagas, order.id, begin(order))
            transaction.send([order.created()])
        if Defect.ACKNOWLEDGED_FIRST in world.defects:
            world.accepted.add(command.order_id)
        yield
        transaction.commit()
        world.note("placed", order.id)
    finally:
        transaction.close()
    yield
    if not world.chance(0.2):
        world.accepted.add(command.order_id)


def charger(world: World, command: ChargePoints) -> Steps:
    """Charge points, again and again with the same id until an answer is read (R1, R2)."""
    answered = False
    while not answered:
        yield from _charge(world, command)
        yield
        answered = not world.chance(0.2)
    world.clients_waiting -= 1


def _charge(world: World, command: ChargePoints) -> Steps:
    database = world.database
    transaction = Transaction(database)
    try:
        yield from transaction.lock(database.charges, [command.transaction_id])
        if command.transaction_id in database.charges.rows:
            return
        if Defect.LOST_UPDATE not in world.defects:
            yield from transaction.lock(database.balances, [command.user_id])
        balances = {command.user_id: database.balances.rows[command.user_id]}
        yield
        decision = charge(balances, [command], world.now)
        for user, balance in decision.balances.items():
            transaction.write(database.balances, user, balance)
        append(transaction, decision.entries)
        transaction.write(database.charges, command.transaction_id, world.now)
        yield
        transaction.commit()
        world.note("charged", command.amount)
    finally:
        transaction.close()


def watcher(world: World) -> Steps:
    """Look at one open order, and send its step again or give it up (R15)."""
    while True:
        yield
        sagas = [saga for saga in world.database.sagas.rows.values() if saga.open]
        if not sagas:
            continue
        saga = world.rng.choice(sagas)
        trails = tuple(_trail(world, saga.order.id, lookup) for lookup in watch.lookups(saga))
        verdict = watch.decide_overdue(saga, trails, world.now)
        if isinstance(verdict, watch.Queued):
            world.note("queued", saga.order.id)
        if isinstance(verdict, watch.Redrive | watch.Cancel):
            yield from _apply(world, saga.order.id, trails)


def _apply(world: World, order_id: OrderId, trails: tuple[watch.Trail, ...]) -> Steps:
    transaction = Transaction(world.database)
    try:
        yield from transaction.lock(world.database.sagas, [order_id])
        saga = world.database.sagas.rows[order_id]
        match watch.decide_overdue(saga, trails, world.now):
            case watch.Redrive(body=body):
                transition, what = redriven(saga, world.now), f"redriven {body.type}"
            case watch.Cancel(reason=reason):
                transition, what = cancelled(world, saga, reason), f"cancelled: {reason}"
            case _:
                return
        yield from _write(world, transaction, transition)
        world.note(what, order_id)
    finally:
        transaction.close()


def _write(world: World, transaction: Transaction, transition: Transition) -> Steps:
    transaction.write(world.database.sagas, transition.after.order.id, transition.after)
    transaction.send(transition.events)
    yield
    transaction.commit()
    world.watch_over()


def _trail(world: World, order_id: OrderId, lookup: watch.Lookup) -> watch.Trail:
    newest = world.database.newest
    answers = [newest[order_id, name] for name in lookup.answer_types if (order_id, name) in newest]
    return watch.Trail(
        participant=lookup.participant,
        command=_sighting(world, lookup.group, newest.get((order_id, lookup.command_type))),
        answer=_sighting(world, Group.ORDER_FLOW, max(answers, key=lambda row: row.id, default=None)),
    )


def _sighting(world: World, group: Group, row: OutboxRow | None) -> watch.Sighting | None:
    if row is None:
        return None
    if row.offset is None or row.partition is None or world.chance(0.1):
        return watch.Sighting(offset=row.offset, committed=None)
    return watch.Sighting(offset=row.offset, committed=world.broker.committed[group, (row.body.topic, row.partition)])


def regretful(world: World, order_id: OrderId) -> Steps:
    """Cancel an order at whatever point it has reached, if it is there at all."""
    for _ in range(world.rng.randrange(50)):
        yield
    transaction = Transaction(world.database)
    try:
        yield from transaction.lock(world.database.sagas, [order_id])
        saga = world.database.sagas.rows.get(order_id)
        if saga is not None:
            world.note(f"regretted in {saga.step}", order_id)
            yield from _write(world, transaction, cancelled(world, saga, "regretted"))
    finally:
        transaction.close()


def cancelled(world: World, saga: Saga, reason: str) -> Transition:
    """Return what a cancel leads to; with the defect, as if no payment had been requested."""
    if Defect.FLOW_IGNORES_PIVOT in world.defects and saga.step is SagaStep.PAYING:
        return request_cancel(replace(saga, step=SagaStep.RESERVING), reason, world.now)
    return request_cancel(saga, reason, world.now)


def random_uuid(world: World) -> UUID:
    """Return an id that the seed decides."""
    return UUID(int=world.rng.getrandbits(128))
