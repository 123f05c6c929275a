"""Processes beside API and consumers: relay, watch, exporter, preparation; and stand-ins for local use."""
