"""Runs the API: settings, logs, services, probes, server; and ends it in the opposite order (R17)."""

import asyncio
import gc

import structlog
import uvloop

from doorbuster.api.answers import cancel_answer, charge_answer, order_answer, sold_out_answer
from doorbuster.api.app import create_app
from doorbuster.api.use_cases import UseCases
from doorbuster.bootstrap.api import ApiServices, Presenters, api_services
from doorbuster.infra.logging import configure
from doorbuster.infra.process.admin import AdminServer
from doorbuster.infra.process.http_server import serve_until
from doorbuster.infra.process.signals import stop_event
from doorbuster.settings import Settings

log = structlog.get_logger()


def main() -> None:
    """Run until SIGTERM."""
    settings = Settings()
    configure(settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_api(settings))


async def run_api(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT: then take no new requests, answer the open ones, drain the batches, close."""
    admin = AdminServer()
    listening = asyncio.Event()
    with stop_event() as stop:
        presenters = Presenters(
            order=order_answer, charge=charge_answer, cancel=cancel_answer, sold_out=sold_out_answer
        )
        async with api_services(settings, presenters) as services:
            app = create_app(_use_cases(services))
            # Ready depends on no server and no catalogue (R17).
            await admin.start(settings.admin_port, ready=lambda: listening.is_set() and not stop.is_set())
            # What was made for the start stays for ever: the collector needn't look at it again.
            gc.collect()
            gc.freeze()
            log.info("api_started", port=settings.api.port)
            await serve_until(
                stop,
                app,
                port=settings.api.port,
                drain_seconds=settings.api.drain_seconds,
                listening=listening.set,
                # Streams would go on for minutes, and the server waits for what is open.
                ending=services.order_watch.end,
            )
            log.info("api_draining")
        await admin.stop()
    log.info("api_ended")


def _use_cases(services: ApiServices) -> UseCases:
    return UseCases(
        users=services.users,
        place_order=services.place_order,
        charge_points=services.charge_points,
        issue_coupon=services.issue_coupon,
        orders=services.orders,
        balances=services.balances,
        catalogue=services.catalogue,
        ranking=services.ranking,
        coupons=services.coupons,
        carts=services.carts,
        change_cart=services.change_cart,
        check_out=services.check_out,
        cancel_order=services.cancel_order,
        order_watch=services.order_watch,
        entries=services.entries,
        health=services.health,
        new_id=services.new_id,
    )
