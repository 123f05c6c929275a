from doorbuster.kernel.ids import ProductId
from doorbuster.products.seed import DOORBUSTER_TEST, HIGHEST_PRICE, LOWEST_PRICE, SCARCE, seeded_price

LOCAL = [ProductId(number) for number in range(1, 5_001)]


def test_seeded_prices_are_from_100_to_10000_and_hardly_repeat() -> None:
    prices = [seeded_price(product_id) for product_id in LOCAL]

    assert LOWEST_PRICE <= min(prices) <= max(prices) <= HIGHEST_PRICE
    assert len(set(prices)) > 4_900


def test_the_named_products_cost_the_least() -> None:
    assert seeded_price(DOORBUSTER_TEST) == seeded_price(SCARCE) == LOWEST_PRICE
