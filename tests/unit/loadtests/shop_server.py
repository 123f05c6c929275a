"""A small shop on a free port, which remembers everything and misbehaves as it is told. Python's own HTTP server."""

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.ports import free_port

ORDERS = "/api/v1/orders"
TOKENS = "/dev/issuer/tokens"


class Manner(StrEnum):
    """What the shop does with one try."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    LATER = "later"
    DROP = "drop"
    ACCEPT_AND_DROP = "accept and drop"
    HOLD = "accept and never answer"


MannerOf = Callable[[int, int], Manner]
"""Returns what is done with a try: of the order that came as number n, from 0, the try number m, from 0."""


@dataclass(slots=True, kw_only=True)
class Seen:
    """One try, as the shop saw it."""

    key: str
    user_id: int
    product_id: int
    manner: Manner


@dataclass(slots=True, kw_only=True)
class Shop:
    """What the shop knows."""

    url: str
    manner_of: MannerOf
    seen: list[Seen] = field(default_factory=list)
    order_ids: dict[str, str] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    tokens: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)

    def take(self, key: str, user_id: int, product_id: int) -> Manner:
        """Return what is done with a try; an accepted key keeps its order."""
        with self.lock:
            number = list(self.tries).index(key) if key in self.tries else len(self.tries)
            self.tries[key] = self.tries.get(key, -1) + 1
            manner = self.manner_of(number, self.tries[key])
            self.seen.append(Seen(key=key, user_id=user_id, product_id=product_id, manner=manner))
            if manner in {Manner.ACCEPT, Manner.ACCEPT_AND_DROP, Manner.HOLD}:
                self.order_ids.setdefault(key, str(uuid.uuid4()))
            return manner

    def orders_of(self, user_id: int) -> list[dict[str, object]]:
        """Return a user's orders as the API shows them; all are PAID."""
        bought = {seen.key: seen for seen in self.seen if seen.user_id == user_id and seen.key in self.order_ids}
        return [
            {
                "id": self.order_ids[key],
                "status": "PAID",
                "total": 1,
                "lines": [{"product_id": seen.product_id, "quantity": 1, "unit_price": 1}],
                "failure_reason": None,
            }
            for key, seen in bought.items()
        ]


@contextmanager
def shop(manner_of: MannerOf = lambda _number, _tried: Manner.ACCEPT) -> Iterator[Shop]:
    """Run a shop until the block ends."""
    port = free_port()
    opened = Shop(url=f"http://127.0.0.1:{port}", manner_of=manner_of)
    handler = type("Handler", (_Handler,), {"shop": opened})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        # Kept connections must not keep the test.
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield opened
        finally:
            opened.closing.set()
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body go out in two writes; Nagle's algorithm would hold the second back.
    disable_nagle_algorithm = True
    shop: Shop

    def do_POST(self) -> None:
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == TOKENS:
            self.shop.tokens.add(document["user_id"])
            self._answer(201, {"token": f"token-{document['user_id']}", "expires_in": 3600})
            return
        (line,) = document["lines"]
        key = self.headers["Idempotency-Key"]
        match self.shop.take(key, self._user_id(), line["product_id"]):
            case Manner.ACCEPT:
                self._answer(202, {"id": self.shop.order_ids[key], "status": "PENDING"})
            case Manner.REFUSE:
                self._answer(409, {"code": "sold-out"})
            case Manner.LATER:
                self._answer(503, {"code": "overloaded"}, {"Retry-After": "0"})
            case Manner.HOLD:
                self.shop.closing.wait()
                self.close_connection = True
            case _:
                self.close_connection = True

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        orders, limit = self.shop.orders_of(self._user_id()), int(query["limit"][0])
        ids = [str(order["id"]) for order in orders]
        first = ids.index(query["cursor"][0]) + 1 if "cursor" in query else 0
        page = orders[first : first + limit]
        self._answer(200, {"orders": page, "next_cursor": page[-1]["id"] if len(page) == limit else None})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Keep quiet."""

    def _user_id(self) -> int:
        return int(self.headers["Authorization"].removeprefix("Bearer token-"))

    def _answer(self, status: int, document: dict[str, object], headers: dict[str, str] | None = None) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
