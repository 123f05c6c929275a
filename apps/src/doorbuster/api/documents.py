"""What routes add to the OpenAPI document, and the one problem that several of them raise."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from doorbuster.api.cart_schemas import CheckOutRequest, PutLineRequest
from doorbuster.api.commands import KEY_HEADER, KEY_PATTERN
from doorbuster.api.coupon_schemas import IssueCouponRequest
from doorbuster.api.order_schemas import CancelOrderRequest, OrderEventDocument
from doorbuster.api.problems import MEDIA_TYPE, Code, Problem
from doorbuster.api.schemas import ChargePointsRequest, PlaceOrderRequest, ProblemDocument

_REFERENCE = "#/components/schemas/{model}"
# Who looks at a token refuses an admin's (R20), and who reads a body doesn't wait for it for ever.
_IMPLIED: Mapping[int, int] = {401: 403, 413: 408}
# Bodies that routes read themselves, so that FastAPI doesn't know of them.
_READ_BY_ROUTES = (
    PlaceOrderRequest, ChargePointsRequest, IssueCouponRequest, ProblemDocument,
    PutLineRequest, CheckOutRequest, CancelOrderRequest, OrderEventDocument,
)  # fmt: skip


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:  # FastAPI's own type
    """Return what a route's `responses` say about problem documents, with the statuses that these imply."""
    content = {MEDIA_TYPE: {"schema": _reference(ProblemDocument)}}
    implied = {_IMPLIED[status] for status in statuses if status in _IMPLIED}
    return {
        status: {"description": "A problem document.", "content": content} for status in sorted({*statuses, *implied})
    }


def plain_body_of(model: type[BaseModel], *, optional: bool = False) -> dict[str, Any]:  # FastAPI's own type
    """Return what a route's `openapi_extra` says about a body that the route reads itself, and that needs no key."""
    return {"requestBody": _json_body(model, optional=optional)}


def body_of(model: type[BaseModel], *, optional: bool = False) -> dict[str, Any]:  # FastAPI's own type
    """Return what a route's `openapi_extra` says about the body and the key that the route reads itself."""
    key = {
        "name": KEY_HEADER,
        "in": "header",
        "required": True,
        "description": "A name for this intent, the same in each repeat.",
        "schema": {"type": "string", "pattern": f"^{KEY_PATTERN}$"},
    }
    return {"parameters": [key], "requestBody": _json_body(model, optional=optional)}


def add_schemas(document: dict[str, Any]) -> dict[str, Any]:  # an OpenAPI document
    """Return the document with the schemas that `problems` and `body_of` refer to."""
    _, schemas = models_json_schema([(model, "validation") for model in _READ_BY_ROUTES], ref_template=_REFERENCE)
    document.setdefault("components", {}).setdefault("schemas", {}).update(schemas["$defs"])
    return document


def not_found(detail: str) -> Problem:
    """Return the problem of something that doesn't exist, or not for this user."""
    return Problem(status=404, code=Code.NOT_FOUND, detail=detail)


def _json_body(model: type[BaseModel], *, optional: bool) -> dict[str, Any]:  # FastAPI's own type
    return {"required": not optional, "content": {"application/json": {"schema": _reference(model)}}}


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(model=model.__name__)}
