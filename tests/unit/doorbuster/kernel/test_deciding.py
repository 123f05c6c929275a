"""What a pure decision raises is poison, and says why."""

import asyncio

import pytest

from doorbuster.kernel.deciding import deciding
from doorbuster.kernel.errors import DataRefused, DecisionFailed


def test_an_exception_of_a_decision_is_poison_with_its_cause() -> None:
    with pytest.raises(DecisionFailed, match="KeyError: 'price'") as raised, deciding():
        raise KeyError("price")
    assert isinstance(raised.value.__cause__, KeyError)


def test_poison_that_is_named_already_stays_what_it_is() -> None:
    named = DataRefused("too long")
    with pytest.raises(DataRefused) as raised, deciding():
        raise named
    assert raised.value is named


def test_a_cancelled_task_is_no_poison() -> None:
    with pytest.raises(asyncio.CancelledError), deciding():
        raise asyncio.CancelledError
