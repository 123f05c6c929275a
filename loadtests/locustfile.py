"""What `locust -f loadtests/locustfile.py --headless` runs; LOADTEST_* say against whom and how fast."""

from loadtests.scenarios.flash_sale import FlashSale

__all__ = ["FlashSale"]
