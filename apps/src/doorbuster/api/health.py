"""What a person or `helm test` asks: does the whole work? No probe asks this (R17)."""

from fastapi import APIRouter, Request, Response

from doorbuster.api.schemas import (
    CatalogueDocument,
    DependenciesDocument,
    HealthDocument,
    OutboxDocument,
    PoolDocument,
)
from doorbuster.api.use_cases import use_cases_of
from doorbuster.infra.health import Health, Verdict

router = APIRouter(prefix="/api/v1/health", tags=["health"])


@router.get("", response_model=HealthDocument, responses={503: {"model": HealthDocument}})
async def get_health(request: Request, response: Response) -> HealthDocument:
    """Return the state of each dependency: 503 when MySQL is gone or the catalogue is empty, else 200."""
    health = await use_cases_of(request).health.check()
    if health.verdict is Verdict.FAILED:
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    return _document(health)


def _document(health: Health) -> HealthDocument:
    pool = health.pool
    return HealthDocument(
        status=health.verdict,
        dependencies=DependenciesDocument(mysql=health.mysql, kafka=health.kafka, redis=health.redis),
        outbox=OutboxDocument(
            rows=health.outbox_rows,
            oldest_age_seconds=health.outbox_oldest_age_seconds,
            accepts_orders=health.accepts_orders,
        ),
        catalogue=CatalogueDocument(products=health.products),
        pool=None if pool is None else PoolDocument(size=pool.size, in_use=pool.in_use),
    )
