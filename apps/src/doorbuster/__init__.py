"""Doorbuster's applications: the HTTP API, the consumer groups of the order saga, and jobs."""
