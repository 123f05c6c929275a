"""What `locust -f loadtests/locustfiles/readers.py --headless` runs; LOADTEST_* say against whom and how."""

from loadtests.scenarios.reading import ReadersOnce

__all__ = ["ReadersOnce"]
