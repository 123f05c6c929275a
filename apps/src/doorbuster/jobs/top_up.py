"""Makes what a rehearsal needs: new users with points, filled up stock, one hot product.

`python -m doorbuster.jobs.top_up --help` says how. The answer is one JSON line on standard output; logs go to standard
error, so that they never mix with it.
"""

import click
import msgspec

from doorbuster.bootstrap.top_up import TopUp, top_up
from doorbuster.jobs.command_line import answered
from doorbuster.kernel.ids import ProductId

MOST_ITEMS = 100_000
# Sums over all users and products stay far below what a column or a reader of JSON holds.
MOST_EACH = 1_000_000_000
# Products 1 and 2 are named, and have units of their own.
FIRST_UNNAMED = 3


@click.command(
    context_settings={"show_default": True},
    epilog="Prints {first_user, users, first_product, products, hot_product, hot_units}: the ids of users and products"
    " follow one another, hot_product is null if none was made. Ends with 0, or with 1 and a sentence that says why."
    " Works only where DOORBUSTER_AUTH__ISSUERS names the development issuer, as in a pod of the API of a local"
    " cluster: it gives points and stock away.",
)
@click.option("--users", type=click.IntRange(1, MOST_ITEMS), default=500, help="New users, behind all others.")
@click.option("--points", type=click.IntRange(1, MOST_EACH), default=1_000_000, help="Of each new user.")
@click.option(
    "--first-product",
    type=click.IntRange(1, MOST_EACH),
    default=FIRST_UNNAMED,
    help="First product that is filled up; 1 and 2 are doorbuster-test and doorbuster-scarce.",
)
@click.option(
    "--products",
    type=click.IntRange(1, MOST_ITEMS),
    default=400,
    help="Products to fill up; only those that exist are.",
)
@click.option(
    "--units", type=click.IntRange(1, MOST_EACH), default=100_000, help="Each of them has at least so many afterwards."
)
@click.option(
    "--hot-units",
    type=click.IntRange(0, MOST_EACH),
    default=0,
    help="Make one new product, doorbuster-hot-<id>, with exactly so many units; 0 means none.",
)
@click.option("--deadline-seconds", type=click.FloatRange(0, 3600, min_open=True), default=120.0, help="For all of it.")
def main(*, first_product: int, deadline_seconds: float, **sizes: int) -> None:
    """Make users, stock and a hot product for a rehearsal. Each run makes other users and another hot product."""
    wanted = TopUp(first_product=ProductId(first_product), **sizes)
    done = answered(
        lambda settings: top_up(settings, wanted),
        within_seconds=deadline_seconds,
        too_late="what is there is right, and another run makes other users",
    )
    click.echo(msgspec.json.encode(done))


if __name__ == "__main__":
    main()
