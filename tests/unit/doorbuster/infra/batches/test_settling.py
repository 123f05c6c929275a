import pytest
from structlog.testing import capture_logs

from doorbuster.infra.batches.settling import settled
from doorbuster.kernel.errors import NotAccepted, OutcomeUnknown


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
