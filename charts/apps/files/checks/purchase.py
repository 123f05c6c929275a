"""What `helm test` runs: the API is healthy, and with a token an order of the product `doorbuster-test` is PAID."""

import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

PRODUCT = "doorbuster-test"
TOKEN_FILE = Path("/secrets/token")
# The pod's policy may take effect a few seconds after its start, and consumers of a new release join their groups.
PATIENCE_SECONDS = 60
PAUSE_SECONDS = 1.0
ASK_SECONDS = 10.0
PAGE = 100
# More pages than any seed profile's catalogue that is meant for this test.
MOST_PAGES = 200

Answer = dict[str, Any]


class Unanswered(Exception):
    """The API answered with an error, or not at all."""


def ask(path: str, *, token: str = "", body: object = None, key: str = "") -> Answer:
    """Return the JSON that the API answers; raises Unanswered otherwise."""
    headers = {"Content-Type": "application/json"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    headers |= {"Idempotency-Key": key} if key else {}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(os.environ["API"] + path, data=data, headers=headers)  # noqa: S310  # a value's URL
    try:
        with urllib.request.urlopen(request, timeout=ASK_SECONDS) as answer:  # noqa: S310
            found: Answer = json.load(answer)
            return found
    except urllib.error.HTTPError as exc:
        with exc:
            told = exc.read(2000).decode(errors="replace")
        raise Unanswered(f"{path} answers {exc.code}: {told}") from exc
    except OSError as exc:
        raise Unanswered(f"{path}: {exc}") from exc


def wait_for_health(deadline: float) -> Answer:
    """Return what the API says about its health, as soon as it says that all is well."""
    while True:
        try:
            return ask("/api/v1/health")
        except Unanswered:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)


def product() -> int:
    """Return the id of the product that is seeded for this test."""
    cursor = 0
    for _ in range(MOST_PAGES):
        page = ask(f"/api/v1/products?limit={PAGE}&cursor={cursor}")
        for found in page["products"]:
            if found["name"] == PRODUCT:
                return int(found["id"])
        if page["next_cursor"] is None:
            break
        cursor = int(page["next_cursor"])
    raise Unanswered(f"there is no product named {PRODUCT}: the seed profile prod has none")


def buy(token: str, deadline: float) -> str:
    """Return the final status of an order of one unit."""
    body = {"lines": [{"product_id": product(), "quantity": 1}]}
    order = ask("/api/v1/orders", token=token, body=body, key=str(uuid.uuid4()))
    while order["status"] == "PENDING" and time.monotonic() < deadline:
        time.sleep(PAUSE_SECONDS)
        order = ask(f"/api/v1/orders/{order['id']}", token=token)
    return str(order["status"])


def main() -> int:
    """Return the exit status: 0 when everything that could be checked is well."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        say(f"healthy: {json.dumps(wait_for_health(deadline))}")
        if not TOKEN_FILE.is_file():
            say("only health was checked: the Secret of tests.tokenSecret isn't there")
            return 0
        status = buy(TOKEN_FILE.read_text().strip(), deadline)
    except Unanswered as exc:
        say(str(exc))
        return 1
    say(f"an order of {PRODUCT} is {status}")
    return 0 if status == "PAID" else 1


def say(text: str) -> None:
    """Print a line for `kubectl logs`."""
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
