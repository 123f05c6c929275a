from dataclasses import replace
from datetime import timedelta

import pytest

from doorbuster.contracts.bodies import CouponNone, OrderCancelled, PaymentCancelled, StockRejected, StockReserved
from doorbuster.contracts.topics import Group
from doorbuster.orders.model import CancelReason, Known, Participant, Saga, SagaStep
from doorbuster.orders.saga import advance, redriven, request_cancel
from doorbuster.orders.watch import (
    DEFAULT_POLICY,
    Cancel,
    Lookup,
    Place,
    Queued,
    Redrive,
    Sighting,
    Trail,
    Wait,
    decide_overdue,
    lookups,
)
from tests.unit.doorbuster.orders.orders import ID, NEW_SAGA, ORDER, START

SECOND = timedelta(seconds=1)
AHEAD = Sighting(offset=7, committed=7)
PASSED = Sighting(offset=7, committed=8)
UNKNOWN = Sighting(offset=7, committed=None)
UNPUBLISHED = Sighting(offset=None, committed=None)
STOCK, COUPON, PAYMENT = Participant.STOCK, Participant.COUPON, Participant.PAYMENT

PAYING = advance(NEW_SAGA, [StockReserved(order_id=ID), CouponNone(order_id=ID)], START).after
STOPPING = request_cancel(PAYING, CancelReason.LOST, START).after
DONE = replace(PAYING, step=SagaStep.DONE, payment=Known.GRANTED)
FAILED = advance(NEW_SAGA, [StockRejected(order_id=ID, reason="out-of-stock", product_id=5)], START).after


def trail(who: Participant, command: Sighting | None, answer: Sighting | None = None) -> Trail:
    return Trail(participant=who, command=command, answer=answer)


def everybody(command: Sighting | None, answer: Sighting | None = None) -> list[Trail]:
    return [trail(who, command, answer) for who in Participant]


@pytest.mark.parametrize(
    ("sighting", "place"),
    [(AHEAD, Place.AHEAD), (PASSED, Place.PASSED), (UNKNOWN, Place.UNKNOWN), (UNPUBLISHED, Place.AHEAD)],
    ids=["committed up to it", "committed past it", "offset unknown", "unpublished"],
)
def test_committed_offset_is_the_next_one_to_read(sighting: Sighting, place: Place) -> None:
    assert sighting.place is place


def test_first_message_of_a_partition_is_ahead_of_a_group_that_read_nothing() -> None:
    assert Sighting(offset=0, committed=0).place is Place.AHEAD


def test_lookups_name_the_silent_and_the_types_of_their_answers() -> None:
    assert lookups(NEW_SAGA) == (
        Lookup(
            participant=STOCK,
            group=Group.STOCK,
            command_type="order.created",
            answer_types=("stock.reserved", "stock.rejected"),
        ),
        Lookup(
            participant=COUPON,
            group=Group.COUPON,
            command_type="order.created",
            answer_types=("coupon.none", "coupon.used", "coupon.rejected"),
        ),
    )


@pytest.mark.parametrize(
    ("saga", "expected"),
    [
        (PAYING, [("payment.requested", ("payment.paid", "payment.rejected"))]),
        (STOPPING, [("payment.cancel-requested", ("payment.paid", "payment.rejected", "payment.cancelled"))]),
        (
            FAILED,
            [
                ("order.cancelled", ("stock.released", "stock.cancelled")),
                ("order.cancelled", ("coupon.released", "coupon.cancelled")),
                ("order.cancelled", ("payment.cancelled",)),
            ],
        ),
        (DONE, []),
    ],
    ids=["paying", "stopping", "compensating", "done"],
)
def test_lookups_follow_the_step(saga: Saga, expected: list[tuple[str, tuple[str, ...]]]) -> None:
    assert [(lookup.command_type, lookup.answer_types) for lookup in lookups(saga)] == expected


@pytest.mark.parametrize("saga", [NEW_SAGA, PAYING, STOPPING, FAILED], ids=lambda saga: saga.step)
def test_young_step_waits_whatever_was_seen(saga: Saga) -> None:
    assert decide_overdue(saga, everybody(PASSED), START + 9.9 * SECOND) == Wait()


def test_saga_at_its_end_waits_for_nothing() -> None:
    assert decide_overdue(DONE, everybody(PASSED), START + timedelta(days=1)) == Wait()


@pytest.mark.parametrize("command", [AHEAD, UNPUBLISHED], ids=["ahead", "unpublished"])
@pytest.mark.parametrize("saga", [NEW_SAGA, PAYING, STOPPING, FAILED], ids=lambda saga: saga.step)
def test_late_is_not_lost(saga: Saga, command: Sighting) -> None:
    assert decide_overdue(saga, everybody(command), START + 10 * SECOND) == Queued()


