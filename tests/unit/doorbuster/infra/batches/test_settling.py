"""One transaction or many: what is tried again, and what is halved."""

from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from doorbuster.infra.batches.settling import all_settled, settled
from doorbuster.kernel.errors import DataRefused, NotAccepted, OutcomeUnknown


class Attempts:
    """Ends as it is told, one after the other; then well."""

    def __init__(self, *fates: Exception) -> None:
        self._fates = list(fates)
        self.times = 0

    async def __call__(self) -> str:
        self.times += 1
        if self._fates:
            raise self._fates.pop(0)
        return "done"


UNKNOWN, REFUSED = OutcomeUnknown("no answer"), NotAccepted("no primary")


async def test_what_is_known_is_not_tried_again() -> None:
    done, refused = Attempts(), Attempts(REFUSED)

    assert await settled(done, settle_seconds=5) == "done"
    with pytest.raises(NotAccepted):
        await settled(refused, settle_seconds=5)
    assert (done.times, refused.times) == (1, 1)


async def test_an_unknown_outcome_is_settled_by_trying_again_also_through_an_outage() -> None:
    attempts = Attempts(UNKNOWN, REFUSED, UNKNOWN)

    with capture_logs():
        assert await settled(attempts, settle_seconds=5) == "done"
    assert attempts.times == 4


async def test_an_outage_after_an_unknown_outcome_does_not_make_it_known() -> None:
    with capture_logs(), pytest.raises(OutcomeUnknown):
        await settled(Attempts(UNKNOWN, *[REFUSED] * 1000), settle_seconds=0)


async def test_one_that_can_never_succeed_fails_alone() -> None:
    attempted: list[Sequence[int]] = []

    async def attempt(part: Sequence[int]) -> Sequence[int]:
        attempted.append(part)
        if 5 in part:
            raise DataRefused("MySQL error 3819")
        return [-number for number in part]

    with capture_logs() as logged:
        outcomes = await all_settled(tuple(range(8)), attempt, settle_seconds=5)

    assert [each for each in outcomes if not isinstance(each, DataRefused)] == [0, -1, -2, -3, -4, -6, -7]
    assert isinstance(outcomes[5], DataRefused)
    assert len(attempted) == 7
    assert [entry["poison"] for entry in logged] == ["DataRefused"]


async def test_an_outage_and_an_unknown_outcome_are_told_to_all_and_never_split() -> None:
    attempted: list[Sequence[int]] = []

    async def attempt(part: Sequence[int]) -> Sequence[int]:
        attempted.append(part)
        raise REFUSED if part == (1, 2) else UNKNOWN

    with capture_logs():
        assert await all_settled((1, 2), attempt, settle_seconds=5) == [REFUSED, REFUSED]
        assert await all_settled((3, 4, 5), attempt, settle_seconds=0) == [UNKNOWN] * 3
    assert attempted == [(1, 2), (3, 4, 5)]
