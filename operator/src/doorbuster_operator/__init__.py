"""The operator: reads lag and age from Prometheus, sizes consumers by a rate model, and says why."""
