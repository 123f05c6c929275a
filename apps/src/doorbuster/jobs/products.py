"""Changes a product: its price or its name.

`python -m doorbuster.jobs.products --help` says how. The answer is one JSON line on standard output; logs go to
standard error.
"""

import click
import msgspec

from doorbuster.bootstrap.product_changes import change_product
from doorbuster.jobs.command_line import answered
from doorbuster.kernel.ids import ProductId
from doorbuster.products.changes import GREATEST_PRICE, ProductChange

GREATEST_ID = 2**53
# More than five attempts and 31 seconds for the floor take.
DEADLINE_SECONDS = 120.0

_product_id = click.argument("product_id", metavar="ID", type=click.IntRange(1, GREATEST_ID))


@click.group(
    epilog="Both print {id, name, price, version, floor_set}. Readers see the change within 2 seconds after that; while"
    " Redis is gone the command waits for it up to 31 seconds, and then no older copy is left (floor_set is false)."
    " Ends with 0, or with 1 and a sentence that says why."
)
def main() -> None:
    """Change a product. Orders that were accepted keep their prices."""


@main.command()
@_product_id
@click.argument("price", type=click.IntRange(1, GREATEST_PRICE))
def set_price(product_id: int, price: int) -> None:
    """Give the product ID another PRICE, in points."""
    _change(product_id, ProductChange(price=price))


@main.command()
@_product_id
@click.argument("name")
def rename(product_id: int, name: str) -> None:
    """Give the product ID another NAME."""
    _change(product_id, ProductChange(name=name))


def _change(product_id: int, change: ProductChange) -> None:
    done = answered(
        lambda settings: change_product(settings, ProductId(product_id), change),
        within_seconds=DEADLINE_SECONDS,
        too_late="perhaps it is changed; repeating it does no harm",
    )
    click.echo(msgspec.json.encode(done))


if __name__ == "__main__":
    main()
