import json

import pytest

from loadtests.reports.audit import audit_in
from loadtests.reports.errors import NotAnAudit

PRINTED = {
    "verdict": "breach",
    "at": "2026-11-26T06:00:00Z",
    "seconds": 12.5,
    "full": True,
    "looked_at": {"orders": 20_400, "stock": 1_000_000},
    "in_flight": {"orders_pending": 2},
    "invariants": {
        "stock_adds_up": {"breaches": 3, "shown": [{"subject": "product", "id": "7", "detail": "sold twice"}]},
        "coupon_used_once": {"breaches": 0, "shown": []},
    },
}  # fmt: skip


def test_what_the_auditor_printed_is_read_with_its_ids() -> None:
    found = audit_in(json.dumps(PRINTED))

    assert (found.verdict, found.found, found.seconds) == ("breach", 3, 12.5)
    assert found.breaches == {"stock_adds_up": 3, "coupon_used_once": 0}
    assert found.shown == ("stock_adds_up: product 7: sold twice",)
    assert (found.in_flight, found.looked_at["stock"]) == ({"orders_pending": 2}, 1_000_000)


@pytest.mark.parametrize("printed", ["", "Traceback", "{}", "[]", '{"verdict": "no breach"}'])
def test_anything_else_is_no_report(printed: str) -> None:
    with pytest.raises(NotAnAudit):
        audit_in(printed)
