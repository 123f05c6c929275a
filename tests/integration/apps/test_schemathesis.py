"""Requests that nobody thought of, sent to the API's process on real servers: no 5xx, and no refusal leaves a row.

The stream is asked for too: of orders that nobody has, so that it can't go on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import schemathesis
from schemathesis import Case, Response

from doorbuster.coupons.tables import coupons
from doorbuster.infra.mysql.migrations import connected
from doorbuster.infra.mysql.schema import METADATA
from doorbuster.infra.mysql.tables import outbox
from doorbuster.settings import Settings
from tests.integration.apps.copies import forget_copies
from tests.integration.apps.coupon_rows import coupon
from tests.integration.apps.storefront import ANSWER_SECONDS, running_storefront, supply
from tests.integration.apps.table_checksums import checksums
from tests.unit.doorbuster.api.generated import assert_kept, bounded, configuration
from tests.unit.doorbuster.api.routes import document

pytestmark = pytest.mark.integration

# This check asks again past our session, perhaps through a proxy; the routes' policies have tests of their own.
SCHEMA = schemathesis.openapi.from_dict(document(), config=configuration(without=["ignored_auth"]))
# Refused, and yet stored with the key: a business answer (R1).
STORED = 409


@dataclass(slots=True, kw_only=True)
class Shop:
    """A running API, a buyer who asks it, and what the tables held after the last request."""

    settings: Settings
    address: str
    token: str
    session: requests.Session
    held: Mapping[str, int] = field(default_factory=dict)

    def answer_to(self, case: Case[Any]) -> Response:
        """Return the answer, which must be as the document says, and never a 5xx."""
        return case.call_and_validate(
            base_url=self.address,
            session=self.session,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=ANSWER_SECONDS,
        )

    def assert_written_only_by(self, response: Response) -> None:
        """Assert that the tables hold what they held before, unless the request was accepted."""
        if response.status_code >= 400 and response.status_code != STORED:
            assert checksums(self.settings.mysql) == self.held, f"{response.status_code} left something"
            return
        with connected(self.settings.mysql) as connection:
            # No relay runs here, and messages that wait for a minute are a reason to accept no orders (R17).
            connection.execute(outbox.delete())
        self.held = checksums(self.settings.mysql)


@pytest.fixture(scope="module")
def shop(migrated: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One shop for all requests: that each finds what the others left is a part of the test."""
    with connected(migrated.mysql) as connection:
        for table in METADATA.tables.values():
            connection.execute(table.delete())
        connection.execute(coupons.insert(), [coupon(1)])
    forget_copies(migrated.redis)
    supply(migrated)
    with running_storefront(migrated, tmp_path_factory.mktemp("shop")) as front, requests.Session() as session:
        # The servers are on this machine, whatever proxy its environment names.
        session.trust_env = False
        yield Shop(
            settings=migrated,
            address=front.address,
            token=front.token(1),
            session=session,
            held=checksums(migrated.mysql),
        )


@SCHEMA.parametrize()
@bounded(8)
def test_no_request_breaks_anything_and_no_refusal_leaves_a_row(shop: Shop, case: Case[Any]) -> None:
    response = shop.answer_to(case)

    assert_kept(case, response)
    shop.assert_written_only_by(response)
