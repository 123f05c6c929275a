import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.scenarios.answers import LONGEST_PAUSE_SECONDS, Reading, read_answer
from loadtests.witness import Outcome

ID = "0190e1a2-0000-7000-8000-0123456789ab"
ACCEPTED = json.dumps({"id": ID, "status": "PENDING"}).encode()


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_success_with_an_id_is_accepted(status: int) -> None:
    assert read_answer(status, ACCEPTED, retry_after=None) == Reading(
        outcome=Outcome.OK, status=status, order_id=ID, pause_seconds=None
    )


def test_an_id_is_read_in_its_usual_form() -> None:
    assert read_answer(202, ACCEPTED.upper().replace(b'"ID"', b'"id"'), retry_after=None).order_id == ID


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b'{"id": 5}', b'{"id": "12"}', b'{"ID": "x"}', ACCEPTED[:-3]])
def test_a_success_without_a_readable_id_is_unknown_and_asked_again(body: bytes) -> None:
    assert read_answer(202, body, retry_after=None) == Reading(outcome=Outcome.UNKNOWN, status=202, pause_seconds=1)


@pytest.mark.parametrize("status", [500, 502, 504, 599])
def test_a_server_error_that_does_not_say_no_is_unknown(status: int) -> None:
    assert read_answer(status, b"", retry_after=None) == Reading(
        outcome=Outcome.UNKNOWN, status=status, pause_seconds=1
    )


def test_a_first_try_that_is_still_under_way_is_unknown() -> None:
    reading = read_answer(409, b'{"code": "in-flight"}', retry_after=None)

    assert reading == Reading(outcome=Outcome.UNKNOWN, status=409, pause_seconds=1)


@pytest.mark.parametrize(("status", "code"), [(409, "other"), (422, "invalid-request"), (401, "unauthenticated")])
def test_a_no_is_final(status: int, code: str) -> None:
    body = json.dumps({"code": code}).encode()

    assert read_answer(status, body, retry_after="1") == Reading(outcome=Outcome.FAIL, status=status)


def test_that_it_is_sold_out_is_an_answer_of_the_business_and_final() -> None:
    body = b'{"code": "sold-out", "status": 409}'

    assert read_answer(409, body, retry_after="1") == Reading(outcome=Outcome.SOLD_OUT, status=409)
    assert read_answer(400, body, retry_after=None).outcome is Outcome.FAIL


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("header", "pause"), [(None, None), ("0", 0), ("2", 2), ("3600", 5), ("Fri, 1 Jan", 1)])
def test_a_later_is_asked_again_when_the_server_says_so(status: int, header: str | None, pause: float | None) -> None:
    reading = read_answer(status, b"{}", retry_after=header)

    assert reading == Reading(outcome=Outcome.FAIL, status=status, pause_seconds=pause)


@given(st.integers(min_value=100, max_value=999), st.binary(), st.none() | st.text())
def test_every_answer_can_be_read(status: int, body: bytes, header: str | None) -> None:
    reading = read_answer(status, body, retry_after=header)

    assert (reading.outcome is Outcome.OK) == (reading.order_id is not None)
    assert reading.pause_seconds is None or 0 <= reading.pause_seconds <= LONGEST_PAUSE_SECONDS
