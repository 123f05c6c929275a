"""What `locust -f loadtests/locustfiles/journeys.py --headless` runs; LOADTEST_* say against whom and how."""

from loadtests.scenarios.journeys import JourneysOnce

__all__ = ["JourneysOnce"]
