"""A world in which decisions have consequences: arrivals, consumers, Kubernetes and Prometheus, in virtual time."""
