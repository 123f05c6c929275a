"""Requests that schemathesis makes from the OpenAPI document, always the same ones, and what every answer must keep."""

from collections.abc import Collection
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case, Response

from doorbuster.api.problems import MEDIA_TYPE, Code

# What is refused before a use case hears of it.
BEFORE_ALL_ELSE = frozenset(
    {
        Code.MALFORMED_JSON, Code.INVALID_REQUEST, Code.UNSUPPORTED_MEDIA_TYPE, Code.BODY_TOO_LARGE,
        Code.UNAUTHENTICATED, Code.METHOD_NOT_ALLOWED, Code.KEY_MISSING, Code.KEY_MALFORMED,
    }
)  # fmt: skip
NAMING = frozenset({Code.INVALID_REQUEST, Code.MALFORMED_JSON, Code.KEY_MISSING, Code.KEY_MALFORMED, Code.KEY_REUSED})
# What is wrong with requests of the right form: no schema can say what a catalogue, a balance or a key holds.
BEYOND_THE_SCHEMA = frozenset({"unknown-product", "duplicate-product", "balance-too-large", Code.KEY_REUSED})
# The HTTP server refuses them by itself, in words of its own, before the application is asked.
CONTROLS = "".join(map(chr, (*range(32), 127)))
# A cursor is opaque: the document says which letters it has, and not which ones a page ended with.
OPAQUE = "cursor"


def bounded(examples: int) -> settings:
    """Return how many requests of each kind and route are made, beside those at the document's own bounds.

    They are the same each time, so that a failure is one for everybody; how long each takes is no matter here.
    """
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )


def configuration(*, without: Collection[str] = ()) -> schemathesis.Config:
    """Return which checks are made: all of the library's but those, and one whose place `assert_kept` takes."""
    return schemathesis.Config.from_dict(
        {
            "generation": {
                # Tokens have tests of their own; here they are always good ones.
                "with-security-parameters": False,
                "exclude-header-characters": CONTROLS,
            },
            "checks": {name: {"enabled": False} for name in ("positive_data_acceptance", *without)},
        }
    )


def assert_kept(case: Case[Any], response: Response) -> None:
    """Assert that a refusal is a problem document that names a field, and that what the document allows is taken."""
    if response.status_code < 400:
        return
    problem = response.json()
    assert response.headers["content-type"] == [MEDIA_TYPE]
    assert problem["status"] == response.status_code
    if problem["code"] in NAMING:
        assert problem["errors"], "no field is named"
    if is_allowed(case) and response.status_code not in {404, 405, 409}:
        fields = {error["field"] for error in problem["errors"]}
        assert problem["code"] in BEYOND_THE_SCHEMA or fields == {OPAQUE}, f"refused what is allowed: {problem}"


def is_allowed(case: Case[Any]) -> bool:
    """Tell whether the request is as the document wants it.

    1.0 is an integer to JSON Schema, and not to us: a client that writes so computes with fractions.
    """
    return case.meta is not None and case.meta.generation.mode.is_positive and not _has_fraction(case.body)


def _has_fraction(value: object) -> bool:
    match value:
        case float():
            return True
        case dict():
            return any(_has_fraction(each) for each in value.values())
        case list():
            return any(_has_fraction(each) for each in value)
        case _:
            return False
