import json
from dataclasses import replace
from datetime import UTC, datetime

from doorbuster.audit.model import Breach, Invariant, Report, Subject, Waiting
from doorbuster.audit.rendering import as_json, as_table

CLEAN = Report(
    at=datetime(2026, 5, 1, 12, 0, 1, tzinfo=UTC),
    seconds=1.25,
    full=True,
    counts={},
    breaches=[],
    waiting={Waiting.PENDING: 3, Waiting.UNPUBLISHED: 0},
    looked_at={"orders": 12_000},
)
BREACHES = [
    Breach(invariant=Invariant.STOCK, subject=Subject.PRODUCT, id=number, detail="10 supplied") for number in range(25)
]
BROKEN = replace(CLEAN, counts={Invariant.STOCK: 1_234}, breaches=BREACHES)


def test_json_names_every_invariant_and_the_verdict() -> None:
    document = json.loads(as_json(CLEAN))

    assert document["verdict"] == "no breach"
    assert document["invariants"] == {each.value: {"breaches": 0, "shown": []} for each in Invariant}
    assert document["in_flight"] == {"orders_pending": 3, "messages_unpublished": 0}
    assert (document["at"], document["seconds"], document["full"]) == ("2026-05-01T12:00:01Z", 1.25, True)


def test_json_shows_twenty_ids_of_an_invariant_and_counts_all() -> None:
    document = json.loads(as_json(BROKEN))

    assert document["verdict"] == "breach"
    stock = document["invariants"]["stock_adds_up"]
    assert (stock["breaches"], len(stock["shown"])) == (1_234, 20)
    assert stock["shown"][0] == {"subject": "product", "id": "0", "detail": "10 supplied"}


def test_the_table_of_a_healthy_shop_ends_with_no_breach() -> None:
    lines = as_table(CLEAN).splitlines()

    assert lines[1] == f"{'stock_adds_up':<34}{0:>9}"
    assert lines[-3:] == [
        "in flight: 3 orders_pending",
        "looked at: 12,000 orders",
        "no breach at 2026-05-01T12:00:01+00:00, seen in 1.2 s",
    ]


def test_the_table_names_ids_and_how_many_more_there_are() -> None:
    lines = as_table(BROKEN).splitlines()

    assert "  product 0: 10 supplied" in lines
    assert sum(line.startswith("  product ") for line in lines) == 20
    assert "  and 1214 more" in lines
    assert lines[-1].startswith("breach at ")
