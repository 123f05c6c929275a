import pytest

from loadtests.rig.errors import JobFailed, QuestionFailed
from loadtests.rig.prometheus import points
from loadtests.trials.ground import coupon_in, is_there
from tests.ports import free_port
from tests.unit.loadtests.shop_server import shop


def test_the_coupons_job_tells_id_and_count() -> None:
    line = '{"id":12,"name":"doorbuster-scenario","total":500,"issued":7,"gate":"open"}\n'

    assert (coupon_in(line, "id"), coupon_in(line, "issued")) == (12, 7)


@pytest.mark.parametrize("printed", ["", "Traceback", "{}", "[]", '{"id": null}', '{"id": "12"}'])
def test_anything_else_is_a_job_that_failed(printed: str) -> None:
    with pytest.raises(JobFailed):
        coupon_in(printed, "id")


def test_a_stretch_of_time_is_read_without_what_is_no_number() -> None:
    answer = {"data": {"result": [{"metric": {}, "values": [[10, "3"], [15, "NaN"], [20, "4.5"]]}]}}

    assert points(answer) == [(10.0, 3.0), (20.0, 4.5)]
    assert points({"data": {"result": []}}) == []


@pytest.mark.parametrize("answer", [{}, {"data": {"result": [{}]}}, {"data": {"result": [{"values": [[1]]}]}}])
def test_an_answer_that_cannot_be_read_is_no_answer(answer: object) -> None:
    with pytest.raises(QuestionFailed, match="can't be read"):
        points(answer)


def test_what_the_api_has_is_there_and_tokens_are_asked_for_where_they_are_needed() -> None:
    with shop() as opened:
        assert is_there(opened.url, "/api/v1/products/7")
        assert opened.tokens == set()
        assert is_there(opened.url, "/api/v1/points", user_id=5)
        assert opened.tokens == {5}
        assert not is_there(opened.url, "/api/v1/coupon-issues/none", user_id=5)


def test_a_shop_that_is_not_there_is_no_answer() -> None:
    with pytest.raises(QuestionFailed, match="nobody answers"):
        is_there(f"http://127.0.0.1:{free_port()}", "/api/v1/products/7")
