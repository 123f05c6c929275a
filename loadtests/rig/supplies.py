"""What a load needs before it begins: new buyers with points, and stock. Pure."""

from dataclasses import dataclass

# Products 1 and 2 are named, and have units of their own.
FIRST_UNNAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp:
    """What is to be made for one load.

    Attributes:
        users: new buyers.
        points: of each of them.
        products: how many are filled up, of those that exist.
        units: so many each of them has at least.
        first_product: the first of them.
        hot_units: units of a new product; 0 means that none is made.
    """

    users: int
    points: int
    products: int
    units: int
    first_product: int = FIRST_UNNAMED
    hot_units: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplies:
    """What a top-up made for one load.

    Attributes:
        first_user: the lowest id of the new buyers, who have no orders yet.
        users: how many there are.
        first_product: the lowest id of the products that have plenty.
        products: how many there are.
        hot_product: the id of the new product that has few units; None if none was asked for.
        hot_units: how many; 0 without such a product.
    """

    first_user: int
    users: int
    first_product: int
    products: int
    hot_product: int | None
    hot_units: int

    @property
    def last_user(self) -> int:
        """The highest id of the new buyers."""
        return self.first_user + self.users - 1


def top_up_command(wanted: TopUp) -> tuple[str, ...]:
    """Return what makes it, in a pod of the API."""
    return (
        "python3", "-m", "doorbuster.jobs.top_up",
        "--users", str(wanted.users), "--points", str(wanted.points), "--first-product", str(wanted.first_product),
        "--products", str(wanted.products), "--units", str(wanted.units), "--hot-units", str(wanted.hot_units),
    )  # fmt: skip
