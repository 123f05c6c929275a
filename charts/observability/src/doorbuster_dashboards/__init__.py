"""Makes the Grafana dashboards of the chart `observability`: `python -m doorbuster_dashboards` writes their JSON.

Metrics are those of the two registries, limits those of the alert rules; tests compare both.
"""