@pytest.mark.parametrize("answer", [AHEAD, UNPUBLISHED], ids=["ahead", "unpublished"])
def test_answer_on_its_way_is_not_lost(answer: Sighting) -> None:
    assert decide_overdue(NEW_SAGA, everybody(PASSED, answer), START + 10 * SECOND) == Queued()


@pytest.mark.parametrize("command", [PASSED, None], ids=["passed", "gone"])
@pytest.mark.parametrize("answer", [PASSED, None], ids=["answer was no use", "no answer"])
def test_lost_step_is_driven_again(command: Sighting | None, answer: Sighting | None) -> None:
    verdict = decide_overdue(NEW_SAGA, everybody(command, answer), START + 10 * SECOND)

    assert verdict == Redrive(body=ORDER.created())


def test_redrive_on_its_way_is_awaited_although_an_older_answer_was_no_use() -> None:
    assert decide_overdue(PAYING, [trail(PAYMENT, AHEAD, PASSED)], START + 10 * SECOND) == Queued()


def test_one_lost_participant_is_enough() -> None:
    trails = [trail(STOCK, AHEAD), trail(COUPON, PASSED)]

    assert decide_overdue(NEW_SAGA, trails, START + 10 * SECOND) == Redrive(body=ORDER.created())


def test_trail_of_a_participant_that_answered_meanwhile_counts_no_more() -> None:
    answered = advance(NEW_SAGA, [CouponNone(order_id=ID)], START).after

    assert decide_overdue(answered, [trail(STOCK, AHEAD), trail(COUPON, PASSED)], START + 10 * SECOND) == Queued()


@pytest.mark.parametrize(
    "trails",
    [[trail(PAYMENT, UNKNOWN)], [trail(PAYMENT, PASSED, UNKNOWN)], []],
    ids=["command", "answer", "nothing seen"],
)
def test_unknown_offset_waits(trails: list[Trail]) -> None:
    assert decide_overdue(PAYING, trails, START + 10 * SECOND) == Wait()


def test_unknown_beside_queued_waits() -> None:
    assert decide_overdue(NEW_SAGA, [trail(STOCK, UNKNOWN), trail(COUPON, AHEAD)], START + 10 * SECOND) == Wait()


@pytest.mark.parametrize("saga", [NEW_SAGA, PAYING], ids=lambda saga: saga.step)
def test_order_is_given_up_after_three_redrives(saga: Saga) -> None:
    verdicts = []
    for n in range(1, 5):
        now = START + n * 10 * SECOND
        verdicts.append(decide_overdue(saga, everybody(PASSED), now))
        saga = redriven(saga, now).after

    assert [type(verdict) for verdict in verdicts[:3]] == [Redrive] * 3
    assert verdicts[3] == Cancel(reason=CancelReason.LOST)


@pytest.mark.parametrize(
    "seen", [AHEAD, UNPUBLISHED, UNKNOWN, PASSED], ids=["ahead", "unpublished", "unknown", "passed"]
)
@pytest.mark.parametrize("saga", [NEW_SAGA, PAYING], ids=lambda saga: saga.step)
def test_business_deadline_cancels_wherever_the_message_is(saga: Saga, seen: Sighting) -> None:
    deadline = START + DEFAULT_POLICY.deadline
    busy = redriven(saga, deadline - SECOND).after

    assert decide_overdue(busy, everybody(seen), deadline) == Cancel(reason=CancelReason.DEADLINE)
    assert decide_overdue(busy, everybody(seen), deadline - SECOND) == Wait()


@pytest.mark.parametrize("saga", [STOPPING, FAILED], ids=lambda saga: saga.step)
def test_cancel_is_driven_without_end_in_growing_pauses(saga: Saga) -> None:
    pauses = []
    now = START
    for _ in range(40):
        pause = next(p for p in range(1, 1_000) if decide_overdue(saga, everybody(PASSED), now + p * SECOND) != Wait())
        now += pause * SECOND
        pauses.append(pause)
        saga = redriven(saga, now).after

    assert pauses[:7] == [10, 20, 40, 80, 160, 300, 300]
    assert pauses[-1] == 300


def test_compensation_is_awaited_only_from_who_has_not_answered() -> None:
    saga = advance(FAILED, [PaymentCancelled(order_id=ID)], START).after

    assert [lookup.participant for lookup in lookups(saga)] == [STOCK, COUPON]
    assert decide_overdue(saga, [trail(STOCK, PASSED), trail(COUPON, AHEAD)], START + 10 * SECOND) == Redrive(
        body=OrderCancelled(order_id=ID, reason="out-of-stock")
    )
