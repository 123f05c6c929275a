"""A kind cluster of its own with everything installed; `make test-e2e` brings it up before these run."""
