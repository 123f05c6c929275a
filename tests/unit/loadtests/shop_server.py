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
CHECKOUT = "/api/v1/cart/checkout"
CART_LINE = "/api/v1/cart/lines/"
CHARGES = "/api/v1/points/charges"
POINTS = "/api/v1/points"
PRODUCT = "/api/v1/products/"
COUPON = "/api/v1/coupons/"
ISSUE = "/api/v1/coupon-issues/"
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
    coupon_id: int | None = None
    units: dict[int, int] | None = None


@dataclass(slots=True, kw_only=True)
class Shop:
    """What the shop knows.

    Attributes:
        coupons: how many there are of every coupon.
        slow_issues: so many looks at an issue find it ACCEPTED, and the next one ISSUED.
    """

    url: str
    manner_of: MannerOf
    coupons: int = 0
    slow_issues: int = 0
    charges: dict[str, tuple[int, int]] = field(default_factory=dict)
    issues: dict[int, str] = field(default_factory=dict)
    carts: dict[int, dict[int, int]] = field(default_factory=dict)
    looks: list[int] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    order_ids: dict[str, str] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    tokens: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)

    def take(
        self,
        key: str,
        user_id: int,
        product_id: int,
        *,
        coupon_id: int | None = None,
        units: dict[int, int] | None = None,
    ) -> Manner:
        """Return what is done with a try; an accepted key keeps its order."""
        with self.lock:
            number = list(self.tries).index(key) if key in self.tries else len(self.tries)
            self.tries[key] = self.tries.get(key, -1) + 1
            manner = self.manner_of(number, self.tries[key])
            self.seen.append(
                Seen(key=key, user_id=user_id, product_id=product_id, manner=manner, coupon_id=coupon_id, units=units)
            )
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
                "lines": [
                    {"product_id": product_id, "quantity": count, "unit_price": 1}
                    for product_id, count in (seen.units or {seen.product_id: 1}).items()
                ],
                "failure_reason": None,
                "to_pay": 1,
                "discount": 0,
                "created_at": "2026-11-26T06:00:00Z",
            }
            for key, seen in bought.items()
        ]

    def charge(self, key: str, user_id: int, points: int) -> str:
        """Charge points once for a key; return the charge's id."""
        with self.lock:
            self.charges.setdefault(key, (user_id, points))
            return str(uuid.uuid5(uuid.NAMESPACE_OID, key))

    def issue(self, user_id: int) -> str | None:
        """Give the user the coupon; None when there is none left."""
        with self.lock:
            if user_id not in self.issues and len(self.issues) < self.coupons:
                self.issues[user_id] = str(uuid.uuid4())
            return self.issues.get(user_id)

    def issue_status(self) -> str:
        """Return what a look at an issue finds."""
        with self.lock:
            self.slow_issues -= 1
            return "ACCEPTED" if self.slow_issues >= 0 else "ISSUED"

    def put(self, user_id: int, product_id: int, count: int) -> dict[int, int]:
        """Put units into a cart, which holds something already; return all that is in it."""
        with self.lock:
            cart = self.carts.setdefault(user_id, {999: 2})
            cart[product_id] = count
            return dict(cart)


@contextmanager
def shop(
    manner_of: MannerOf = lambda _number, _tried: Manner.ACCEPT, *, coupons: int = 0, slow_issues: int = 0
) -> Iterator[Shop]:
    """Run a shop until the block ends."""
    port = free_port()
    opened = Shop(url=f"http://127.0.0.1:{port}", manner_of=manner_of, coupons=coupons, slow_issues=slow_issues)
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
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}")
        if self.path == TOKENS:
            self.shop.tokens.add(document["user_id"])
            self._answer(201, {"token": f"token-{document['user_id']}", "expires_in": 3600})
        elif self.path == CHARGES:
            key = self.headers["Idempotency-Key"]
            self._answer(201, {"id": self.shop.charge(key, self._user_id(), document["amount"]), "balance": 1})
        elif self.path.startswith(COUPON):
            self._issue()
        elif self.path == CHECKOUT:
            units = self.shop.carts.pop(self._user_id())
            self._order(next(iter(units)), units=units)
        else:
            (line,) = document["lines"]
            self._order(line["product_id"], coupon_id=document.get("coupon_id"))

    def do_PUT(self) -> None:
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        cart = self.shop.put(self._user_id(), int(self.path.removeprefix(CART_LINE)), document["quantity"])
        lines = [{"product_id": product_id, "quantity": count} for product_id, count in cart.items()]
        self._answer(200, {"lines": lines, "updated_at": None})

    def _issue(self) -> None:
        issue_id = self.shop.issue(self._user_id())
        if issue_id is None:
            self._answer(409, {"code": "sold-out"})
        else:
            self._answer(202, self._issue_document(issue_id, "ACCEPTED"))

    def _issue_document(self, issue_id: str, status: str) -> dict[str, object]:
        return {"id": issue_id, "coupon_id": 7, "status": status}

    def _order(self, product_id: int, *, coupon_id: int | None = None, units: dict[int, int] | None = None) -> None:
        key = self.headers["Idempotency-Key"]
        match self.shop.take(key, self._user_id(), product_id, coupon_id=coupon_id, units=units):
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
        if self.path.startswith(PRODUCT):
            product_id = int(self.path.removeprefix(PRODUCT))
            self.shop.looks.append(product_id)
            self._answer(200, {"id": product_id, "name": "lamp", "price": 1})
        elif self.path.startswith(ISSUE):
            issue_id = self.path.removeprefix(ISSUE)
            known = issue_id == self.shop.issues.get(self._user_id())
            document: dict[str, object] = {"code": "not-found"}
            if known:
                document = self._issue_document(issue_id, self.shop.issue_status())
            self._answer(200 if known else 404, document)
        elif self.path == POINTS:
            charged = [points for user, points in self.shop.charges.values() if user == self._user_id()]
            self._answer(200, {"balance": 1 + sum(charged) - len(self.shop.orders_of(self._user_id()))})
        else:
            self._orders()

    def _orders(self) -> None:
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
