"""Reads network interfaces and routes."""

import json
import socket

from doorbuster_cluster.host.packages import find_program
from doorbuster_cluster.process import attempt

READ_SECONDS = 20.0
# Routers announce these, and they come and go by themselves.
ANNOUNCED = "ra"
# What makes a route this route; the rest is its present state, such as `linkdown` or the seconds left.
FIELDS = ("type", "dst", "gateway", "dev", "table", "metric", "scope", "prefsrc", "via", "nexthops")


def read_links() -> tuple[str, ...]:
    """Return the names of this network namespace's interfaces, sorted."""
    return tuple(sorted(name for _, name in socket.if_nameindex()))


def read_routes() -> tuple[str, ...]:
    """Return the routes of all tables, both families; none where iproute2 isn't installed."""
    if not find_program("ip"):
        return ()
    routes: list[str] = []
    for family in ("-4", "-6"):
        done = attempt(["ip", family, "-json", "route", "show", "table", "all"], timeout_seconds=READ_SECONDS)
        routes += parse_routes(done.stdout) if done.ok else []
    return tuple(sorted(routes))


def parse_routes(listed: str) -> list[str]:
    """Return the routes in the output of `ip -json route`, one line each, without what changes by itself."""
    routes = json.loads(listed or "[]")
    return [_line(route) for route in routes if route.get("protocol") != ANNOUNCED]


def _line(route: dict[str, object]) -> str:
    return " ".join(f"{field}={route[field]}" for field in FIELDS if field in route)
