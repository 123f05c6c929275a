"""Products: everybody may look."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from doorbuster.api.documents import not_found, problems
from doorbuster.api.problems import ProblemRaised
from doorbuster.api.schemas import GREATEST_ID, PageOfProducts, ProductDocument, ProductPage
from doorbuster.api.use_cases import use_cases_of
from doorbuster.kernel.ids import ProductId
from doorbuster.products.model import Product

router = APIRouter(prefix="/api/v1/products", tags=["products"])


@router.get("", response_model=ProductPage, responses=problems(422, 503))
async def list_products(request: Request, page: Annotated[PageOfProducts, Query()]) -> ProductPage:
    """Return products by id."""
    found = await use_cases_of(request).catalogue.page(after=ProductId(page.cursor), limit=page.limit)
    # A full page may be the last one; then the next is empty.
    return ProductPage(
        products=[_document(product) for product in found],
        next_cursor=found[-1].id if len(found) == page.limit else None,
    )


@router.get("/{product_id}", response_model=ProductDocument, responses=problems(404, 422, 503))
async def get_product(request: Request, product_id: Annotated[int, Path(ge=1, le=GREATEST_ID)]) -> ProductDocument:
    """Return one product."""
    product = await use_cases_of(request).catalogue.find(ProductId(product_id))
    if product is None:
        raise ProblemRaised(not_found("There is no such product."))
    return _document(product)


def _document(product: Product) -> ProductDocument:
    return ProductDocument(id=product.id, name=product.name, price=product.price)
