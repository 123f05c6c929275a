from collections.abc import Callable

import httpx
import pytest

from loadtests.checks import asking
from loadtests.checks.asking import issued_token
from loadtests.errors import ApiUnreadable


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAUSE_SECONDS", 0.0)


Answer = Callable[[httpx.Request], httpx.Response]


async def asked(answer: Answer) -> str:
    async with httpx.AsyncClient(base_url="http://shop", transport=httpx.MockTransport(answer)) as client:
        return await issued_token(client, 1)


async def test_a_tired_server_is_asked_again() -> None:
    answers = iter([httpx.Response(503), httpx.Response(500), httpx.Response(201, json={"token": "t"})])

    assert await asked(lambda _: next(answers)) == "t"


@pytest.mark.parametrize(("status", "times"), [(503, 5), (404, 1)])
async def test_asking_ends(status: int, times: int) -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(status)

    with pytest.raises(ApiUnreadable, match=f"status {status}"):
        await asked(answer)
    assert len(requests) == times


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"token": ""}'])
async def test_another_answer_than_was_asked_for_is_named(body: str) -> None:
    with pytest.raises(ApiUnreadable, match="something else"):
        await asked(lambda _: httpx.Response(200, text=body))
