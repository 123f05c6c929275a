"""Products: everybody may look."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from doorbuster.api.cursors import NotACursor, read_id_cursor, read_position, write_position
from doorbuster.api.documents import not_found, problems
from doorbuster.api.errors import invalid
from doorbuster.api.etags import etag_of, matches
from doorbuster.api.problems import FieldError, ProblemRaised
from doorbuster.api.schemas import (
    DIGITS,
    GREATEST_ID,
    LimitOfRanking,
    PageOfProducts,
    ProductDocument,
    ProductPage,
    ProductRanking,
    RankedProductDocument,
)
from doorbuster.api.use_cases import Catalogue, use_cases_of
from doorbuster.infra.cache.entries import FORMAT
from doorbuster.kernel.ids import ProductId
from doorbuster.products.model import Product
from doorbuster.products.ranking import RankedProduct
from doorbuster.products.search import Position

# A client may keep it, and asks each time whether it is still right: any age of its own would come on top of ours (R6).
CACHE_CONTROL = "no-cache"
_FORM = FORMAT.decode()

router = APIRouter(prefix="/api/v1/products", tags=["products"])


@router.get("", response_model=ProductPage, responses=problems(422, 503))
async def list_products(request: Request, page: Annotated[PageOfProducts, Query()]) -> ProductPage:
    """Return products by id; with `name_prefix` those whose names begin so, letter by letter, by name."""
    catalogue = use_cases_of(request).catalogue
    try:
        if page.name_prefix is None:
            return await _by_id(catalogue, page)
        return await _by_name(catalogue, page, page.name_prefix)
    except NotACursor as exc:
        wrong = FieldError(field="cursor", message="is no next_cursor of such a page")
        raise ProblemRaised(invalid([wrong])) from exc


# Before the products: else this would be one with a wrong id.
@router.get("/ranking", response_model=ProductRanking, responses=problems(422, 503))
async def rank_products(request: Request, wanted: Annotated[LimitOfRanking, Query()]) -> ProductRanking:
    """Return the best-selling products; an order counts shortly after it is PAID."""
    best = await use_cases_of(request).ranking.best(wanted.limit)
    return ProductRanking(products=[_ranked(product) for product in best])


@router.get(
    "/{product_id}",
    response_model=ProductDocument,
    responses={304: {"description": "The client has the newest bytes."}, **problems(404, 422, 503)},
)
async def get_product(request: Request, product_id: Annotated[int, Path(ge=1, le=GREATEST_ID), DIGITS]) -> Response:
    """Return one product, as bytes that are kept; with `If-None-Match` only if they are other ones."""
    entry = await use_cases_of(request).catalogue.find(ProductId(product_id))
    if entry is None:
        raise ProblemRaised(not_found("There is no such product."))
    etag = etag_of(_FORM, entry.version)
    headers = {"ETag": etag, "Cache-Control": CACHE_CONTROL}
    if matches(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return Response(entry.body, headers=headers, media_type="application/json")


async def _by_id(catalogue: Catalogue, page: PageOfProducts) -> ProductPage:
    found = await catalogue.page(after=read_id_cursor(page.cursor), limit=page.limit)
    # A full page may be the last one; then the next is empty.
    full = len(found) == page.limit
    return ProductPage(
        products=[_document(product) for product in found], next_cursor=str(found[-1].id) if full else None
    )


async def _by_name(catalogue: Catalogue, page: PageOfProducts, prefix: str) -> ProductPage:
    found = await catalogue.search(prefix, behind=read_position(page.cursor), limit=page.limit)
    full = len(found) == page.limit
    return ProductPage(
        products=[_document(product) for product in found],
        next_cursor=write_position(Position(name=found[-1].name, id=found[-1].id)) if full else None,
    )


def _document(product: Product) -> ProductDocument:
    return ProductDocument(id=product.id, name=product.name, price=product.price)


def _ranked(product: RankedProduct) -> RankedProductDocument:
    return RankedProductDocument(
        rank=product.rank, product_id=product.product_id, name=product.name, price=product.price, units=product.units
    )
