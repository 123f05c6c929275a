"""The ASGI application: routes, errors, middleware around them."""

from functools import cache
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from doorbuster.api import carts, coupons, errors, health, orders, points, products
from doorbuster.api.documents import add_schemas
from doorbuster.api.middleware import Bounded, TraceAndMeasure
from doorbuster.api.use_cases import UseCases

OPENAPI_PATH = "/api/v1/openapi.json"


def create_app(use_cases: UseCases) -> ASGIApp:
    """Return the application.

    Args:
        use_cases: what the routes do.
    """
    return TraceAndMeasure(Bounded(create_routes(use_cases)))


def create_routes(use_cases: UseCases) -> FastAPI:
    """Return the routes without the middleware around them."""
    app = FastAPI(
        title="Doorbuster",
        description="Orders are accepted at once; what becomes of them is at their Location.",
        version="1",
        openapi_url=OPENAPI_PATH,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # A metric and a trace id of our own cost a tenth of these.
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.use_cases = use_cases
    errors.install(app)
    # The hottest first: routes are looked through one by one.
    for module in (orders, products, points, carts, coupons, health):
        app.include_router(module.router)
    original = app.openapi

    @cache
    def openapi() -> dict[str, Any]:  # an OpenAPI document
        return add_schemas(original())

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend it
    return app
