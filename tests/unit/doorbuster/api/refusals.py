"""What every refusal of bad input looks like."""

import httpx


def assert_refused(response: httpx.Response, status: int, code: str, field: str | None) -> None:
    """Assert that it is a problem document with this code that names the field; None: that it names none."""
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    problem = response.json()
    assert (problem["code"], problem["status"], problem["type"]) == (code, status, "about:blank")
    assert problem["instance"] == response.headers["x-trace-id"]
    named = [error["field"] for error in problem["errors"]]
    assert named == [] if field is None else field in named
