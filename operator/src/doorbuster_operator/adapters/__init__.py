"""Speak PromQL and Kubernetes behind the ports; errors of libraries end here."""
