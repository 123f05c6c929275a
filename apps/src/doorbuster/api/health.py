"""What a person or `helm test` asks: does the whole work? No probe asks this (R17)."""

from fastapi import APIRouter, Request, Response

from doorbuster.api.schemas import (
    BreakersDocument,
    CatalogueDocument,
    DependenciesDocument,
    HealthDocument,
    MembersDocument,
    OutboxDocument,
    PoolDocument,
)
from doorbuster.api.use_cases import use_cases_of
from doorbuster.infra.health import Health, Members, Pool, Verdict

router = APIRouter(prefix="/api/v1/health", tags=["health"])


@router.get("", response_model=HealthDocument, responses={503: {"model": HealthDocument}})
async def get_health(request: Request, response: Response) -> HealthDocument:
    """Return the state of each dependency: 503 when MySQL is gone or the catalogue has too few products, else 200."""
    health = await use_cases_of(request).health.check()
    if health.verdict is Verdict.FAILED:
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    return _document(health)


def _document(health: Health) -> HealthDocument:
    return HealthDocument(
        status=health.verdict,
        dependencies=DependenciesDocument(
            mysql=health.mysql, mysql_secondaries=health.secondaries, kafka=health.kafka, redis=health.redis
        ),
        outbox=OutboxDocument(
            rows=health.outbox_rows,
            oldest_age_seconds=health.outbox_oldest_age_seconds,
            accepts_orders=health.accepts_orders,
        ),
        catalogue=CatalogueDocument(products=health.products, minimum=health.minimum_products),
        pool=None if health.pool is None else _pool(health.pool),
        pools={name: _pool(pool) for name, pool in health.pools.items()},
        mysql_members=_members(health.members),
        breakers=BreakersDocument(**{name: health.breakers.get(name) for name in BreakersDocument.model_fields}),
        faults=None if health.faults is None else list(health.faults),
    )


def _pool(pool: Pool) -> PoolDocument:
    return PoolDocument(size=pool.size, in_use=pool.in_use)


def _members(members: Members | None) -> MembersDocument | None:
    if members is None:
        return None
    return MembersDocument(primary=members.primary, online=members.online, known=members.known)
