"""Which answers may be stored (R1)."""

import pytest

from doorbuster.infra.batches.answers import Answer


@pytest.mark.parametrize("status", [200, 201, 202, 409])
def test_what_was_done_and_business_refusals_are_stored(status: int) -> None:
    assert Answer(status=status, body=b"{}").status == status


@pytest.mark.parametrize("status", [100, 302, 400, 404, 422, 500, 503])
def test_anything_else_is_not(status: int) -> None:
    with pytest.raises(ValueError, match="must not be stored"):
        Answer(status=status, body=b"{}")
