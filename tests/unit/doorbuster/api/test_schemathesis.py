"""Requests that nobody thought of, made from the OpenAPI document: what is bad is refused, and the document is true.

The stream is asked for too: of orders that nobody has, so that it can't go on. How it does is `test_order_events.py`'s.
"""

from typing import Any

import schemathesis
from schemathesis import Case
from structlog.testing import capture_logs

from doorbuster.api.app import OPENAPI_PATH, create_routes
from doorbuster.api.middleware import Bounded, TraceAndMeasure
from tests.unit.doorbuster.api.fakes import World, headers
from tests.unit.doorbuster.api.generated import BEFORE_ALL_ELSE, assert_kept, bounded, configuration
from tests.unit.doorbuster.api.routes import ROUTES, stocked

APP = create_routes(World().use_cases())
SCHEMA = schemathesis.openapi.from_asgi(OPENAPI_PATH, TraceAndMeasure(Bounded(APP)), config=configuration())


@SCHEMA.parametrize()
@bounded(30)
def test_the_document_is_true_and_what_is_bad_is_refused(case: Case[Any]) -> None:
    # Each request meets the same world, so that no key, cart or balance comes from the one before.
    world = stocked()
    APP.state.use_cases = world.use_cases()

    with capture_logs():
        response = case.call_and_validate(headers=headers(key=None))

    assert_kept(case, response)
    if response.status_code >= 400 and response.json()["code"] in BEFORE_ALL_ELSE:
        assert world.untouched()


def test_every_route_is_asked() -> None:
    asked = {f"{method.upper()} {path}" for path, methods in SCHEMA.items() for method in methods}

    assert asked == {str(route) for route in ROUTES if route.template != OPENAPI_PATH}
