import json

import pytest
from click.testing import CliRunner, Result

from doorbuster.bootstrap.product_changes import ChangedProduct, NoSuchProduct
from doorbuster.jobs import command_line
from doorbuster.jobs import products as job
from doorbuster.kernel.ids import ProductId
from doorbuster.products.changes import ProductChange
from doorbuster.settings import Settings

Change = tuple[ProductId, ProductChange]
DONE = ChangedProduct(id=ProductId(7), name="Lamp", price=90, version=3, floor_set=True)


def run(
    monkeypatch: pytest.MonkeyPatch, *arguments: str, failure: Exception | None = None
) -> tuple[Result, list[Change]]:
    changes: list[Change] = []

    async def change_product(_: Settings, product_id: ProductId, change: ProductChange) -> ChangedProduct:
        changes.append((product_id, change))
        if failure is not None:
            raise failure
        return DONE

    monkeypatch.setattr(job, "change_product", change_product)
    # The runner's output is no stream that logs could go to.
    monkeypatch.setattr(command_line, "configure", lambda *_: None)
    return CliRunner().invoke(job.main, arguments), changes


def test_a_price_is_changed_and_the_answer_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    result, changes = run(monkeypatch, "set-price", "7", "90")

    assert changes == [(7, ProductChange(price=90))]
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"id": 7, "name": "Lamp", "price": 90, "version": 3, "floor_set": True}


def test_a_name_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    _, changes = run(monkeypatch, "rename", "7", "Big lamp")

    assert changes == [(7, ProductChange(name="Big lamp"))]


@pytest.mark.parametrize(
    "arguments", [("set-price", "7", "0"), ("set-price", "0", "1"), ("set-price", "7", "x"), ("sell",)]
)
def test_what_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    result, changes = run(monkeypatch, *arguments)

    assert (result.exit_code, changes) == (2, [])


def test_a_failure_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    result, _ = run(monkeypatch, "set-price", "7", "90", failure=NoSuchProduct("there is no product 7"))

    assert result.exit_code == 1
